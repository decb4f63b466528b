"""The Mermaid text around one model, and what each of its boxes is."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from flowforge_docs_html.graph import graph_of
from flowforge_docs_html.lineage import Lineage, lineage
from flowforge_domain.manifest import Manifest
from flowforge_domain.model import Node, Seed, SourceTable
from flowforge_ports.docs import SiteContent


def _around(manifest: Manifest, name: str) -> tuple[Lineage, dict[str, str]]:
    graph = graph_of(manifest)
    found = lineage(graph, manifest.nodes, name)
    return found, {key: graph.vertices[i].label for key, i in found.ids.items()}


def _labels(text: str) -> dict[str, str]:
    return dict(re.findall(r'^  (\w+)[\[(]+"(.*)"[\])]+:::', text, flags=re.MULTILINE))


def test_ids_are_those_of_the_text(content: SiteContent) -> None:
    found, ids = _around(content.manifest, "marts_daily")
    assert ids == _labels(found.text)
    assert ids[found.subject] == "marts_daily"
    assert set(ids.values()) == {"marts_daily", "enriched", "orders", "users", "seed_users", "crm.orders"}


def test_what_lies_outside_is_neither_drawn_nor_taken_for_a_seed(make_node: Callable[..., Node]) -> None:
    line = [f"m{i}" for i in range(60)]
    nodes = {name: make_node(name, *line[max(i - 1, 0) : i], sources=(("s", name),)) for i, name in enumerate(line)}
    found, ids = _around(Manifest("p", Path("p"), nodes), "m30")
    assert found.depth == 3
    assert sorted(v for v in ids.values() if v[0] == "m") == ["m27", "m28", "m29", "m30", "m31", "m32", "m33"]
    assert ids == _labels(found.text)
    assert ":::seed" not in found.text


def test_a_busy_neighbourhood_shrinks_to_the_neighbours(make_node: Callable[..., Node]) -> None:
    nodes = {"hub": make_node("hub")} | {f"m{i}": make_node(f"m{i}", "hub") for i in range(100)}
    found, ids = _around(Manifest("p", Path("p"), nodes), "hub")
    assert found.depth == 1
    assert len(ids) == 101
    assert found.is_drawn
    one, _ = _around(Manifest("p", Path("p"), nodes), "m1")
    assert set(one.ids) == {"n0", "n1"}


def test_a_huge_neighbourhood_is_text_only(make_node: Callable[..., Node]) -> None:
    nodes = {"hub": make_node("hub")} | {f"m{i}": make_node(f"m{i}", "hub") for i in range(150)}
    found, _ = _around(Manifest("p", Path("p"), nodes), "hub")
    assert not found.is_drawn
    assert found.text.count(":::sql") == 151


def test_a_seed_that_only_fills_a_source_does_not_shift_the_ids(make_node: Callable[..., Node]) -> None:
    seeds = {name: Seed(name, "csv", Path(name), name) for name in ("a_filling", "b_read")}
    sources = {("s", "t"): SourceTable("s", "t", "a_filling")}
    nodes = {"m": make_node("m", "b_read", sources=(("s", "t"),))}
    found, ids = _around(Manifest("p", Path("p"), nodes, seeds, sources), "m")
    assert ids == _labels(found.text) == {"n0": "m", "x0": "b_read", "s0": "s.t"}


def test_a_model_alone_is_its_own_neighbourhood(make_node: Callable[..., Node]) -> None:
    found, ids = _around(Manifest("p", Path("p"), {"a": make_node("a")}), "a")
    assert ids == {"n0": "a"}
    assert found.subject == "n0"
