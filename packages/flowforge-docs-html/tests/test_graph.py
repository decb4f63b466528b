"""The graph that pages and picture are made from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from flowforge_docs_html.graph import Vertex, graph_of, reach
from flowforge_domain.manifest import Manifest
from flowforge_domain.model import Node, Seed, SourceTable
from flowforge_ports.docs import SiteContent


def test_models_come_first_and_edges_lead_to_readers(content: SiteContent) -> None:
    graph = graph_of(content.manifest)
    labels = [vertex.label for vertex in graph.vertices]
    assert labels == ["enriched", "marts_daily", "orders", "users", "seed_users", "crm.orders"]
    assert [(labels[a], labels[b]) for a, b in graph.edges] == [
        ("users", "enriched"),
        ("orders", "marts_daily"),
        ("enriched", "marts_daily"),
        ("crm.orders", "orders"),
        ("seed_users", "users"),
    ]


def test_kinds_and_links(content: SiteContent) -> None:
    graph = graph_of(content.manifest)
    assert graph.vertices[0] == Vertex("enriched", "python", "models/enriched.html")
    assert graph.vertices[4] == Vertex("seed_users", "seed", "index.html#seed-seed_users")
    assert graph.vertices[5].anchor == "source-crm.orders"
    assert graph.vertices[0].stem == "enriched"


def test_a_name_nobody_declared_is_a_seed(make_node: Callable[..., Node]) -> None:
    graph = graph_of(Manifest("p", Path("p"), {"a": make_node("a", "b.ff", sources=(("g", "t"),))}))
    assert [(v.label, v.kind) for v in graph.vertices] == [("a", "sql"), ("b", "seed"), ("g.t", "source")]
    assert graph.parents[0] == [1, 2]


def test_sources_whose_names_only_join_to_the_same_text_stay_apart(make_node: Callable[..., Node]) -> None:
    sources = (("a.b", "c"), ("a", "b.c"))
    graph = graph_of(Manifest("p", Path("p"), {"m": make_node("m", sources=sources)}))
    assert len(graph.sources) == 2
    assert len({graph.vertices[i].href for i in graph.sources.values()}) == 2


def test_a_seed_leads_to_the_source_it_fills() -> None:
    seed = Seed("raw_users", "csv", Path("seeds/raw_users.csv"), "raw_users")
    source = SourceTable("crm", "users", "RAW_USERS")
    graph = graph_of(Manifest("p", Path("p"), seeds={"raw_users": seed}, sources={("crm", "users"): source}))
    assert [(graph.vertices[a].label, graph.vertices[b].label) for a, b in graph.edges] == [("raw_users", "crm.users")]


def test_reach_stops_at_its_depth() -> None:
    children = [[1], [2], [3], []]
    assert reach(children, 0, 2) == {0, 1, 2}
    assert reach(children, 3, 5) == {3}
