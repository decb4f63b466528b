"""Materialization: the domain's statements on this engine, and what a reader or a failure sees of them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Event

import pytest

from flowforge_app.replace import replacing
from flowforge_domain.capability import Capability
from flowforge_domain.catalog import kinds
from flowforge_domain.dialect import RelationKind, quote_relation
from flowforge_domain.errors import EngineError, ErrorKind
from flowforge_domain.swap import aside
from flowforge_ports.engine import Engine
from flowforge_testkit.conformance.ground import build, claims, forked, named, rows, transaction

_OTHER: dict[RelationKind, RelationKind] = {"table": "view", "view": "table"}
_KINDS = ("table", pytest.param("view", marks=pytest.mark.flowforge_claims(Capability.VIEWS.name)))
_BUILDS = ("select 1 as a union all select 1", "select 2 as a union all select 2") * 12


def test_plain_select_becomes_a_table(engine: Engine) -> None:
    build(engine, "ff_t", "-- people\nselect 1 as a -- one;\n;")
    assert kinds(engine.catalog.relations()) == {"ff_t": "table"}
    assert rows(engine, "select a from ff_t") == [(1,)]


def test_with_query_becomes_a_table(engine: Engine) -> None:
    build(engine, "ff_t", "with x as (select 1 as a) select a + 1 as a from x")
    assert rows(engine, "select a from ff_t") == [(2,)]


@claims(Capability.VIEWS)
def test_plain_select_becomes_a_view(engine: Engine) -> None:
    build(engine, "ff_t", "select 1 as a")
    build(engine, "ff_v", f"select a + 1 as a from {named(engine, 'ff_t')}", "view")
    engine.session.execute("insert into ff_t select 10")
    assert rows(engine, "select a from ff_v") == [(11,), (2,)]


@pytest.mark.parametrize("head", ["create table ff_t as", "create or replace table ff_t as", 'CREATE TABLE "ff_t"\nAS'])
def test_create_as_is_rewritten_for_the_engine(engine: Engine, head: str) -> None:
    build(engine, "ff_t", f"{head} select 1 as a")
    build(engine, "ff_t", f"{head} select 2 as a")
    assert rows(engine, "select a from ff_t") == [(2,)]


def test_replacing_changes_columns(engine: Engine) -> None:
    build(engine, "ff_t", "select 1 as a, 2 as b")
    build(engine, "ff_t", "select 'x' as c")
    assert [name for name, _ in engine.catalog.columns("ff_t")] == ["c"]


def test_empty_result_keeps_its_columns(engine: Engine) -> None:
    build(engine, "ff_t", "select a, b from (select 1 as a, 'x' as b) as t where a = 0")
    assert [name for name, _ in engine.catalog.columns("ff_t")] == ["a", "b"]
    assert rows(engine, "select a from ff_t") == []


@claims(Capability.VIEWS)
def test_view_replaces_table_and_table_replaces_view(engine: Engine) -> None:
    build(engine, "ff_t", "select 1 as a")
    build(engine, "ff_t", "select 2 as a", "view")
    assert (kinds(engine.catalog.relations()), rows(engine, "select a from ff_t")) == ({"ff_t": "view"}, [(2,)])
    build(engine, "ff_t", "select 3 as a", "view")
    build(engine, "ff_t", "select 4 as a")
    assert (kinds(engine.catalog.relations()), rows(engine, "select a from ff_t")) == ({"ff_t": "table"}, [(4,)])


@claims(Capability.VIEWS)
def test_view_on_a_table_that_is_replaced_works_on_or_the_build_refuses(engine: Engine) -> None:
    build(engine, "ff_t", "select 1 as a, 'x' as b")
    build(engine, "ff_v", f"select a from {named(engine, 'ff_t')}", "view")
    build(engine, "ff_t", "select 2 as a, 'y' as b")
    assert rows(engine, "select a from ff_v") == [(2,)]
    try:
        build(engine, "ff_t", "select 'z' as b")
    except EngineError as error:
        assert error.kind is ErrorKind.DEPENDENTS
        assert "ff_v" in str(error)
        assert rows(engine, "select a from ff_v") == [(2,)]
        return
    claimed = engine.dependents or engine.late_views
    assert claimed is None, "the view cannot be read any more, which the engine has a port to keep from happening"
    assert kinds(engine.catalog.relations()) == {"ff_t": "table", "ff_v": "view"}


@claims(Capability.ATOMIC_REPLACE)
def test_failed_build_leaves_the_old_table(engine: Engine) -> None:
    build(engine, "ff_t", "select 1 as a")
    with pytest.raises(EngineError):
        build(engine, "ff_t", "select a from ff_nowhere")
    assert kinds(engine.catalog.relations()) == {"ff_t": "table"}
    assert rows(engine, "select a from ff_t") == [(1,)]


@claims(Capability.ATOMIC_REPLACE, Capability.VIEWS)
def test_failed_build_leaves_the_old_view(engine: Engine) -> None:
    build(engine, "ff_t", "select 1 as a", "view")
    with pytest.raises(EngineError):
        build(engine, "ff_t", "select a from ff_nowhere")
    assert kinds(engine.catalog.relations()) == {"ff_t": "view"}
    assert rows(engine, "select a from ff_t") == [(1,)]


@claims(Capability.ATOMIC_REPLACE, Capability.VIEWS)
@pytest.mark.parametrize("new", _OTHER)
def test_failed_change_of_kind_leaves_nothing_beside_the_old(engine: Engine, new: RelationKind) -> None:
    build(engine, "ff_t", "select 1 as a", _OTHER[new])
    _fail_built(engine, new, _OTHER[new])
    assert kinds(engine.catalog.relations()) == {"ff_t": _OTHER[new]}
    assert rows(engine, "select a from ff_t") == [(1,)]


@claims(Capability.VIEWS)
@pytest.mark.parametrize("new", _OTHER)
@pytest.mark.parametrize("left", _OTHER)
def test_change_of_kind_that_was_killed_is_in_nobodys_way(
    engine: Engine, left: RelationKind, new: RelationKind
) -> None:
    build(engine, "ff_t", "select 1 as a", _OTHER[new])
    into = _fail_built(engine, new, _OTHER[new])
    # Where the build is in place, or ends with its transaction, a crash leaves nothing.
    if into != "ff_t" and Capability.TRANSACTIONAL_STATE not in engine.capabilities:
        build(engine, into, "select 0 as a", left)
    build(engine, "ff_t", "select 2 as a", new)
    assert kinds(engine.catalog.relations()) == {"ff_t": new}
    assert rows(engine, "select a from ff_t") == [(2,)]


@pytest.mark.parametrize("new", _KINDS)
@pytest.mark.parametrize("was", _KINDS)
def test_what_is_built_beside_has_a_name_that_a_later_run_knows(
    engine: Engine, was: RelationKind, new: RelationKind
) -> None:
    """A kill leaves it there: the next run and `flowforge clean` find it as the helper of its relation."""
    build(engine, "ff_t", "select 1 as a", was)
    assert _fail_built(engine, new, was) in {"ff_t", aside("ff_t")}


@claims(Capability.ATOMIC_REPLACE, Capability.CONCURRENT_SESSIONS)
def test_reader_never_sees_a_table_half_written_or_gone(engine: Engine) -> None:
    build(engine, "ff_t", "select 0 as a union all select 0")
    ended = Event()
    with forked(engine) as second, ThreadPoolExecutor(1) as pool:
        seen = pool.submit(_watch, second, ended)
        try:
            _replace_often(engine)
        finally:
            ended.set()
        assert seen.result() > 0, "the reader read nothing"


def _fail_built(engine: Engine, kind: RelationKind, was: RelationKind) -> str:
    """Fail after `ff_t` was built, before it stands under its name; return the name that it was built under."""
    with suppress(EngineError), transaction(engine), replacing(engine, "ff_t", kind, was) as into:
        statement = f"create {kind} {quote_relation(into, engine.dialect)} as select 2 as a"
        engine.session.execute(statement)
        raise EngineError("planted")
    return into


def _replace_often(engine: Engine) -> None:
    for sql in _BUILDS:
        build(engine, "ff_t", sql)


def _watch(engine: Engine, ended: Event) -> int:
    """Read until told to end: every read finds both rows, of one build."""
    reads = 0
    while not ended.is_set():
        found = rows(engine, "select a from ff_t")
        assert len(found) == 2, f"a reader saw {found}"
        assert found[0] == found[1], f"a reader saw rows of two builds: {found}"
        reads += 1
    return reads
