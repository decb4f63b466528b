"""Errors: Snowflake's numbers in our words; those that the emulator can provoke are in the conformance suite."""

from __future__ import annotations

import pytest
from snowflake.connector import errors

from flowforge_domain.errors import EngineError, ErrorKind
from flowforge_snowflake.errors import translated

# What Snowflake answers, as its documentation and its connector have it: number, SQLSTATE, text, and our kind.
ANSWERS = [
    (
        2003,
        "42S02",
        "SQL compilation error:\nObject 'FF_X' does not exist or not authorized.",
        "MISSING_RELATION",
    ),
    (
        2043,
        "02000",
        "SQL compilation error:\nObject does not exist, or cannot be used.",
        "MISSING_RELATION",
    ),
    (904, "42000", "SQL compilation error: error line 2 at position 7\ninvalid identifier 'NOPE'", "MISSING_COLUMN"),
    (1003, "42000", "SQL compilation error:\nsyntax error line 1 at position 0 unexpected 'selec'.", "SYNTAX"),
    (2140, "42601", "SQL compilation error:\nUnknown function FOO", "SYNTAX"),
    (3001, "42501", "SQL access control error:\nInsufficient privileges to operate on schema 'X'", "PERMISSION"),
    (100038, "22018", "Numeric value 'many' is not recognized", "DATA"),
    (100051, "22012", "Division by zero", "DATA"),
    (604, "57014", "SQL execution canceled", "STOPPED"),
    (
        630,
        "57014",
        "Statement reached its statement or warehouse timeout and was canceled.",
        "STOPPED",
    ),
    (606, "57P03", "No active warehouse selected in the current session.", "UNREACHABLE"),
    (90105, "22000", "Cannot perform CREATE TABLE. This session does not have a current database.", "UNREACHABLE"),
    (90073, "22000", "Warehouse 'WH' cannot be resumed because resource monitor 'M' has exceeded its quota.", "SPACE"),
    (625, "57014", "Statement was aborted because the number of waiters for this lock exceeds the limit.", "TRANSIENT"),
    (250001, "08001", "Failed to connect to DB: x. Incorrect username or password was specified.", "CREDENTIALS"),
    (250001, "08001", "Failed to connect to DB: x. JWT token is invalid. [abc]", "CREDENTIALS"),
    (250001, "08001", "Could not connect to Snowflake backend after 2 attempt(s).", "UNREACHABLE"),
    (250003, "08001", "Failed to execute request", "TRANSIENT"),
    (251001, "08001", "Account must be specified", "CREDENTIALS"),
    (390144, "08004", "JWT token is invalid.", "CREDENTIALS"),
    (300002, "n/a", "Something of its own", "UNKNOWN"),
]


@pytest.mark.parametrize(("number", "state", "text", "kind"), ANSWERS)
def test_number_has_its_kind(number, state, text, kind):
    with pytest.raises(EngineError) as caught, translated():
        raise errors.ProgrammingError(msg=text, errno=number, sqlstate=state, send_telemetry=False)
    assert caught.value.kind is ErrorKind[kind]
    assert caught.value.message == text
    assert isinstance(caught.value.__cause__, errors.Error)


def test_place_points_into_the_statement():
    with pytest.raises(EngineError) as caught, translated():
        raise errors.ProgrammingError(msg="error line 2 at position 7\ninvalid identifier 'NOPE'", errno=904)
    assert (caught.value.line, caught.value.column) == (2, 8)


def test_every_kind_that_the_user_can_mend_says_how():
    with pytest.raises(EngineError) as caught, translated():
        raise errors.ProgrammingError(msg="Statement reached its timeout", errno=630)
    assert "statement_timeout" in caught.value.hint
