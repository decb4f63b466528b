"""Selecting nodes: by name, tag or path, with `+` for what lies upstream or downstream.

A term is `[n+]NAME[+n]`: an exact name first, then a tag, then a path pattern. `2+x` adds two steps upstream,
`x+` everything downstream. Several terms are a union.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from flowforge_domain.dag import downstream, upstream
from flowforge_domain.errors import SelectionError
from flowforge_domain.model import Node, node_name
from flowforge_domain.text import did_you_mean

_TERM = re.compile(r"(?P<up>\d*\+)?(?P<value>[^+]*(?:\+[^+\d][^+]*)*)(?P<down>\+\d*)?\Z")


@dataclass(frozen=True, slots=True)
class Selectable:
    """What can be selected: a name, its tags, and the file it stands in (relative to the project)."""

    name: str
    tags: tuple[str, ...] = ()
    file: str = ""


@dataclass(frozen=True, slots=True)
class Selection:
    """What the user asked for; no `include` means everything."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


EVERYTHING = Selection()


def selection(include: Iterable[str] | str | None, exclude: Iterable[str] | str | None = None) -> Selection:
    """Return a selection from what a command line or a caller gives; spaces separate terms."""
    return Selection(_terms(include), _terms(exclude))


def select(
    items: Mapping[str, Selectable], wanted: Selection, nodes: Mapping[str, Node], what: str = "model"
) -> set[str]:
    """Return the names of `items` that are selected; `+` follows the graph of `nodes`.

    Raises `SelectionError` when a term, or the whole selection, names nothing.
    """
    chosen = set(items)
    if wanted.include:
        chosen = set().union(*(_match(term, items, nodes, what) for term in wanted.include))
    for term in wanted.exclude:
        chosen -= _match(term, items, nodes, what)
    if not chosen and (wanted.include or wanted.exclude):
        raise SelectionError(f"The selection leaves no {what}.", hint="Drop --exclude, or select more.")
    return chosen


def selectable_nodes(nodes: Mapping[str, Node]) -> dict[str, Selectable]:
    """Return the nodes as things that can be selected."""
    return {name: Selectable(name, node.config.tags, node.file) for name, node in nodes.items()}


def _terms(given: Iterable[str] | str | None) -> tuple[str, ...]:
    listed: Sequence[str] = [given] if isinstance(given, str) else list(given or ())
    return tuple(term for text in listed for term in text.split())


def _match(term: str, items: Mapping[str, Selectable], nodes: Mapping[str, Node], what: str) -> set[str]:
    found = _TERM.match(term)
    if found is None or not found["value"]:
        raise SelectionError(f"{term!r} is not a selection.", hint="Write NAME, +NAME, NAME+ or 2+NAME.")
    if term in items:
        return {term}
    direct = _direct(found["value"], items)
    if not direct:
        known = [*items, *(tag for item in items.values() for tag in item.tags)]
        hint = did_you_mean(found["value"], known)
        raise SelectionError(f"No {what} matches {term!r}.", hint=hint or "The project has none.")
    chosen = set(direct)
    if found["up"]:
        chosen |= upstream(nodes, direct & nodes.keys(), _depth(found["up"]))
    if found["down"]:
        chosen |= downstream(nodes, direct, _depth(found["down"]))
    return chosen & items.keys()


def _direct(value: str, items: Mapping[str, Selectable]) -> set[str]:
    name = node_name(value)
    if name in items:
        return {name}
    tagged = {item.name for item in items.values() if value in item.tags}
    return tagged or {item.name for item in items.values() if _is_at(item.file, value)}


def _is_at(file: str, pattern: str) -> bool:
    """Tell whether a file lies at a path pattern, in a folder of that name, or below `models/`."""
    pattern = pattern.removeprefix("./").rstrip("/")
    return any(
        fnmatchcase(file, p) for root in ("", "models/", "seeds/") for p in (root + pattern, f"{root}{pattern}/*")
    )


def _depth(operator: str) -> int | None:
    digits = operator.strip("+")
    return int(digits) if digits else None
