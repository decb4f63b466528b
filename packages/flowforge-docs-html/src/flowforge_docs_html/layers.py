"""Which column each vertex of a graph stands in, and in which order: longest paths, then barycentre sweeps.

Sugiyama, Tagawa, Toda (1981), "Methods for visual understanding of hierarchical system structures".
Vertices are numbers; an edge is a pair of them, from what is read to what reads it.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

Edge = tuple[int, int]
_SWEEPS = 12
_PATIENCE = 4


@dataclass(frozen=True)
class Layered:
    """Columns from left to right, each from top to bottom; `chains` gives the vertices each edge runs through.

    Numbers beyond the real vertices are bends: where a long edge crosses a column.
    """

    columns: list[list[int]]
    chains: list[list[int]]


def layered(vertices: Sequence[int], edges: Sequence[Edge], first_bend: int, most_bends: int) -> Layered:
    """Return columns and order of one connected part; edges that would need too many bends get none."""
    rank = ranks(vertices, edges)
    chains, bend_ranks = _chains(edges, rank, first_bend, most_bends)
    rank |= bend_ranks
    before, after = _neighbours(chains)
    columns = _start(rank, before, after)
    return Layered(_swept(columns, before, after), chains)


def ranks(vertices: Sequence[int], edges: Sequence[Edge]) -> dict[int, int]:
    """Return each vertex's column: behind everything it reads, and what reads nothing close to its first reader."""
    parents: dict[int, int] = dict.fromkeys(vertices, 0)
    children: dict[int, list[int]] = {v: [] for v in vertices}
    for tail, head in edges:
        parents[head] += 1
        children[tail].append(head)
    roots = [v for v in vertices if not parents[v]]
    rank = _longest_paths(parents, children)
    for root in roots:
        rank[root] = min((rank[child] - 1 for child in children[root]), default=0)
    return rank


def crossings(columns: Sequence[Sequence[int]], after: Mapping[int, Sequence[int]]) -> int:
    """Return how many pairs of edges cross between neighbouring columns.

    Edges are read from the top; each crosses those read before that end below it.
    """
    found = 0
    for left, right in pairwise(columns):
        place = {v: i for i, v in enumerate(right)}
        ends: list[int] = []
        for vertex in left:
            heads = sorted([place[head] for head in after.get(vertex, ()) if head in place])
            for head in heads:
                at = bisect_right(ends, head)
                found += len(ends) - at
                ends.insert(at, head)
    return found


def _longest_paths(parents: Mapping[int, int], children: Mapping[int, Sequence[int]]) -> dict[int, int]:
    """Kahn's order; a cycle is entered at its smallest vertex, so that every graph gets some columns."""
    waiting = dict(parents)
    rank = dict.fromkeys(waiting, 0)
    ready = [v for v, count in waiting.items() if not count]
    heapq.heapify(ready)
    while waiting:
        vertex = heapq.heappop(ready) if ready else min(waiting)
        if waiting.pop(vertex, None) is None:
            continue
        for child in children[vertex]:
            if child in waiting:
                rank[child] = max(rank[child], rank[vertex] + 1)
                waiting[child] -= 1
                if not waiting[child]:
                    heapq.heappush(ready, child)
    return rank


def _chains(
    edges: Sequence[Edge], rank: Mapping[int, int], first_bend: int, budget: int
) -> tuple[list[list[int]], dict[int, int]]:
    """Put bends where edges cross columns, shortest edges first until the budget is spent."""
    chains: list[list[int]] = [[] for _ in edges]
    bend_ranks: dict[int, int] = {}
    by_span = sorted(range(len(edges)), key=lambda i: (rank[edges[i][1]] - rank[edges[i][0]], i))
    for i in by_span:
        tail, head = edges[i]
        between = range(rank[tail] + 1, rank[head])
        if len(bend_ranks) + len(between) > budget:
            between = range(0)
        start = first_bend + len(bend_ranks)
        bends = range(start, start + len(between))
        bend_ranks.update(zip(bends, between, strict=True))
        chains[i] = [tail, *bends, head]
    return chains, bend_ranks


def _neighbours(chains: Iterable[Sequence[int]]) -> tuple[dict[int, list[int]], dict[int, list[int]]]:
    before: dict[int, list[int]] = {}
    after: dict[int, list[int]] = {}
    for chain in chains:
        for tail, head in pairwise(chain):
            after.setdefault(tail, []).append(head)
            before.setdefault(head, []).append(tail)
    return before, after


def _start(
    rank: Mapping[int, int], before: Mapping[int, Sequence[int]], after: Mapping[int, Sequence[int]]
) -> list[list[int]]:
    """Walk the graph in depth, so that what hangs together starts out together."""
    columns: list[list[int]] = [[] for _ in range(max(rank.values()) + 1)]
    seen: set[int] = set()
    for root in sorted(rank, key=lambda v: (rank[v], v)):
        stack = [root]
        while stack:
            vertex = stack.pop()
            if vertex in seen:
                continue
            seen.add(vertex)
            columns[rank[vertex]].append(vertex)
            stack += reversed([*before.get(vertex, ()), *after.get(vertex, ())])
    return columns


def _swept(
    columns: list[list[int]], before: Mapping[int, Sequence[int]], after: Mapping[int, Sequence[int]]
) -> list[list[int]]:
    """Order columns by the mean place of their neighbours, right and left in turn; keep the best seen."""
    best, fewest, idle = columns, crossings(columns, after), 0
    for sweep in range(_SWEEPS):
        if not fewest or idle > _PATIENCE:
            break
        columns = _sweep(columns, before) if sweep % 2 == 0 else _sweep(columns[::-1], after)[::-1]
        found = crossings(columns, after)
        idle += 1
        if found < fewest:
            best, fewest, idle = columns, found, 0
    return best


def _sweep(columns: Sequence[list[int]], towards: Mapping[int, Sequence[int]]) -> list[list[int]]:
    place: dict[int, float] = {}
    swept = []
    for column in columns:
        wish = {}
        for i, vertex in enumerate(column):
            seen = [place[n] for n in towards.get(vertex, ()) if n in place]
            wish[vertex] = sum(seen) / len(seen) if seen else (i + 0.5) / len(column)
        ordered = sorted(column, key=wish.__getitem__)
        place |= {v: (i + 0.5) / len(ordered) for i, v in enumerate(ordered)}
        swept.append(ordered)
    return swept
