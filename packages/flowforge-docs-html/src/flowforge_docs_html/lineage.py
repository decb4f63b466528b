"""The graph around one model as Mermaid text, and which page each of its boxes stands for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from flowforge_docs_html.graph import Graph, reach
from flowforge_domain.mermaid import flowchart
from flowforge_domain.model import Node, node_name

_COMFORTABLE, _MOST = 40, 150
_DEPTHS = (3, 2)


@dataclass(frozen=True)
class Lineage:
    """A neighbourhood: Mermaid text, how far it reaches, and the vertex behind each Mermaid id."""

    text: str
    depth: int
    ids: Mapping[str, int]
    subject: str

    @property
    def is_drawn(self) -> bool:
        """Whether a browser draws it in reasonable time."""
        return len(self.ids) <= _MOST


def lineage(graph: Graph, nodes: Mapping[str, Node], name: str) -> Lineage:
    """Return the widest neighbourhood of a model that is still comfortable to read; its neighbours at least."""
    depth, near = _near(graph, graph.models[name])
    models = [i for i in near if i < len(graph.models)]
    # `flowchart` draws what models read; a seed that only fills a source is not in its text.
    near &= {*models, *(parent for i in models for parent in graph.parents[i])}
    chosen = [graph.vertices[i].label for i in models]
    ids = _ids(graph, near)
    subject = next(key for key, vertex in ids.items() if vertex == graph.models[name])
    return Lineage(flowchart({other: _cut(nodes[other], graph, near) for other in chosen}), depth, ids, subject)


def _near(graph: Graph, start: int) -> tuple[int, set[int]]:
    for depth in _DEPTHS:
        near = reach(graph.parents, start, depth) | reach(graph.children, start, depth)
        if len(near) <= _COMFORTABLE:
            return depth, near
    return 1, {start, *graph.parents[start], *graph.children[start]}


def _cut(node: Node, graph: Graph, near: set[int]) -> Node:
    """Drop what lies outside: `flowchart` would draw it as a seed."""
    deps = [name for dep in node.deps if graph.place(name := node_name(dep)) in near]
    sources = tuple(key for key in node.sources if graph.sources[key] in near)
    if deps == list(node.deps) and sources == node.sources:
        return node
    return replace(node, deps=deps, sources=sources)


def _ids(graph: Graph, near: set[int]) -> dict[str, int]:
    """Number vertices as `flowchart` does: models, seeds and sources in the order of their names."""
    ids: dict[str, int] = {}
    groups = ("n", len(graph.models)), ("x", len(graph.seeds)), ("s", len(graph.sources))
    ordered, start, end = sorted(near), 0, 0
    for letter, size in groups:
        start, end = end, end + size
        ids |= {f"{letter}{i}": v for i, v in enumerate(v for v in ordered if start <= v < end)}
    return ids
