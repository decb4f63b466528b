"""The lock: who holds it, how long a dead run keeps it, and that nobody frees another's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from google.cloud import bigquery

from flowforge_domain.errors import EngineError, ErrorKind
from flowforge_ports.lease import LEASE_TABLE
from flowforge_testkit.conformance.ground import forked
from flowforge_testkit.fakes import claim


def table(engine, ends):
    made = bigquery.Table(f"{engine.session.client.project}.tests.{LEASE_TABLE}")
    made.description, made.expires = "elsewhere, process 1, 0", ends
    return engine.session.client.create_table(made)


def test_the_holder_is_named(engine):
    with (
        forked(engine) as second,
        engine.lock.hold(claim(1)),
        pytest.raises(EngineError) as caught,
        second.lock.hold(claim(0)),
    ):
        pytest.fail("two hold it")
    assert caught.value.kind is ErrorKind.CONFLICT
    assert str(claim().holder) in caught.value.message
    assert LEASE_TABLE in caught.value.hint


def test_lock_that_has_expired_is_free(engine):
    table(engine, datetime.now(UTC) - timedelta(seconds=5))
    with engine.lock.hold(claim(5)):
        pass


def test_lock_of_a_living_run_is_not(engine):
    table(engine, datetime.now(UTC) + timedelta(seconds=60))
    with pytest.raises(EngineError, match="elsewhere, process 1"), engine.lock.hold(claim(0)):
        pytest.fail("two hold it")


def test_lock_is_gone_after_its_block_and_no_relation(engine):
    with pytest.raises(ZeroDivisionError), engine.lock.hold(claim(1)):
        assert engine.catalog.relations() == {}
        raise ZeroDivisionError
    with engine.lock.hold(claim(0)):
        pass


def test_run_whose_lock_another_took_over_is_told_and_leaves_it(engine):
    with pytest.raises(EngineError, match="was lost during the run") as caught, engine.lock.hold(claim(1)):
        engine.session.client.delete_table(f"tests.{LEASE_TABLE}")
        table(engine, datetime.now(UTC) + timedelta(seconds=60))
    assert engine.session.client.get_table(f"tests.{LEASE_TABLE}").description.startswith("elsewhere")
    assert caught.value.kind is ErrorKind.CONFLICT


def test_run_whose_lock_is_gone_is_told(engine):
    with pytest.raises(EngineError, match="was lost during the run"), engine.lock.hold(claim(1)):
        engine.session.client.delete_table(f"tests.{LEASE_TABLE}")


def test_nobody_puts_off_the_end_of_anothers_lock(engine):
    ends = datetime.now(UTC) + timedelta(seconds=60)
    ours = table(engine, ends)
    engine.lock.renew("us")
    assert abs(engine.session.client.get_table(ours).expires - ends) < timedelta(seconds=1)
    engine.lock.renew(ours.description)
    assert engine.session.client.get_table(ours).expires > ends


def test_of_two_that_take_an_expired_lock_over_one_gets_it(engine):
    found = table(engine, datetime.now(UTC) - timedelta(seconds=5))
    asked = engine.session.client._connection.api_request
    sent = []
    engine.session.client._connection.api_request = lambda **given: sent.append(given) or asked(**given)
    assert engine.lock._taken_over("us")
    # BigQuery writes only to what is still as it was found; the emulator does not look.
    assert [given["headers"]["If-Match"] for given in sent if given["method"] == "PATCH"] == [found.etag]
