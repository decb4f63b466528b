"""A source that a seed stands in for, as `init` writes it: what others do to its table is seen, on a DuckDB file."""

from __future__ import annotations

import duckdb
import pytest

from flowforge import Project


@pytest.fixture
def shop(new_project):
    return new_project(
        {
            "sources.yml": "raw:\n  orders: {identifier: seed_orders}\n",
            "seeds/seed_orders.csv": "amount\n5\n7\n",
            "models/total.ff.sql": "select sum(amount) as amount from {{ source('raw', 'orders') }}\n",
        }
    )


def built(shop):
    """Run, and return the amount that stands and whether it was built just now."""
    with Project.load(shop) as project:
        (result,) = project.run().results
        return int(project.show("total").rows[0][0]), result.status.value


def seed(shop):
    with Project.load(shop) as project:
        assert project.seed().results


def others_write(shop):
    with duckdb.connect(str(shop / "shop.duckdb")) as connection:
        connection.execute("update seed_orders set amount = 1")


def test_what_others_write_is_built_and_so_is_what_is_loaded_over_it(shop):
    seed(shop)
    assert built(shop) == (12, "built")
    assert built(shop) == (12, "unchanged")
    seed(shop)
    assert built(shop) == (12, "unchanged")
    others_write(shop)
    assert built(shop) == (2, "built")
    assert built(shop) == (2, "unchanged")
    seed(shop)
    assert built(shop) == (12, "built")
    assert built(shop) == (12, "unchanged")
    others_write(shop)
    seed(shop)
    assert built(shop)[0] == 12
    seed(shop)
    assert built(shop) == (12, "unchanged")


def test_a_python_model_is_built_again_where_its_source_is_another_table(in_shell, new_project):
    head = "from flowforge import model, source\n\n@model(name='p', deps=[source('crm', 'users')])\n"
    code = f"{head}def p(users):\n    return users\n"
    root = new_project({"sources.yml": "crm:\n  users: {identifier: ra}\n", "models/p.ff.py": code})
    with duckdb.connect(root / "shop.duckdb") as own:
        own.execute("create table ra as select 1 as v; create table rb as select 2 as v")
    assert "built: 1" in in_shell("flowforge run", root).stdout
    assert "skipped (unchanged)" in in_shell("flowforge run", root).stdout
    (root / "sources.yml").write_text("crm:\n  users: {identifier: rb}\n", encoding="utf-8")
    assert "reads" in in_shell("flowforge why p", root).stdout
    assert "built: 1" in in_shell("flowforge run", root).stdout
