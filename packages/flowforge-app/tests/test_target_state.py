from __future__ import annotations

from dataclasses import replace

import pytest

from flowforge_app.target_state import TargetState, closing
from flowforge_domain.catalog import CatalogEntry
from flowforge_domain.state import STATE_TABLE, StateRow


def row(relation, run_id):
    return StateRow(relation, relation, run_id, "data", "print", 1, "2024-01-01T00:00:00")


@pytest.fixture
def rewriting(world):
    """An engine that deletes no rows: to remove some, the whole table is written anew."""
    return replace(world.engine, dialect=replace(world.engine.dialect, deletes=False))


class Listed:
    """A catalog that counts how often it is asked, and tells identities or none."""

    def __init__(self, catalog, identity):
        self.catalog, self.identity, self.asked = catalog, identity, 0

    def relations(self):
        self.asked += 1
        return {name: replace(entry, identity=self.identity) for name, entry in self.catalog.relations().items()}


@pytest.mark.parametrize(("identity", "asked"), [("", 1), ("i", 2)])
def test_a_catalog_that_tells_no_identities_is_asked_once_a_run(world, identity, asked):
    world.given({"x": "select 1 as n"}).run()
    catalog = Listed(world.engine.catalog, identity)
    engine = replace(world.engine, catalog=catalog)
    world.given({"x": "select 2 as n"}).run(engine=engine)
    assert (catalog.asked, world.rows("select n from x")) == (asked, [(2,)])
    assert [each.status.value for each in world.run(engine=engine).results] == ["unchanged"]


@pytest.mark.parametrize(("built", "rewrites"), [("a", True), ("b", False)])
def test_state_table_is_written_anew_only_where_a_row_of_it_is_void(rewriting, built, rewrites):
    found = TargetState({STATE_TABLE: CatalogEntry("table")}, {"a": row("a", "1")})
    statements = closing(rewriting, "2", [row(built, "2")], found)
    assert any(statement.startswith("drop table") for statement in statements) is rewrites
