"""Errors: what a user did wrong, told by kind, with the driver's own error behind it."""

from __future__ import annotations

import pytest

from flowforge_domain.capability import Capability
from flowforge_domain.errors import EngineError, ErrorKind
from flowforge_ports.engine import Engine
from flowforge_testkit.conformance.ground import build, claims, fails, named

_BY_KIND = {
    "select a from ff_nowhere": ErrorKind.MISSING_RELATION,
    "insert into ff_nowhere select 1": ErrorKind.MISSING_RELATION,
    "select missing_one from ff_t": ErrorKind.MISSING_COLUMN,
    "select t.missing_one from ff_t as t": ErrorKind.MISSING_COLUMN,
    "selec a from ff_t": ErrorKind.SYNTAX,
    "select a a a from ff_t": ErrorKind.SYNTAX,
    "select (a from ff_t": ErrorKind.SYNTAX,
}


@pytest.mark.parametrize(("sql", "kind"), _BY_KIND.items())
def test_error_of_a_statement_has_its_kind(engine: Engine, sql: str, kind: ErrorKind) -> None:
    build(engine, "ff_t", "select 1 as a")
    with fails(kind):
        engine.session.execute(sql)
    engine.session.rollback()


@pytest.mark.parametrize(("sql", "kind"), [item for item in _BY_KIND.items() if item[0].startswith("sel")])
def test_error_of_a_query_has_its_kind(engine: Engine, sql: str, kind: ErrorKind) -> None:
    build(engine, "ff_t", "select 1 as a")
    with fails(kind):
        engine.session.query(sql)


def test_error_is_chained_from_the_drivers_own(engine: Engine) -> None:
    with pytest.raises(EngineError) as caught:
        engine.session.query("select a from ff_nowhere")
    assert caught.value.__cause__ is not None
    assert not isinstance(caught.value.__cause__, EngineError)
    assert "ff_nowhere" in caught.value.message.casefold()


def test_error_points_into_the_statement_or_nowhere(engine: Engine) -> None:
    with pytest.raises(EngineError) as caught:
        engine.session.query("select 1 as a\n\nfrm somewhere")
    assert caught.value.line in {0, 3}, f"line {caught.value.line}"
    assert len(str(caught.value).splitlines()) <= 15


@claims(Capability.VIEWS)
def test_view_of_a_missing_table_is_an_error_when_read(engine: Engine) -> None:
    """Some engines refuse the view itself, some only reading it: never neither."""
    with fails(ErrorKind.MISSING_RELATION):
        build(engine, "ff_v", f"select a from {named(engine, 'ff_nowhere')}", "view")
        engine.session.query("select a from ff_v")
