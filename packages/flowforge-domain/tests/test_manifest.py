"""How names resolve to relations, and what a wrong one says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from flowforge_domain.errors import ConfigError, DependencyNotFoundError, SelectionError
from flowforge_domain.manifest import (
    Manifest,
    input_relations,
    ref_relation,
    require_distinct,
    run_order,
    source_relation,
    table_relation,
    with_seeds,
)
from flowforge_domain.model import Node, Seed, SourceTable
from flowforge_domain.selection import Selectable, select, selectable_nodes, selection
from flowforge_domain.text import Location

DAILY = Node(
    "daily", "sql", Path("x"), ("users", "countries"), (("crm", "people"),), relation="mart", file="models/daily.ff.sql"
)
USERS = Node("users", "sql", Path("x"), file="models/users.ff.sql")
COUNTRIES = Seed("countries", "csv", Path("x"), "lookup.countries", "seeds/countries.csv")
MANIFEST = Manifest(
    "p",
    Path(),
    {"daily": DAILY, "users": USERS},
    {"countries": COUNTRIES},
    {("crm", "people"): SourceTable("crm", "people", "raw.people")},
)


def test_refs_give_relations_of_nodes_and_seeds():
    assert ref_relation(MANIFEST, "daily") == ref_relation(MANIFEST, "daily.ff") == "mart"
    assert ref_relation(MANIFEST, "countries") == "lookup.countries"
    assert source_relation(MANIFEST, "crm", "people") == "raw.people"
    assert input_relations(MANIFEST, DAILY) == ["users", "lookup.countries", "raw.people"]


def test_check_names_a_node_a_seed_or_a_relation():
    assert [table_relation(MANIFEST, t) for t in ("daily", "countries", "raw.people")] == [
        "mart",
        "lookup.countries",
        "raw.people",
    ]


def test_wrong_ref_says_what_was_meant():
    with pytest.raises(DependencyNotFoundError, match="Did you mean 'users'"):
        ref_relation(MANIFEST, "usres")


def test_wrong_source_says_what_was_meant():
    with pytest.raises(DependencyNotFoundError, match=r"Did you mean 'crm\.people'"):
        source_relation(MANIFEST, "crm", "peple")


def test_run_order_takes_seeds_as_given():
    assert run_order(MANIFEST) == ["users", "daily"]


def test_missing_source_is_told_before_anything_runs():
    wrong = Node("w", "sql", Path("x"), sources=(("crm", "peple"),), file="models/w.ff.sql", lines={"crm.peple": 2})
    with pytest.raises(DependencyNotFoundError) as caught:
        run_order(Manifest("p", Path(), {"w": wrong}, {}, MANIFEST.sources))
    assert caught.value.missing == {"w": ["crm.peple"]}
    assert "w: source crm.peple (models/w.ff.sql:2) Did you mean 'crm.people'?" in str(caught.value)


@pytest.mark.parametrize(
    ("relation", "message", "hint"),
    [
        ("raw.People", "which is the table that it writes itself.", "`this`"),
        ("mart", "which is the table that model 'users' writes.", "ref('users')"),
    ],
)
def test_a_source_that_a_model_makes_is_refused(relation, message, hint):
    daily = replace(DAILY, deps=(), relation=relation, lines={"crm.people": 3})
    users = replace(USERS, relation="raw.people" if relation == "mart" else "users")
    with pytest.raises(ConfigError) as caught:
        run_order(Manifest("p", Path(), {"daily": daily, "users": users}, {}, MANIFEST.sources))
    assert caught.value.message == f"Model 'daily' reads the source crm.people, {message}"
    assert caught.value.where == Location("models/daily.ff.sql", 3)
    assert hint in (caught.value.hint or "")


@pytest.mark.timeout(30)
def test_thousands_of_missing_sources_are_told_at_once():
    keys = [("crm", f"a_rather_long_name_{i:04}") for i in range(3000)]
    nodes = {table: Node(table, "sql", Path("x"), sources=((group, f"{table}_gone"),)) for group, table in keys}
    with pytest.raises(DependencyNotFoundError) as caught:
        run_order(Manifest("p", Path(), nodes, {}, {key: SourceTable(*key, key[1]) for key in keys}))
    assert len(caught.value.missing) == 3000


@pytest.mark.parametrize(
    ("other", "what"),
    [
        (Node("users", "python", Path("y"), relation="else", file="models/b/users.ff.py"), "The name 'users'"),
        (Node("people", "sql", Path("y"), relation="USERS", file="models/people.ff.sql"), "The relation 'USERS'"),
        (Seed("users", "csv", Path("y"), "raw.users", "seeds/users.csv"), "The name 'users'"),
    ],
)
def test_two_of_one_name_or_relation_are_told_with_both_files(other, what):
    nodes, seeds = ([USERS, other], []) if isinstance(other, Node) else ([USERS], [other])
    with pytest.raises(ConfigError, match=what) as caught:
        require_distinct(nodes, seeds)
    assert "models/users.ff.sql" in str(caught.value)
    assert other.file in str(caught.value)


def test_distinct_nodes_and_seeds_are_fine():
    require_distinct(MANIFEST.nodes.values(), MANIFEST.seeds.values())


@pytest.mark.parametrize(
    "relation", ["_flowforge_state", "_FlowForge_x", "mart._flowforge_offsets", 'a."_flowforge_ b"']
)
def test_tables_of_flowforge_itself_are_reserved(relation):
    for nodes, seeds, file in (
        ([Node("n", "sql", Path("x"), relation=relation, file="models/n.ff.sql")], [], "models/n.ff.sql"),
        ([], [Seed("s", "csv", Path("x"), relation, "seeds/s.csv")], "seeds/s.csv"),
    ):
        with pytest.raises(ConfigError, match="is reserved") as caught:
            require_distinct(nodes, seeds)
        assert str(caught.value.where) == file


@pytest.mark.parametrize("relation", ["my_flowforge_state", "_flowforge_.users", "_flowforge"])
def test_other_tables_are_not(relation):
    require_distinct([Node("n", "sql", Path("x"), relation=relation)], [])


def test_a_selection_walks_from_seeds_to_what_reads_them_and_back():
    raw = Seed("people", "csv", Path("x"), "RAW.people", "seeds/people.csv")
    report = Node("report", "sql", Path("x"), ("daily",))
    nodes = {**MANIFEST.nodes, "report": report}
    manifest = replace(MANIFEST, nodes=nodes, seeds={**MANIFEST.seeds, "people": raw})
    graph = with_seeds(manifest)
    assert graph["report"] is report
    models, seeds = selectable_nodes(nodes), {name: Selectable(name) for name in manifest.seeds}
    for seed in ("people", "countries"):
        assert select(models, selection(f"{seed}+"), manifest) == {"daily", "report"}
        assert select(models, selection(f"{seed}+1"), manifest) == {"daily"}
    assert select(models, selection("seeds/people.csv+"), manifest) == {"daily", "report"}
    assert select(seeds, selection("+report"), manifest, "seed") == {"people", "countries"}
    assert select(seeds, selection("people"), manifest, "seed") == {"people"}
    with pytest.raises(SelectionError, match=r"names 1 model, and no seed.\nIt reads no seed."):
        select(seeds, selection("+users"), manifest, "seed")
