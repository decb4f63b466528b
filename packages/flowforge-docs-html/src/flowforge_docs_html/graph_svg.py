"""The whole graph as SVG, drawn when the site is built: it is seen without scripts, which only add pan and zoom."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from flowforge_docs_html.graph import Graph, Vertex
from flowforge_docs_html.layout import HEIGHT, Box, Layout, Point, layout

MARGIN = 16
_PAGE_WIDTH, _LOWEST, _TALLEST = 1280, 150, 640
_LONGEST_LABEL = 34
# Labels are set in a monospaced font of 12 px, whose advance is 0.6 em nearly everywhere; a little is added for luck.
_ADVANCE = 7.4
_LABEL_LEFT, _LABEL_RIGHT = 27, 12
_MARKS = {
    "sql": "M{x} {y}h8v8h-8z",
    "python": "M{x} {c}a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z",
    "source": "M{m} {t}l5 5l-5 5l-5 -5z",
    "seed": "M{m} {t}l5.5 9.5h-11z",
}
_ROUND = {"sql": 6, "python": 15, "source": 6, "seed": 6}


@dataclass(frozen=True)
class Picture:
    """An SVG drawing and its natural size."""

    svg: Markup
    width: int
    height: int


def draw(graph: Graph, title: str) -> Picture:
    """Lay the graph out and draw it, lines below boxes."""
    labels = [shortened(vertex.label) for vertex in graph.vertices]
    edges = graph.edges
    found = layout([columns(label) * _ADVANCE + _LABEL_LEFT + _LABEL_RIGHT for label in labels], edges)
    width, height = round(found.width) + 2 * MARGIN, round(found.height) + 2 * MARGIN
    head = (
        f'<svg id="graph" class="graph" role="group" aria-label="{escape(title)}" width="100%" '
        f'height="{_stage_height(width, height)}" viewBox="0 0 {width} {height}" '
        f'data-width="{width}" data-height="{height}">'
    )
    lines = _lines(found, edges)
    nodes = _nodes(graph.vertices, labels, found.boxes)
    pieces = [head, '<g class="edges">', *lines, '</g><g class="nodes">', *nodes, "</g></svg>"]
    return Picture(Markup("".join(pieces)), width, height)  # noqa: S704 - every piece is escaped below


def shortened(label: str) -> str:
    """Cut a label that is too long for a box in its middle: beginnings and endings tell names apart."""
    if columns(label) <= _LONGEST_LABEL:
        return label
    head, tail = _LONGEST_LABEL // 2, _LONGEST_LABEL // 2 - 1
    while columns(label[:head]) + columns(label[-tail:]) >= _LONGEST_LABEL and tail > 1:
        head, tail = head - 1, tail - 1
    return f"{label[:head]}…{label[-tail:]}"


def columns(text: str) -> int:
    """Return how many cells of a monospaced font `text` takes."""
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _stage_height(width: int, height: int) -> int:
    """Return how tall the drawing stands in the page: as it is, or as it is once a wide one is shrunk to fit."""
    shrunk = height * min(1.0, _PAGE_WIDTH / width)
    return round(min(max(shrunk, _LOWEST), _TALLEST))


def _lines(found: Layout, edges: Sequence[tuple[int, int]]) -> Iterator[str]:
    for i, route in enumerate(found.routes):
        tail, head = edges[i]
        yield f'<path class="e" data-from="{tail}" data-to="{head}" d="{_path(route)}"/>'


def _path(route: Sequence[Point]) -> str:
    """Join points by curves that leave and arrive level; two points at one height are joined straight."""
    (x, y), *rest = [(round(px + MARGIN, 1), round(py + MARGIN, 1)) for px, py in route]
    steps = [f"M{x:g} {y:g}"]
    for to_x, to_y in rest:
        middle = (x + to_x) / 2
        steps.append(f"H{to_x:g}" if y == to_y else f"C{middle:g} {y:g} {middle:g} {to_y:g} {to_x:g} {to_y:g}")
        x, y = to_x, to_y
    # The head is part of the line: markers cost a browser far more at a thousand lines.
    return "".join([*steps, "m-5 -3.5l5 3.5l-5 3.5"])


def _nodes(vertices: Sequence[Vertex], labels: Sequence[str], boxes: Sequence[Box]) -> Iterator[str]:
    for i, (vertex, label, box) in enumerate(zip(vertices, labels, boxes, strict=True)):
        x, y = round(box.x + MARGIN, 1), round(box.y + MARGIN, 1)
        yield (
            f'<a class="n {vertex.kind}" href="{vertex.href}" data-i="{i}"><title>{escape(vertex.label)}</title>'
            f'<rect x="{x:g}" y="{y:g}" width="{round(box.width, 1):g}" height="{HEIGHT:g}" '
            f'rx="{_ROUND[vertex.kind]}"/>{_mark(vertex.kind, x, y)}'
            f'<text x="{x + _LABEL_LEFT:g}" y="{y + HEIGHT / 2 + 4:g}">{escape(label)}</text></a>'
        )


def _mark(kind: str, x: float, y: float) -> str:
    center = y + HEIGHT / 2
    places = {"x": x + 11, "y": center - 4, "c": center, "m": x + 15, "t": center - (5 if kind == "source" else 5.5)}
    return f'<path d="{_MARKS[kind].format(**{k: f"{v:g}" for k, v in places.items()})}"/>'
