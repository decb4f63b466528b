"""Errors: those that the emulator can be made to raise, and BigQuery's own words for the rest."""

from __future__ import annotations

import pytest
from google.api_core.exceptions import BadRequest, Forbidden, GoogleAPICallError, RetryError
from google.auth.exceptions import DefaultCredentialsError, RefreshError

from flowforge_bigquery.engine import open_engine
from flowforge_bigquery.errors import kind_of, translated
from flowforge_bigquery.settings import BigQueryProfile
from flowforge_domain.errors import EngineError, ErrorKind
from flowforge_testkit.conformance.ground import build
from flowforge_testkit.fakes import claim


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("select 1 / 0", ErrorKind.DATA),
        ("create table ff_t as select 1 as a", ErrorKind.CONFLICT),
        ("select nofunc(1)", ErrorKind.SYNTAX),
        ("drop table ff_nowhere", ErrorKind.MISSING_RELATION),
    ],
)
def test_emulators_errors_have_their_kind(engine, sql, kind):
    build(engine, "ff_t", "select 1 as a")
    with pytest.raises(EngineError) as caught:
        engine.session.execute(sql)
    assert caught.value.kind is kind


# As https://cloud.google.com/bigquery/docs/error-messages and the service itself word them.
@pytest.mark.parametrize(
    ("reason", "code", "message", "kind"),
    [
        ("invalidQuery", 400, "Unrecognized name: emial; Did you mean email? at [2:3]", ErrorKind.MISSING_COLUMN),
        ("invalidQuery", 400, "Name missing_one not found inside t at [1:10]", ErrorKind.MISSING_COLUMN),
        ("invalidQuery", 400, "Column b is not present in table p.d.t at [1:20]", ErrorKind.MISSING_COLUMN),
        ("invalidQuery", 400, "Syntax error: Unexpected keyword FROM at [1:11]", ErrorKind.SYNTAX),
        ("invalidQuery", 400, "Function not found: nofunc at [1:8]", ErrorKind.SYNTAX),
        ("invalidQuery", 400, "division by zero: 1 / 0", ErrorKind.DATA),
        ("invalidQuery", 400, "Bad int64 value: x", ErrorKind.DATA),
        ("invalidQuery", 400, 'Could not cast literal "x" to type DATE at [1:8]', ErrorKind.DATA),
        ("notFound", 404, "Not found: Table p:d.t was not found in location EU", ErrorKind.MISSING_RELATION),
        ("notFound", 404, "Not found: Dataset p:d was not found in location EU", ErrorKind.MISSING_RELATION),
        (
            "accessDenied",
            403,
            "Access Denied: User does not have bigquery.jobs.create",
            ErrorKind.PERMISSION,
        ),
        ("stopped", 200, "Job execution was cancelled: User requested cancellation", ErrorKind.STOPPED),
        ("resourcesExceeded", 400, "Resources exceeded during query execution", ErrorKind.SPACE),
        ("quotaExceeded", 403, "Quota exceeded: Your project exceeded quota for imports per day", ErrorKind.SPACE),
        ("responseTooLarge", 403, "Response too large to return. Consider specifying a destination", ErrorKind.SPACE),
        ("bytesBilledLimitExceeded", 400, "Query exceeded limit for bytes billed: 1000000.", ErrorKind.SPACE),
        ("rateLimitExceeded", 403, "Exceeded rate limits: too many table update operations", ErrorKind.TRANSIENT),
        (
            "backendError",
            503,
            "Error encountered during execution. Retrying may help.",
            ErrorKind.TRANSIENT,
        ),
        ("duplicate", 409, "Already Exists: Table p:d.t", ErrorKind.CONFLICT),
        ("", 401, "Request had invalid authentication credentials.", ErrorKind.CREDENTIALS),
        ("", 418, "Something new", ErrorKind.UNKNOWN),
    ],
)
def test_reasons_status_and_words_have_a_kind(reason, code, message, kind):
    assert kind_of(reason, code, message) is kind


def test_place_is_that_of_the_statement():
    with pytest.raises(EngineError) as caught, translated():
        raise BadRequest("Unrecognized name: emial at [2:3]", errors=[{"reason": "invalidQuery", "message": ""}])
    assert (caught.value.line, caught.value.column, caught.value.kind) == (2, 3, ErrorKind.MISSING_COLUMN)


@pytest.mark.parametrize(
    ("reason", "fix"),
    [
        ("bytesBilledLimitExceeded", "maximum_bytes_billed"),
        ("quotaExceeded", "ask for a greater one"),
        ("responseTooLarge", "fewer rows"),
    ],
)
def test_limits_are_told_with_what_to_do(reason, fix):
    with pytest.raises(EngineError, match=fix) as caught, translated():
        raise GoogleAPICallError("", errors=[{"reason": reason, "message": "Too much."}])
    assert caught.value.kind is ErrorKind.SPACE


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (DefaultCredentialsError("Your default credentials were not found."), ErrorKind.CREDENTIALS),
        (RefreshError("invalid_grant"), ErrorKind.CREDENTIALS),
        (ConnectionResetError("reset"), ErrorKind.TRANSIENT),
        (RetryError("Timeout of 2.0s exceeded", Forbidden("Access Denied")), ErrorKind.PERMISSION),
        (RetryError("Timeout of 2.0s exceeded", ConnectionError("refused")), ErrorKind.UNREACHABLE),
        (TimeoutError(), ErrorKind.STOPPED),
    ],
)
def test_what_stands_before_the_service_has_a_kind(error, kind):
    with pytest.raises(EngineError) as caught, translated():
        raise error
    assert caught.value.kind is kind
    assert caught.value.hint


def test_nobody_listening_is_unreachable(settings, tmp_path):
    with pytest.raises(EngineError) as caught:
        opened({**settings, "endpoint": "http://127.0.0.1:1", "retry_deadline": 0}, tmp_path).session.query("select 1")
    assert caught.value.kind is ErrorKind.UNREACHABLE


@pytest.mark.parametrize("content", [None, "{}", "no json", '{"type": "service_account", "private_key": "hunter22"}'])
def test_keyfile_that_is_none_is_told_without_what_it_holds(tmp_path, content):
    if content is not None:
        (tmp_path / "key.json").write_text(content)
    with pytest.raises(EngineError) as caught:
        opened({"project": "p", "dataset": "d", "keyfile": "key.json"}, tmp_path).session.query("select 1")
    assert caught.value.kind is ErrorKind.CREDENTIALS
    assert "hunter22" not in str(caught.value)


def opened(settings, root):
    return open_engine(BigQueryProfile.model_validate({"engine": "bigquery", "bigquery": settings}), root, claim())
