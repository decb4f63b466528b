"""What the pages say, as plain values: templates only place them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePath
from typing import Any

from flowforge_docs_html.graph import Graph, Vertex, graph_of
from flowforge_docs_html.graph_svg import draw
from flowforge_docs_html.lineage import Lineage, lineage
from flowforge_docs_html.richtext import first_line
from flowforge_domain.checks import Check
from flowforge_domain.config import ModelConfig
from flowforge_domain.manifest import Manifest, table_relation
from flowforge_domain.model import Node
from flowforge_domain.relation import same_relation
from flowforge_ports.docs import SiteContent

KINDS = (("sql", "SQL model"), ("python", "Python model"), ("source", "Source"), ("seed", "Seed"))


@dataclass(frozen=True)
class Book:
    """The whole site's content with what every page needs to look up."""

    content: SiteContent

    @property
    def manifest(self) -> Manifest:
        """The project."""
        return self.content.manifest

    @cached_property
    def graph(self) -> Graph:
        """The project's graph."""
        return graph_of(self.manifest)

    @cached_property
    def checks(self) -> Mapping[str, Sequence[Check]]:
        """The tests on each relation."""
        found: dict[str, list[Check]] = {}
        for check in self.manifest.checks:
            found.setdefault(same_relation(table_relation(self.manifest, check.table)), []).append(check)
        return found

    def links(self, vertices: Iterable[int]) -> list[Vertex]:
        """Return vertices in the order of their names."""
        return sorted((self.graph.vertices[i] for i in vertices), key=lambda v: (v.label, v.kind))


def overview(book: Book) -> dict[str, Any]:
    """Return what `index.html` shows."""
    graph, manifest = book.graph, book.manifest
    rows = [_row(book, name) for name in graph.models]
    counts = [("models", len(rows)), ("sources", len(graph.sources)), ("seeds", len(graph.seeds))]
    counts += [("tests", len(manifest.checks)), ("edges", sum(map(len, graph.parents)))]
    return {
        **_frame(book, root=""),
        "description": manifest.description,
        "counts": counts,
        "rows": rows,
        "tags": sorted({tag for node in manifest.nodes.values() for tag in node.config.tags}),
        "kinds": [(kind, label) for kind, label in KINDS if any(v.kind == kind for v in graph.vertices)],
        "picture": draw(graph, f"Graph of {manifest.name}"),
        "sources": [_source(book, key) for key in graph.sources],
        "seeds": [_seed(book, name) for name in graph.seeds],
        "data": {
            "edges": graph.edges,
            "tags": [sorted(manifest.nodes[name].config.tags) for name in graph.models],
        },
    }


def model_pages(book: Book) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return the path and the values of each model's page."""
    for name, index in book.graph.models.items():
        yield book.graph.vertices[index].href, _model(book, book.manifest.nodes[name], index)


def _frame(book: Book, root: str) -> dict[str, Any]:
    """Return what every page needs; `root` leads from the page to the site's root."""
    content = book.content
    return {
        "root": root,
        "project": content.manifest.name,
        "engine": content.engine,
        "environment": content.environment,
        "kind_labels": dict(KINDS),
    }


def _row(book: Book, name: str) -> dict[str, Any]:
    node = book.manifest.nodes[name]
    index = book.graph.models[name]
    return {
        "vertex": book.graph.vertices[index],
        "node": node,
        "config": node.config,
        "deps": [book.graph.vertices[i] for i in book.graph.parents[index]],
        "summary": first_line(node.config.description),
    }


def _source(book: Book, key: tuple[str, str]) -> dict[str, Any]:
    index = book.graph.sources[key]
    table = book.manifest.sources.get(key)
    return {
        "vertex": book.graph.vertices[index],
        "relation": table.relation if table else "",
        "description": table.description if table else "",
        "readers": book.links(book.graph.children[index]),
    }


def _seed(book: Book, name: str) -> dict[str, Any]:
    index = book.graph.seeds[name]
    seed = book.manifest.seeds.get(name)
    return {
        "vertex": book.graph.vertices[index],
        "relation": seed.relation if seed else "",
        "file": shown_file(seed.file, seed.path, book.manifest.root) if seed else "",
        "description": seed.options.description if seed else "",
        "readers": book.links(book.graph.children[index]),
    }


def _model(book: Book, node: Node, index: int) -> dict[str, Any]:
    around = lineage(book.graph, book.manifest.nodes, node.name)
    vertices = book.graph.vertices
    return {
        **_frame(book, root="../"),
        "node": node,
        "config": node.config,
        "vertex": vertices[index],
        "file": shown_file(node.file, node.path, book.manifest.root),
        "meta": spelled(node.config.meta),
        "requires": {relation: sorted(columns) for relation, columns in sorted(node.requires.items())},
        "columns": [(name, column, spelled(column.meta)) for name, column in node.config.columns.items()],
        "parents": book.links(book.graph.parents[index]),
        "children": book.links(book.graph.children[index]),
        "checks": [(check, spelled(check.parameters)) for check in _checks(book, node)],
        "code": book.content.code.get(node.name, ""),
        "compiled": book.content.compiled.get(node.name, ""),
        "compiled_note": _compiled_note(node.config),
        "lineage": around,
        "data": _lineage_data(around, vertices),
    }


def _compiled_note(config: ModelConfig) -> str:
    """Say of a model whose rows stay what is done with those that its query gives; nothing of one that is replaced."""
    if config.is_replaced:
        return ""
    if config.materialized == "snapshot":
        return "This is the query. A run compares its rows with the table's, and adds the versions that are new."
    by = config.writes_by if config.materialized == "incremental" else config.materialized
    return f"This is the query from scratch. A run brings its rows into the table by {by}."


def _checks(book: Book, node: Node) -> list[Check]:
    found = book.checks.get(same_relation(node.relation), ())
    return sorted(found, key=lambda check: (check.column, check.type))


def _lineage_data(around: Lineage, vertices: Sequence[Vertex]) -> dict[str, Any]:
    return {"subject": around.subject, "links": {key: f"../{vertices[i].href}" for key, i in around.ids.items()}}


def shown_file(file: str, path: PurePath, root: PurePath) -> str:
    """Return a path inside the project, or only the file's name: where the project lies is nobody's business."""
    if file and not PurePath(file).is_absolute():
        return file
    absolute = PurePath(file or path)
    if not absolute.is_absolute():
        return absolute.as_posix()
    return absolute.relative_to(root).as_posix() if absolute.is_relative_to(root) else absolute.name


def spelled(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return settings as text: strings as they are, anything else as JSON."""
    return [(str(key), value if isinstance(value, str) else _as_json(value)) for key, value in values.items()]


def _as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    return sorted(map(str, value)) if isinstance(value, (set, frozenset)) else str(value)
