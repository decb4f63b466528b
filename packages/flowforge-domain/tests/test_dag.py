"""The order of nodes against a naive oracle; cycles and missing dependencies told with file and line."""

from __future__ import annotations

import itertools
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowforge_domain.dag import downstream, topo_sort, upstream, waits_for
from flowforge_domain.errors import DependencyNotFoundError, ModelCycleError
from flowforge_domain.model import Node

NAMES = [f"n{i}" for i in range(12)]


def node(name, *deps, lines=None):
    return Node(name, "sql", Path(f"models/{name}.ff.sql"), deps, file=f"models/{name}.ff.sql", lines=lines or {})


def graph(**deps):
    return {name: node(name, *wanted) for name, wanted in deps.items()}


@st.composite
def acyclic(draw):
    """Nodes that depend on names later in a shuffled list only, given in another order again."""
    names = draw(st.permutations(NAMES))
    edges = {name: draw(st.lists(st.sampled_from(names[:i]), max_size=4)) if i else [] for i, name in enumerate(names)}
    return {name: node(name, *edges[name]) for name in draw(st.permutations(names))}


any_graph = st.dictionaries(st.sampled_from(NAMES), st.lists(st.sampled_from(NAMES), max_size=3), min_size=1).map(
    lambda edges: {name: node(name, *(d for d in deps if d in edges)) for name, deps in edges.items()}
)


def naive_order(nodes):
    """Take the alphabetically first node whose dependencies are all taken, until none is left."""
    order = []
    while len(order) < len(nodes):
        ready = [name for name in nodes if name not in order and all(d in order for d in nodes[name].deps)]
        if not ready:
            return None
        order.append(min(ready))
    return order


@given(acyclic())
def test_order_is_the_naive_one(nodes):
    assert topo_sort(nodes) == naive_order(nodes)


@given(acyclic(), st.randoms(use_true_random=False))
def test_order_does_not_depend_on_how_nodes_and_deps_are_listed(nodes, chance):
    mixed = {
        name: node(name, *chance.sample(nodes[name].deps, len(nodes[name].deps))) for name in shuffled(nodes, chance)
    }
    assert topo_sort(mixed) == topo_sort(nodes)


@given(any_graph)
def test_cycle_is_found_exactly_where_there_is_one(nodes):
    expected = naive_order(nodes)
    if expected is not None:
        assert topo_sort(nodes) == expected
        return
    with pytest.raises(ModelCycleError) as caught:
        topo_sort(nodes)
    cycle = caught.value.cycle
    assert cycle[0] == cycle[-1] == min(cycle)
    assert len(set(cycle)) == len(cycle) - 1
    assert all(b in nodes[a].deps for a, b in itertools.pairwise(cycle))


@given(any_graph, st.randoms(use_true_random=False))
def test_cycle_is_the_same_however_nodes_are_listed(nodes, chance):
    assert outcome(nodes) == outcome({name: nodes[name] for name in shuffled(nodes, chance)})


def test_cycle_names_file_and_line_of_each_reference():
    nodes = {
        "a": node("a", "b", lines={"b": 3}),
        "b": node("b", "c", lines={"c": 7}),
        "c": node("c", "a", lines={"a": 1}),
        "fine": node("fine"),
    }
    with pytest.raises(ModelCycleError) as caught:
        topo_sort(nodes)
    assert str(caught.value).splitlines() == [
        "Cycle detected among nodes: a → b → c → a",
        "  models/a.ff.sql:3 a refers to b",
        "  models/b.ff.sql:7 b refers to c",
        "  models/c.ff.sql:1 c refers to a",
        "Remove one of these references.",
    ]


def test_node_that_refers_to_itself_is_a_cycle():
    with pytest.raises(ModelCycleError) as caught:
        topo_sort(graph(a=["a"]))
    assert caught.value.cycle == ["a", "a"]


def test_nodes_behind_a_cycle_are_not_part_of_it():
    with pytest.raises(ModelCycleError) as caught:
        topo_sort(graph(a=["x"], x=["y"], y=["x"], z=["a"]))
    assert caught.value.cycle == ["x", "y", "x"]


def test_long_cycle_stays_within_fifteen_lines():
    names = [f"n{i:03}" for i in range(100)]
    nodes = {name: node(name, names[i - 1]) for i, name in enumerate(names)}
    with pytest.raises(ModelCycleError) as caught:
        topo_sort(nodes)
    assert len(str(caught.value).splitlines()) == 15
    assert str(caught.value).endswith("Remove one of these references.")


def test_missing_dependencies_are_listed_per_node_with_what_was_meant():
    nodes = {
        "users": node("users"),
        "orders": node("orders", "usres", "users", lines={"usres": 2}),
        "marts": node("marts", "seed_x", "orders", "nothing_like_it", lines={"seed_x": 1, "nothing_like_it": 9}),
    }
    with pytest.raises(DependencyNotFoundError) as caught:
        topo_sort(nodes, outside=["seed_y"])
    assert caught.value.missing == {"marts": ["nothing_like_it", "seed_x"], "orders": ["usres"]}
    message = str(caught.value)
    assert "orders: usres (models/orders.ff.sql:2) Did you mean 'users'?" in message
    assert "marts: seed_x (models/marts.ff.sql:1) Did you mean 'seed_y'?" in message
    assert "Known: orders, seed_y, users." in message


@pytest.mark.timeout(30)
def test_thousands_of_missing_dependencies_are_told_at_once():
    """Each search for what was meant looks at every name: it is made for those that are shown only."""
    names = [f"a_rather_long_name_{i:04}" for i in range(3000)]
    nodes = {name: node(name, f"{name}_gone") for name in names}
    with pytest.raises(DependencyNotFoundError) as caught:
        topo_sort(nodes)
    assert len(caught.value.missing) == 3000
    assert "Did you mean" in str(caught.value)


def test_outside_names_may_be_depended_on_and_are_not_sorted():
    assert topo_sort(graph(a=["seed"], b=["a"]), outside={"seed"}) == ["a", "b"]


def test_deep_graph_is_sorted_without_recursion():
    names = [f"n{i:05}" for i in range(10_000)]
    nodes = {name: node(name, *names[i - 1 : i]) for i, name in enumerate(names)}
    assert topo_sort(nodes) == names
    assert len(upstream(nodes, [names[-1]])) == len(downstream(nodes, [names[0]])) == 10_000


def test_empty_graph_has_an_empty_order():
    assert topo_sort({}) == []


@given(acyclic(), st.sampled_from(NAMES), st.integers(0, 4))
def test_upstream_and_downstream_mirror_each_other(nodes, name, depth):
    assert upstream(nodes, [name], depth) == {n for n in nodes if name in downstream(nodes, [n], depth)}
    assert upstream(nodes, [name], 0) == {name}
    assert upstream(nodes, [name]) == upstream(nodes, [name], len(nodes))


def shuffled(nodes, chance: random.Random):
    names = sorted(nodes)
    chance.shuffle(names)
    return names


def outcome(nodes):
    try:
        return topo_sort(nodes)
    except ModelCycleError as error:
        return error.cycle


def test_chosen_names_wait_for_each_other_also_through_one_that_is_not_chosen():
    nodes = graph(a=[], b=["a"], c=["b"], d=["c", "a"], other=[])
    assert waits_for(nodes, ["a", "c", "d"]) == {"a": set(), "c": {"a"}, "d": {"a", "c"}}
    assert waits_for(nodes, ["other", "d"]) == {"other": set(), "d": set()}
