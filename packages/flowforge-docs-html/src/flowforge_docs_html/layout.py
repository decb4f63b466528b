"""Where the boxes and lines of a graph go: columns from left to right, parts below each other, singles in rows.

Pure and deterministic: the same graph gives the same picture. `layers.py` decides columns and order, this file
the coordinates. Measures are in pixels at scale 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, sqrt

from flowforge_docs_html.layers import Edge, Layered, layered

HEIGHT = 30.0
_ROW_GAP, _BEND_GAP, _COLUMN_GAP, _WRAPPED_GAP, _PART_GAP = 14.0, 10.0, 64.0, 36.0, 34.0
_ROWS_BEFORE_WRAP = 30
_BENDS_PER_VERTEX = 3
_PASSES = 6

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Box:
    """A vertex's rectangle."""

    x: float
    y: float
    width: float
    height: float = HEIGHT


@dataclass(frozen=True)
class Layout:
    """A box for each vertex, and for each edge the points it runs through, both in the order they were given."""

    boxes: Sequence[Box]
    routes: Sequence[Sequence[Point]]
    width: float
    height: float


@dataclass
class _Part:
    """A connected part while it is placed; it starts at (0, 0)."""

    boxes: dict[int, Box]
    routes: dict[int, list[Point]]
    width: float
    height: float


def layout(widths: Sequence[float], edges: Sequence[Edge]) -> Layout:
    """Place vertices of these widths and route the edges between them."""
    parts, singles = _parts(len(widths), edges)
    placed = [_place(vertices, [(i, edges[i]) for i in inside], widths) for vertices, inside in parts]
    room = max([sqrt(2.2 * sum(p.width * p.height for p in placed)), *(p.width for p in placed), 900.0])
    placed += [_Part({v: Box(0, 0, widths[v])}, {}, widths[v], HEIGHT) for v in singles]
    return _packed(placed, room, len(widths), len(edges))


def _parts(count: int, edges: Sequence[Edge]) -> tuple[list[tuple[list[int], list[int]]], list[int]]:
    """Split into connected parts, the largest first, each with its edges, and vertices that stand alone."""
    owner = _owners(count, edges)
    members: dict[int, list[int]] = {}
    for vertex in range(count):
        members.setdefault(owner[vertex], []).append(vertex)
    inside: dict[int, list[int]] = {root: [] for root in members}
    for i, (tail, _) in enumerate(edges):
        inside[owner[tail]].append(i)
    roots = sorted((r for r in members if len(members[r]) > 1), key=lambda r: (-len(members[r]), r))
    return [(members[r], inside[r]) for r in roots], [r for r in members if len(members[r]) == 1]


def _owners(count: int, edges: Iterable[Edge]) -> list[int]:
    """Return the smallest vertex connected to each (union-find with halved paths)."""
    owner = list(range(count))

    def root(vertex: int) -> int:
        while owner[vertex] != vertex:
            owner[vertex] = vertex = owner[owner[vertex]]
        return vertex

    for tail, head in edges:
        one, other = sorted((root(tail), root(head)))
        owner[other] = one
    return [root(vertex) for vertex in range(count)]


def _place(vertices: Sequence[int], edges: Sequence[tuple[int, Edge]], widths: Sequence[float]) -> _Part:
    """Place one connected part."""
    bends = _BENDS_PER_VERTEX * len(vertices) + 200
    found = layered(vertices, [edge for _, edge in edges], len(widths), bends)
    rows, tall = _rows(found, len(vertices), len(widths))
    heights = {v: HEIGHT if v < len(widths) else _BEND_GAP for column in found.columns for v in column}
    middle = _middles(rows, found, heights, tall)
    boxes, spans, width = _boxes(rows, middle, widths)
    routes = {i: _route(chain, boxes, spans, middle) for (i, _), chain in zip(edges, found.chains, strict=True)}
    height = max((box.y + box.height for box in boxes.values()), default=0)
    return _Part(boxes, routes, width, max(height, *(y for route in routes.values() for _, y in route)))


def _rows(found: Layered, count: int, first_bend: int) -> tuple[list[list[list[int]]], bool]:
    """Cut columns into rows: one vertex a row, or several where a column would be far taller than the whole is wide.

    Bends are dropped where columns wrap: lines then run straight, below the boxes.
    """
    limit = max(_ROWS_BEFORE_WRAP, ceil(sqrt(2.8 * count)))
    real = [[v for v in column if v < first_bend] for column in found.columns]
    if max(map(len, real)) <= limit:
        return [[[v] for v in column] for column in found.columns], False
    wide = [ceil(len(column) / limit) for column in real]
    return [[c[i : i + w] for i in range(0, len(c), max(w, 1))] for c, w in zip(real, wide, strict=True)], True


def _middles(
    columns: Sequence[Sequence[Sequence[int]]], found: Layered, heights: dict[int, float], wrapped: bool
) -> dict[int, float]:
    """Give every row a height above which it hangs near its neighbours: several passes, right and left in turn."""
    near: dict[int, list[int]] = {}
    for chain in found.chains:
        links = [chain[0], chain[-1]] if wrapped else chain
        for tail, head in pairwise(links):
            near.setdefault(tail, []).append(head)
            near.setdefault(head, []).append(tail)
    side = {v: i for i, column in enumerate(columns) for row in column for v in row}
    middle: dict[int, float] = {}
    for turn in range(_PASSES):
        order = range(len(columns)) if turn % 2 == 0 else range(len(columns) - 1, -1, -1)
        last = turn >= _PASSES - 2
        for index in order:
            step = 0 if last else (1 if turn % 2 else -1)
            _settle(columns[index], index, step, near, side, heights, middle)
    top = min(middle[v] - heights[v] / 2 for v in middle)
    return {v: y - top for v, y in middle.items()}


def _settle(
    column: Sequence[Sequence[int]],
    index: int,
    step: int,
    near: dict[int, list[int]],
    side: dict[int, int],
    heights: dict[int, float],
    middle: dict[int, float],
) -> None:
    """Move the rows of one column as near to their neighbours as their order and sizes allow."""
    offsets = _offsets([heights[row[0]] for row in column])
    wishes = []
    for row, offset in zip(column, offsets, strict=True):
        wanted = [middle[n] for v in row for n in near.get(v, ()) if n in middle and _is_on(side[n] - index, step)]
        stay = middle.get(row[0], offset)
        wishes.append((sum(wanted) / len(wanted) if wanted else stay) - offset)
    for row, offset, wish in zip(column, offsets, _isotonic(wishes), strict=True):
        middle.update(dict.fromkeys(row, wish + offset))


def _is_on(distance: int, step: int) -> bool:
    """Tell whether a neighbour lies on the side that is looked at: -1 left, 1 right, 0 both."""
    return distance * step > 0 or not step


def _offsets(heights: Sequence[float]) -> list[float]:
    """Return the middles of boxes stacked as tight as allowed."""
    offsets: list[float] = []
    for i, height in enumerate(heights):
        gap = 0.0 if i == 0 else offsets[-1] + (heights[i - 1] + height) / 2
        offsets.append(gap + (_ROW_GAP if i else height / 2))
    return offsets


def _isotonic(wishes: Sequence[float]) -> list[float]:
    """Return the non-decreasing values nearest to `wishes` by least squares (pool adjacent violators)."""
    blocks: list[tuple[float, int]] = []
    for wish in wishes:
        total, size = wish, 1
        while blocks and blocks[-1][0] / blocks[-1][1] >= total / size:
            before = blocks.pop()
            total, size = total + before[0], size + before[1]
        blocks.append((total, size))
    return [total / size for total, size in blocks for _ in range(size)]


def _boxes(
    columns: Sequence[Sequence[Sequence[int]]], middle: dict[int, float], widths: Sequence[float]
) -> tuple[dict[int, Box], dict[int, tuple[float, float]], float]:
    """Give columns their x; `spans` tells from where to where a bend runs straight."""
    boxes: dict[int, Box] = {}
    spans: dict[int, tuple[float, float]] = {}
    x = 0.0
    for column in columns:
        cells = max(map(len, column), default=0)
        real = [v for row in column for v in row if v < len(widths)]
        width = max((widths[v] for v in real), default=0.0)
        for row in column:
            for place, vertex in enumerate(row):
                left = x + place * (width + _WRAPPED_GAP)
                spans[vertex] = (left, left + width)
                if vertex < len(widths):
                    boxes[vertex] = Box(left, middle[vertex] - HEIGHT / 2, width)
        x += cells * (width + _WRAPPED_GAP) - _WRAPPED_GAP + _COLUMN_GAP
    return boxes, spans, x - _COLUMN_GAP


def _route(
    chain: Sequence[int], boxes: dict[int, Box], spans: dict[int, tuple[float, float]], middle: dict[int, float]
) -> list[Point]:
    """Leave a box at its right, pass the bends, enter a box at its left."""
    tail, head = boxes[chain[0]], boxes[chain[-1]]
    points = [(tail.x + tail.width, middle[chain[0]])]
    for bend in chain[1:-1]:
        if bend in middle:
            points += [(x, middle[bend]) for x in spans[bend]]
    return [*points, (head.x, middle[chain[-1]])]


def _packed(parts: Sequence[_Part], room: float, vertices: int, edges: int) -> Layout:
    """Set parts side by side on shelves of width `room`."""
    boxes: list[Box] = [Box(0, 0, 0)] * vertices
    routes: list[list[Point]] = [[] for _ in range(edges)]
    x = y = shelf = right = 0.0
    for part in parts:
        if x and x + part.width > room:
            x, y, shelf = 0.0, y + shelf + _gap(shelf), 0.0
        for vertex, box in part.boxes.items():
            boxes[vertex] = Box(box.x + x, box.y + y, box.width)
        for i, route in part.routes.items():
            routes[i] = [(px + x, py + y) for px, py in route]
        right = max(right, x + part.width)
        shelf = max(shelf, part.height)
        x += part.width + _PART_GAP
    return Layout(boxes, routes, right, y + shelf)


def _gap(shelf: float) -> float:
    """Return the gap below a shelf: singles stand closer than parts."""
    return _ROW_GAP if shelf <= HEIGHT else _PART_GAP
