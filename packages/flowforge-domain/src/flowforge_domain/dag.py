"""The order of nodes: Kahn's algorithm with names as tie-break, so that equal projects run in equal order.

Kahn, A. B. (1962), "Topological sorting of large networks", CACM 5(11).
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Mapping

from flowforge_domain.errors import DependencyNotFoundError, ModelCycleError
from flowforge_domain.model import Node
from flowforge_domain.text import did_you_mean

__all__ = ["downstream", "topo_sort", "upstream", "waits_for"]

_SHOWN = 15


def topo_sort(nodes: Mapping[str, Node], outside: Collection[str] = ()) -> list[str]:
    """Return the names of `nodes`, dependencies first, ties in alphabetical order.

    `outside` are names that may be depended on without being nodes, such as seeds.
    Raises `DependencyNotFoundError` and `ModelCycleError`.
    """
    _require_known(nodes, outside)
    waiting = {name: {d for d in node.deps if d in nodes} for name, node in nodes.items()}
    children = _children(waiting)
    ready = [name for name, deps in waiting.items() if not deps]
    heapq.heapify(ready)
    order: list[str] = []
    while ready:
        name = heapq.heappop(ready)
        order.append(name)
        for child in children.get(name, ()):
            waiting[child].discard(name)
            if not waiting[child]:
                heapq.heappush(ready, child)
    if len(order) < len(nodes):
        raise _cycle(nodes, set(nodes).difference(order))
    return order


def upstream(nodes: Mapping[str, Node], names: Iterable[str], depth: int | None = None) -> set[str]:
    """Return `names` and what they depend on, up to `depth` steps away (None: all)."""
    return _reach({n: [d for d in node.deps if d in nodes] for n, node in nodes.items()}, names, depth)


def downstream(nodes: Mapping[str, Node], names: Iterable[str], depth: int | None = None) -> set[str]:
    """Return `names` and what depends on them, up to `depth` steps away (None: all)."""
    return _reach(_children({n: node.deps for n, node in nodes.items()}), names, depth)


def waits_for(nodes: Mapping[str, Node], chosen: Collection[str]) -> dict[str, set[str]]:
    """Return which of the `chosen` names each of them waits for: its dependencies, also through nodes not chosen.

    Through those too, since one may be a view on what is being built.
    """
    wanted = set(chosen)
    return {name: _nearest(nodes, nodes[name].deps, wanted) for name in chosen}


def _require_known(nodes: Mapping[str, Node], outside: Collection[str]) -> None:
    known = set(nodes).union(outside)
    missing = {
        name: absent
        for name, node in sorted(nodes.items())
        if (absent := sorted({d for d in node.deps if d not in known}))
    }
    if missing:
        wanted = [(name, dep) for name, absent in missing.items() for dep in absent]
        lines = [f"{name}: {dep} ({nodes[name].where(dep)})" for name, dep in wanted]
        # Finding the nearest of thousands of names takes its time: only lines that are shown get a suggestion.
        hints = [did_you_mean(dep, known - {name}) for name, dep in wanted[:_SHOWN]]
        shown = [f"{line} {hint}".rstrip() for line, hint in zip(lines, hints, strict=False)]
        raise DependencyNotFoundError(missing, [*shown, *lines[_SHOWN:]])


def _children(deps: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    children: dict[str, list[str]] = {}
    for name, wanted in deps.items():
        for dep in wanted:
            children.setdefault(dep, []).append(name)
    return children


def _reach(edges: Mapping[str, Iterable[str]], start: Iterable[str], depth: int | None) -> set[str]:
    frontier = set(start)
    seen = set(frontier)
    while frontier and depth != 0:
        frontier = {far for near in frontier for far in edges.get(near, ())} - seen
        seen |= frontier
        depth = None if depth is None else depth - 1
    return seen


def _nearest(nodes: Mapping[str, Node], deps: Iterable[str], chosen: Collection[str]) -> set[str]:
    seen: set[str] = set()
    frontier = list(deps)
    while frontier:
        name = frontier.pop()
        if name not in seen:
            seen.add(name)
            frontier.extend(nodes[name].deps if name in nodes and name not in chosen else ())
    return seen.intersection(chosen)


def _cycle(nodes: Mapping[str, Node], stuck: set[str]) -> ModelCycleError:
    """Walk back along unmet dependencies until a node repeats: that loop is a cycle."""
    path: list[str] = []
    name = min(stuck)
    while name not in path:
        path.append(name)
        name = min(d for d in nodes[name].deps if d in stuck)
    loop = path[path.index(name) :]
    smallest = loop.index(min(loop))
    loop = [*loop[smallest:], *loop[:smallest]]
    steps = zip(loop, [*loop[1:], loop[0]], strict=True)
    return ModelCycleError([*loop, loop[0]], [f"{nodes[a].where(b)} {a} refers to {b}" for a, b in steps])
