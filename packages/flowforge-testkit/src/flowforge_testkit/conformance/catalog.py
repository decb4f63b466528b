"""Catalogs: what exists, under which name, with which columns."""

from __future__ import annotations

from flowforge_domain.capability import Capability
from flowforge_domain.catalog import kinds
from flowforge_domain.errors import ErrorKind
from flowforge_ports.engine import Engine
from flowforge_testkit.conformance.ground import build, build_inside, claims, count, drop, fails, named


def test_empty_target_has_no_relations(engine: Engine) -> None:
    assert engine.catalog.relations() == {}


def test_relations_lists_tables(engine: Engine) -> None:
    build(engine, "ff_one", "select 1 as a")
    build(engine, "ff_two", "select 1 as a")
    assert kinds(engine.catalog.relations()) == {"ff_one": "table", "ff_two": "table"}


@claims(Capability.VIEWS)
def test_relations_tells_views_from_tables(engine: Engine) -> None:
    build(engine, "ff_t", "select 1 as a")
    build(engine, "ff_v", f"select a from {named(engine, 'ff_t')}", "view")
    assert kinds(engine.catalog.relations()) == {"ff_t": "table", "ff_v": "view"}


def test_relations_sees_the_open_transaction(engine: Engine) -> None:
    engine.session.begin()
    build_inside(engine, "ff_t", "select 1 as a")
    assert "ff_t" in engine.catalog.relations()
    engine.session.commit()


def test_relations_forgets_what_was_dropped(engine: Engine) -> None:
    build(engine, "ff_t", "select 1 as a")
    drop(engine, "ff_t")
    assert engine.catalog.relations() == {}


def test_relations_folds_case_but_the_table_is_found(engine: Engine) -> None:
    build(engine, "FF_Mixed", "select 1 as a")
    assert kinds(engine.catalog.relations()) == {"ff_mixed": "table"}
    assert count(engine, "FF_Mixed") == 1


def test_relations_shows_schemas_as_the_session_addresses_them(engine: Engine) -> None:
    """An engine without schemas refuses the name instead of writing somewhere else."""
    if not engine.dialect.schemas:
        with fails(ErrorKind.MISSING_RELATION):
            build(engine, "ff_schema.ff_t", "select 1 as a")
        assert engine.catalog.relations() == {}
        return
    build(engine, "ff_schema.ff_t", "select 1 as a union all select 2")
    build(engine, "ff_t", "select 1 as a")
    assert kinds(engine.catalog.relations()) == {"ff_schema.ff_t": "table", "ff_t": "table"}
    assert [name for name, _ in engine.catalog.columns("ff_schema.ff_t")] == ["a"]
    assert count(engine, "ff_schema.ff_t") == 2


def test_columns_keeps_order_and_names(engine: Engine) -> None:
    build(engine, "ff_t", "select 1 as zeta, 'x' as alpha, 2.5 as middle")
    columns = engine.catalog.columns("ff_t")
    assert [name for name, _ in columns] == ["zeta", "alpha", "middle"]
    assert all(isinstance(kind, str) for _, kind in columns)


def test_identity_stays_with_a_relation_that_is_left_alone(engine: Engine) -> None:
    build(engine, "ff_t", "select 1 as a")
    before = engine.catalog.relations()["ff_t"]
    build(engine, "ff_u", "select 1 as a")
    assert engine.catalog.relations()["ff_t"] == before


def test_identity_tells_another_relation_of_the_same_name(engine: Engine) -> None:
    """An engine that has no cheap identity says so with "", and never the same for two different tables."""
    build(engine, "ff_t", "select 1 as a")
    before = engine.catalog.relations()["ff_t"].identity
    drop(engine, "ff_t")
    build(engine, "ff_t", "select 'x' as b, 2 as c")
    after = engine.catalog.relations()["ff_t"].identity
    assert (before == "" == after) or before != after


def test_a_count_that_the_catalog_keeps_is_exact(engine: Engine) -> None:
    build(engine, "ff_t", "select 1 as a union all select 2 union all select 3")
    assert engine.catalog.relations()["ff_t"].rows in (None, 3)


@claims(Capability.VIEWS)
def test_columns_of_a_view(engine: Engine) -> None:
    build(engine, "ff_v", "select 1 as a, 2 as b", "view")
    assert [name for name, _ in engine.catalog.columns("ff_v")] == ["a", "b"]


def test_columns_of_nothing_is_a_missing_relation(engine: Engine) -> None:
    with fails(ErrorKind.MISSING_RELATION):
        engine.catalog.columns("ff_nowhere")
