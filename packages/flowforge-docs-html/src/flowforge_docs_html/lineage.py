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
    chosen = {other: _cut(nodes[other], graph, near) for other, i in graph.models.items() if i in near}
    ids = _ids(graph, near)
    subject = next(key for key, vertex in ids.items() if vertex == graph.models[name])
    return Lineage(flowchart(chosen), depth, ids, subject)


def _near(graph: Graph, start: int) -> tuple[int, set[int]]:
    for depth in _DEPTHS:
        near = reach(graph.parents, start, depth) | reach(graph.children, start, depth)
        if len(near) <= _COMFORTABLE:
            return depth, near
    return 1, {start, *graph.parents[start], *graph.children[start]}


def _cut(node: Node, graph: Graph, near: set[int]) -> Node:
    """Drop what lies outside: `flowchart` would draw it as a seed."""
    places = {**graph.seeds, **graph.models}
    return replace(
        node,
        deps=[d for dep in node.deps if places[d := node_name(dep)] in near],
        sources=tuple(key for key in node.sources if graph.sources[key] in near),
    )


def _ids(graph: Graph, near: set[int]) -> dict[str, int]:
    """Number vertices as `flowchart` does: models, seeds and sources in the order of their names."""
    numbered = (("n", graph.models), ("x", graph.seeds), ("s", graph.sources))
    return {
        f"{letter}{i}": vertex
        for letter, places in numbered
        for i, vertex in enumerate(sorted(near.intersection(places.values())))
    }
