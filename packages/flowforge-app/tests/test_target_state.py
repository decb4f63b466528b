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


@pytest.mark.parametrize(("built", "rewrites"), [("a", True), ("b", False)])
def test_state_table_is_written_anew_only_where_a_row_of_it_is_void(rewriting, built, rewrites):
    found = TargetState({STATE_TABLE: CatalogEntry("table")}, {"a": row("a", "1")})
    statements = closing(rewriting, "2", [row(built, "2")], found)
    assert any(statement.startswith("drop table") for statement in statements) is rewrites
