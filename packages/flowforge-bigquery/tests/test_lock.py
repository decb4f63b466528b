"""The lock: who holds it, how long a dead run keeps it, and that nobody frees another's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from google.cloud import bigquery

from flowforge_bigquery.lock import LOCK_TABLE
from flowforge_domain.errors import EngineError, ErrorKind
from flowforge_testkit.conformance.ground import forked
from flowforge_testkit.fakes import claim


def table(engine, ends):
    made = bigquery.Table(f"{engine.session.client.project}.tests.{LOCK_TABLE}")
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
    assert LOCK_TABLE in caught.value.hint


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


def test_lock_that_another_took_over_stays(engine):
    with engine.lock.hold(claim(1)):
        engine.session.client.delete_table(f"tests.{LOCK_TABLE}")
        table(engine, datetime.now(UTC) + timedelta(seconds=60))
    assert engine.session.client.get_table(f"tests.{LOCK_TABLE}").description.startswith("elsewhere")
