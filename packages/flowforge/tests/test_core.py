from __future__ import annotations

import pytest

from flowforge.core import REGISTRY, Registry, ref, relation_for, source
from flowforge.dag import mermaid, topo_sort
from flowforge.docs import render_site
from flowforge.errors import DependencyNotFoundError

ORDER = ["orders", "users", "users_enriched", "mart_orders_enriched", "marts_daily"]


@pytest.fixture
def loaded(example):
    REGISTRY.load_project(example)
    return REGISTRY


def test_nodes_are_sql_and_python_only(loaded):
    assert {name: node.kind for name, node in loaded.nodes.items()} == {
        "users": "sql",
        "orders": "sql",
        "marts_daily": "sql",
        "users_enriched": "python",
        "mart_orders_enriched": "python",
    }


def test_order_and_drawing(loaded):
    assert topo_sort(loaded.nodes) == ORDER
    assert mermaid(loaded.nodes).startswith("flowchart LR")


@pytest.mark.parametrize("spelling", ["marts_daily", "marts_daily.ff", "marts_daily.ff.sql"])
def test_relations(loaded, spelling):
    assert relation_for(spelling) == ref(spelling) == "mart_users"


def test_relations_that_the_environment_names(example, monkeypatch):
    monkeypatch.setenv("MARTS", "prod_marts")
    project = example / "project.yml"
    project.write_text(project.read_text() + "defaults: {schema: \"{{ env_var('MARTS') }}\"}\n")
    REGISTRY.load_project(example)
    assert relation_for("users_enriched") == "prod_marts.users_enriched"


def test_a_seed_may_be_referred_to_and_the_unknown_may_not(loaded):
    assert ref("seed_users") == "seed_users"
    with pytest.raises(DependencyNotFoundError, match="Did you mean 'users'"):
        ref("usrs")


def test_source_names_a_table():
    assert source("crm", "users").key == ("crm", "users")


def test_the_environment_renders_models(loaded):
    assert loaded.env.from_string("{{ ref('marts_daily') }} {{ source('crm', 'users') }}").render() == (
        "mart_users seed_users"
    )
    assert loaded.env is loaded.env


def test_loading_again_replaces_everything(loaded, example):
    environment = loaded.env
    (example / "models" / "extra.ff.sql").write_text("select 1 as n")
    loaded.load_project(str(example))
    assert "extra" in loaded.nodes
    assert loaded.env is not environment


def test_a_registry_of_ones_own(example):
    own = Registry()
    own.load_project(example)
    assert own.nodes.keys() == set(ORDER)
    assert REGISTRY.nodes == {}


def test_a_site_of_nodes_at_hand(loaded, tmp_path):
    page = render_site(tmp_path / "site", loaded.nodes)
    assert page == tmp_path / "site" / "index.html"
    assert "users_enriched" in page.read_text()
