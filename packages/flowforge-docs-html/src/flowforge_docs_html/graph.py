"""The project as a graph of models, seeds and sources, each with the page or anchor that tells about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from flowforge_docs_html.names import safe_names
from flowforge_domain.manifest import Manifest
from flowforge_domain.model import Node, node_name
from flowforge_domain.relation import relation_name, same_relation
from flowforge_domain.source import SourceKey


@dataclass(frozen=True, slots=True)
class Vertex:
    """One box of the graph; `kind` is sql, python, seed or source, `href` is seen from the site's root."""

    label: str
    kind: str
    href: str

    @property
    def anchor(self) -> str:
        """The fragment of `href`, by which a seed or source is found on the overview."""
        return self.href.partition("#")[2]

    @property
    def stem(self) -> str:
        """The name of a model's page without its folder and ending."""
        return self.href.removeprefix("models/").removesuffix(".html")


@dataclass(frozen=True)
class Graph:
    """Vertices, models first, and the edges between their indices, from what is read to what reads it."""

    vertices: Sequence[Vertex]
    parents: Sequence[Sequence[int]]
    children: Sequence[Sequence[int]]
    models: Mapping[str, int]
    seeds: Mapping[str, int]
    sources: Mapping[SourceKey, int]

    @property
    def edges(self) -> list[tuple[int, int]]:
        """Every edge, in the order of what reads."""
        return [(parent, child) for child, parents in enumerate(self.parents) for parent in parents]

    def place(self, name: str) -> int:
        """Return the vertex of a model or seed."""
        return self.models[name] if name in self.models else self.seeds[name]


def graph_of(manifest: Manifest) -> Graph:
    """Return the graph; a name that no model gives is a seed, declared or not."""
    nodes = manifest.nodes
    models = {name: i for i, name in enumerate(sorted(nodes))}
    named = {node_name(d) for node in nodes.values() for d in node.deps if node_name(d) not in nodes}
    seeds = {name: i for i, name in enumerate(sorted({*manifest.seeds, *named}), len(models))}
    keys = {*manifest.sources, *(key for node in nodes.values() for key in node.sources)}
    sources = {key: i for i, key in enumerate(sorted(keys), len(models) + len(seeds))}
    vertices = [*_models(nodes, models), *_seeds(seeds), *_sources(sources)]
    parents: list[list[int]] = [[] for _ in vertices]
    for name, index in models.items():
        deps = [node_name(dep) for dep in nodes[name].deps]
        read = [models[dep] if dep in models else seeds[dep] for dep in deps]
        parents[index] = list(dict.fromkeys([*read, *(sources[key] for key in nodes[name].sources)]))
    loaded = {same_relation(seed.relation): seeds[name] for name, seed in manifest.seeds.items()}
    for key, source in manifest.sources.items():
        # A source that a seed fills: without this edge the seed would look unused.
        parents[sources[key]] = [loaded[r]] if (r := same_relation(source.relation)) in loaded else []
    return Graph(vertices, parents, _children(parents), models, seeds, sources)


def reach(edges: Sequence[Sequence[int]], start: int, depth: int) -> set[int]:
    """Return `start` and what lies up to `depth` steps away along `edges` (parents or children)."""
    seen = frontier = {start}
    for _ in range(depth):
        frontier = {far for near in frontier for far in edges[near]} - seen
        seen = seen | frontier
    return seen


def _models(nodes: Mapping[str, Node], models: Mapping[str, int]) -> Iterator[Vertex]:
    stems = safe_names(models)
    for name in models:
        yield Vertex(name, "sql" if nodes[name].kind == "sql" else "python", f"models/{stems[name]}.html")


def _seeds(seeds: Mapping[str, int]) -> list[Vertex]:
    stems = safe_names(seeds)
    return [Vertex(name, "seed", f"index.html#seed-{stems[name]}") for name in seeds]


def _sources(sources: Mapping[SourceKey, int]) -> list[Vertex]:
    """Anchor sources by their quoted name: `a.b` + `c` and `a` + `b.c` read the same, and are two."""
    stems = safe_names(relation_name(*key) for key in sources)
    return [Vertex(".".join(key), "source", f"index.html#source-{stems[relation_name(*key)]}") for key in sources]


def _children(parents: Sequence[Sequence[int]]) -> list[list[int]]:
    children: list[list[int]] = [[] for _ in parents]
    for child, found in enumerate(parents):
        for parent in found:
            children[parent].append(child)
    return children
