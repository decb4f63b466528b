"""The methods of a term, intersections, `@`, named selectors, and the algebra of it all against plain sets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowforge_domain.config import ModelConfig
from flowforge_domain.errors import ConfigError, SelectionError
from flowforge_domain.manifest import Manifest
from flowforge_domain.model import Node, Seed, SourceTable
from flowforge_domain.selectable import SelectionContext
from flowforge_domain.selection import select, selectable_nodes, selected_nodes, selection
from flowforge_domain.selectors import Selector, require_selectors
from flowforge_domain.text import Location


def node(name, deps=(), kind="sql", sources=(), **config):
    return Node(
        name, kind, Path(name), deps, sources, config=ModelConfig(**config), file=f"models/{name}.ff.{kind[:2]}"
    )


#   people → stg_users → mart_daily → report       shop.orders → stg_orders → mart_daily
NODES = [
    node("stg_users", ["people"], tags=("nightly",), owner="core team", meta={"team": {"name": "crm"}, "pii": True}),
    node("stg_orders", sources=(("shop", "orders"),), materialized="view", tags=("team:sales",)),
    node("mart_daily", ["stg_users", "stg_orders"], "python", tags=("nightly",), owner="bi"),
    node("report", ["mart_daily"], materialized="incremental", unique_key=("id", "day"), owner="bi"),
    node("alone", sources=(("shop", "visits"),), full_refresh=False),
]
PROJECT = Manifest(
    "shop",
    Path(),
    {each.name: each for each in NODES},
    {"people": Seed("people", "csv", Path(), "people", "seeds/people.csv")},
    {("shop", name): SourceTable("shop", name, name) for name in ("orders", "visits")},
    selectors={
        "marts": Selector("marts", ("mart_* report",)),
        "plain": Selector("plain", (), ("selector:marts",), where=Location("project.yml", 9)),
        "nobody": Selector("nobody", ("tag:nothing",), where=Location("project.yml", 12)),
    },
)
ALL = {each.name for each in NODES}


def chosen(include=None, exclude=None, selector=None, **context):
    wanted = selection(include, exclude, selector, SelectionContext(**context))
    return " ".join(sorted(select(selectable_nodes(PROJECT.nodes), wanted, PROJECT)))


@pytest.mark.parametrize(
    ("include", "names"),
    [
        ("stg_*", "stg_orders stg_users"),
        ("?lone", "alone"),
        ("[am]*", "alone mart_daily"),
        ("name:report", "report"),
        ("name:*_daily", "mart_daily"),
        ("tag:nightly", "mart_daily stg_users"),
        ("tag:night*", "mart_daily stg_users"),
        ("team:sales", "stg_orders"),  # a tag is a tag, whatever stands before its colon
        ("tag:team:sales", "stg_orders"),
        ("path:models/mart*", "mart_daily"),
        ("path:models", "alone mart_daily report stg_orders stg_users"),
        ("owner:bi", "mart_daily report"),
        ("owner:core*", "stg_users"),
        ("kind:python", "mart_daily"),
        ("kind:seed+1", "stg_users"),
        ("config.materialized:view", "stg_orders"),
        ("config:materialized:incremental", "report"),
        ("config.meta.team.name:crm", "stg_users"),
        ("config:meta.pii:true", "stg_users"),
        ("config.unique_key:day", "report"),
        ("config.full_refresh:false", "alone"),
        ("source:shop.orders+1", "stg_orders"),
        ("source:shop+", "alone mart_daily report stg_orders"),
        ("1+mart_daily", "mart_daily stg_orders stg_users"),
        ("@stg_users", "mart_daily report stg_orders stg_users"),
        ("@people", "mart_daily report stg_orders stg_users"),
        ("@tag:team:sales", "mart_daily report stg_orders stg_users"),
        ("tag:nightly,owner:bi", "mart_daily"),
        ("+report,stg_users+", "mart_daily report stg_users"),
        ("kind:sql,+report alone", "alone report stg_orders stg_users"),
        ("selector:marts", "mart_daily report"),
        ("selector:marts,owner:bi,kind:sql", "report"),
        ("1+selector:marts", "mart_daily report stg_orders stg_users"),
        ("selector:plain", "alone stg_orders stg_users"),
    ],
)
def test_methods(include, names):
    assert chosen(include) == names


def test_a_selector_by_its_option_is_one_more_of_the_union():
    assert chosen(selector="marts") == "mart_daily report"
    assert chosen("alone", selector=["marts"]) == "alone mart_daily report"
    assert chosen(exclude="report", selector="marts") == "mart_daily"


@pytest.mark.parametrize(
    ("include", "message"),
    [
        ("tga:nightly", "There is no method 'tga' in 'tga:nightly'.\nDid you mean 'tag:'?"),
        ("@report+", "'@report+' has both @ and +.\nDid you mean '@report'? It follows both ways."),
        ("@1+report", "'@1+report' has both @ and +.\nDid you mean '@report'? It follows both ways."),
        ("tag:nightli", "No model matches 'tag:nightli'.\nDid you mean 'nightly'?"),
        ("name:nowhere_at_all", "No model matches 'name:nowhere_at_all'.\nKnown: "),
        ("owner:boi", "No model matches 'owner:boi'.\nDid you mean 'bi'?"),
        ("kind:pyton", "No model matches 'kind:pyton'.\nDid you mean 'python'?"),
        ("source:shop.order", "No model matches 'source:shop.order'.\nDid you mean 'shop.orders'?"),
        (
            "config.materialised:view",
            "There is no setting 'materialised' for 'config.materialised:view'.\nDid you mean",
        ),
        ("config.materialized:veiw", "No model matches 'config.materialized:veiw'.\nDid you mean 'view'?"),
        ("config:materialized", "'config:materialized' names nothing.\nWrite config.materialized:view."),
        ("tag:", "'tag:' names nothing.\nWrite tag:VALUE."),
        ("tag.x:nightly", "The method in 'tag.x:nightly' takes no '.x'.\nWrite tag:nightly."),
        ("state:modifed", "There is no state 'modifed'.\nDid you mean 'modified'?"),
        ("result:fail", "There is no result 'fail'.\nDid you mean 'failed'?"),
        ("state:new", "'state:new' has nothing to compare with.\nAdd --state DIR"),
        ("state:changed", "'state:changed' has nothing to compare with.\nAdd --changed-since"),
        ("result:failed", "'result:failed' has nothing to compare with.\nRun something first"),
        ("selector:mart", "There is no selector 'mart'.\nDid you mean 'marts'?"),
        ("selector:nobody", "project.yml:12: No model matches 'tag:nothing'."),
        ("a,,b", "'a,,b' is not a selection.\nWrite NAME"),
        ("tag:nightly,kind:nothing", "No model matches 'kind:nothing'."),
        ("kind:python,owner:core*", "The selection leaves no model."),
        ("source:shop.orders", "The selection names 1 source, and no model."),
    ],
)
def test_what_names_nothing_is_told_with_what_was_meant(include, message):
    with pytest.raises(SelectionError) as caught:
        chosen(include)
    assert str(caught.value).startswith(message)


MODIFIED = {
    "stg_users": frozenset({"body"}),
    "stg_orders": frozenset(),
    "mart_daily": frozenset({"config", "macros"}),
    "report": None,
    "alone": frozenset(),
}


@pytest.mark.parametrize(
    ("state", "names"),
    [
        ("new", "report"),
        ("old", "alone mart_daily stg_orders stg_users"),
        ("modified", "mart_daily report stg_users"),
        ("unmodified", "alone stg_orders"),
        ("modified.body", "stg_users"),
        ("modified.config", "mart_daily"),
        ("modified.macros", "mart_daily"),
        ("modified.body+1", "mart_daily stg_users"),
    ],
)
def test_states_compare_with_another_manifest(state, names):
    assert chosen(f"state:{state}", modified=MODIFIED) == names


def test_an_unmodified_project_has_nothing_modified_but_that_is_no_misspelling():
    same = dict.fromkeys(ALL, frozenset())
    with pytest.raises(SelectionError, match="leaves no model"):
        chosen("state:modified", modified=same)
    assert chosen("state:modified report", modified=same) == "report"
    assert chosen(exclude="state:modified", modified=same) == " ".join(sorted(ALL))


def test_results_are_those_of_the_last_run():
    results = {"stg_users": "failed", "mart_daily": "skipped", "stg_orders": "built"}
    assert chosen("result:failed result:skipped", results=results) == "mart_daily stg_users"
    assert chosen("result:error", results=results) == "stg_users"
    assert chosen("result:failed+", results=results) == "mart_daily report stg_users"
    assert chosen("result:unfinished result:not_run", results={"alone": "not run", "report": "unfinished"}) == (
        "alone report"
    )


def test_changes_since_a_commit_narrow_a_selection_unless_it_speaks_of_them():
    changed = frozenset({"stg_users", "report", "people"})
    assert chosen(changed=changed) == "report stg_users"
    assert chosen("owner:bi", changed=changed) == "report"
    assert chosen("state:changed+", changed=changed) == "mart_daily report stg_users"
    assert chosen("owner:bi,state:changed", changed=changed) == "report"
    with pytest.raises(SelectionError, match="leaves no model") as caught:
        chosen(changed=frozenset())
    assert "changed since that commit" in caught.value.hint
    wanted = selection(None, context=SelectionContext(changed=changed))
    assert [each.name for each in selected_nodes(PROJECT, wanted)] == ["stg_users", "report"]


def selectors(**texts):
    places = [Location("project.yml", line) for line in range(len(texts))]
    return {name: Selector(name, (texts[name],), where=where) for name, where in zip(texts, places, strict=True)}


def test_selectors_that_use_each_other_in_a_circle_are_refused():
    require_selectors(selectors(a="x,selector:b +selector:c", b="tag:y", c="selector:b+"))
    with pytest.raises(ConfigError, match="in a circle: b → c → b") as caught:
        require_selectors(selectors(a="selector:b", b="@selector:c,x", c="y selector:b+"))
    assert caught.value.where == Location("project.yml", 1)
    itself = {"a": Selector("a", (), ("selector:a",))}
    with pytest.raises(ConfigError, match="a → a"):
        require_selectors(itself)


def test_a_selector_that_does_not_exist_is_told_when_the_project_is_read():
    with pytest.raises(ConfigError, match="uses 'marst', which does not exist") as caught:
        require_selectors(selectors(marts="x", a="selector:marst"))
    assert caught.value.hint == "Did you mean 'marts'?"


@pytest.mark.parametrize("select", [(), ("",), ("x", " ")])
def test_a_selector_that_says_nothing_is_refused(select):
    with pytest.raises(ConfigError, match="'a' says nothing"):
        require_selectors({"a": Selector("a", select)})
    require_selectors({"a": Selector("a", (), ("x",))})


def test_selectors_that_double_at_every_step_do_not_take_long():
    chain = {f"s{i}": f"selector:s{i + 1} selector:s{i + 1}" for i in range(40)} | {"s40": "report"}
    project = replace(PROJECT, selectors=selectors(**chain))
    assert select(selectable_nodes(PROJECT.nodes), selection("selector:s0"), project) == {"report"}


def test_a_very_long_chain_of_selectors_is_refused():
    chain = {f"s{i}": f"selector:s{i + 1}" for i in range(2_000)} | {"s2000": "report"}
    with pytest.raises(ConfigError, match="too many steps"):
        require_selectors(selectors(**chain))


# --- The algebra, against plain sets --------------------------------------------------------------------------------

ATOMS = {
    "stg_users": {"stg_users"},
    "tag:nightly": {"stg_users", "mart_daily"},
    "owner:bi": {"mart_daily", "report"},
    "kind:sql": {"stg_users", "stg_orders", "report", "alone"},
    "stg_*": {"stg_users", "stg_orders"},
    "+mart_daily": {"stg_users", "stg_orders", "mart_daily"},
    "mart_daily+": {"mart_daily", "report"},
    "selector:plain": {"stg_users", "stg_orders", "alone"},
    "config.materialized:view": {"stg_orders"},
}
ATOM = st.sampled_from(sorted(ATOMS))
FACTORS = st.lists(ATOM, min_size=1, max_size=3)
TEXTS = st.lists(st.lists(FACTORS, min_size=1, max_size=3), max_size=3)


def text_of(union):
    return " ".join(",".join(factors) for factors in union)


def set_of(texts):
    return set().union(*(set.intersection(*(ATOMS[atom] for atom in factors)) for union in texts for factors in union))


@given(TEXTS, TEXTS)
def test_terms_are_the_sets_they_stand_for(include, exclude):
    expected = (set_of(include) if include else ALL) - set_of(exclude)
    if expected:
        assert chosen([text_of(u) for u in include], [text_of(u) for u in exclude]) == " ".join(sorted(expected))
    else:
        with pytest.raises(SelectionError, match="leaves no model"):
            chosen([text_of(u) for u in include], [text_of(u) for u in exclude])
