"""Selecting nodes: by name, tag or path, with `+` for what lies upstream or downstream.

A term is `[n+]NAME[+n]`: an exact name first, then a tag, then a path pattern. `2+x` adds two steps upstream,
`x+` everything downstream. Several terms are a union; a text with spaces is one name if there is one, else its terms.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TypeVar

from flowforge_domain.dag import downstream, upstream
from flowforge_domain.errors import SelectionError
from flowforge_domain.model import Node, node_name
from flowforge_domain.text import did_you_mean

Key = TypeVar("Key", str, int)

_TERM = re.compile(r"(?P<up>\d*\+)?(?P<value>[^+]*(?:\+[^+\d][^+]*)*)(?P<down>\+\d*)?\Z")


@dataclass(frozen=True, slots=True)
class Selectable:
    """What can be selected: a name, its tags, and the file it stands in (relative to the project).

    A test stands under the name and in the file of the node that it looks at.
    """

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
    """Return a selection from what a command line or a caller gives.

    Raises `SelectionError` for an `include` that is given and says nothing; that would otherwise mean everything.
    """
    given = _listed(include)
    included = _said(given)
    if given and not included:
        raise SelectionError("The selection is empty.", hint="Name something after --select, or drop it.")
    return Selection(included, _said(_listed(exclude)))


def select(
    items: Mapping[Key, Selectable], wanted: Selection, nodes: Mapping[str, Node], what: str = "model"
) -> set[Key]:
    """Return the keys of `items` that are selected; `+` follows the graph of `nodes`, see `manifest.with_seeds`.

    Raises `SelectionError` when a term, or the whole selection, names nothing.
    """
    chosen = set(items)
    if wanted.include:
        chosen = set().union(*(_match(term, items, nodes, what) for term in _terms(wanted.include, items, nodes)))
    for term in _terms(wanted.exclude, items, nodes):
        chosen -= _match(term, items, nodes, what)
    if not chosen and (wanted.include or wanted.exclude):
        raise SelectionError(f"The selection leaves no {what}.", hint="Select more, or exclude less.")
    return chosen


def selectable_nodes(nodes: Mapping[str, Node]) -> dict[str, Selectable]:
    """Return the nodes as things that can be selected."""
    return {name: Selectable(name, node.config.tags, node.file) for name, node in nodes.items()}


def _listed(given: Iterable[str] | str | None) -> list[str]:
    return [given] if isinstance(given, str) else list(given or ())


def _said(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(said for text in texts if (said := text.strip()))


def _terms(texts: Iterable[str], items: Mapping[Key, Selectable], nodes: Mapping[str, Node]) -> Iterator[str]:
    names = {item.name for item in items.values()} | nodes.keys()
    for text in texts:
        found = _TERM.match(text)
        if found and names & {text, node_name(found["value"])}:
            yield text
        else:
            yield from text.split()


def _match(term: str, items: Mapping[Key, Selectable], nodes: Mapping[str, Node], what: str) -> set[Key]:
    if exact := {key for key, item in items.items() if item.name == term}:
        return exact
    found = _TERM.match(term)
    if found is None or not found["value"]:
        raise SelectionError(f"{term!r} is not a selection.", hint="Write NAME, +NAME, NAME+ or 2+NAME.")
    chosen = _direct(found["value"], items)
    named = _direct(found["value"], selectable_nodes(nodes))
    if found["up"] or found["down"]:
        start = named | {items[key].name for key in chosen}
        reached = _reached(start & nodes.keys(), nodes, found["up"], found["down"])
        chosen = chosen | {key for key, item in items.items() if item.name in reached}
    if not chosen and not named:
        hint = did_you_mean(found["value"], _words(items.values()))
        raise SelectionError(f"No {what} matches {term!r}.", hint=hint or "The project has none.")
    return chosen


def _direct(value: str, items: Mapping[Key, Selectable]) -> set[Key]:
    """Return what has this name, else this tag, else lies at this path."""
    name = node_name(value)
    return (
        {key for key, item in items.items() if item.name == name}
        or {key for key, item in items.items() if value in item.tags}
        or _lying_at(value, items)
    )


def _words(items: Iterable[Selectable]) -> list[str]:
    return [word for item in items for word in (item.name, *item.tags)]


def _reached(start: set[str], nodes: Mapping[str, Node], up: str | None, down: str | None) -> set[str]:
    above = upstream(nodes, start, _depth(up)) if up else start
    below = downstream(nodes, start, _depth(down)) if down else start
    return above | below


def _lying_at(pattern: str, items: Mapping[Key, Selectable]) -> set[Key]:
    """Return what lies at a path pattern, in a folder of that name, or there below `models/` or `seeds/`."""
    pattern = pattern.removeprefix("./").rstrip("/")
    globs = [_doubled(root + p) for root in ("", "models/", "seeds/") for p in (pattern, f"{pattern}/*")]
    return {key for key, item in items.items() if any(fnmatchcase(_doubled(item.file), glob) for glob in globs)}


def _doubled(path: str) -> str:
    """Double each slash, so that a `*` between two of them, which is what `/**/` becomes, may stand for no folder."""
    return "/*/".join(part.replace("/", "//") for part in re.split(r"/(?:\*\*/)+", f"/{path}"))


def _depth(operator: str) -> int | None:
    digits = operator.strip("+")
    return int(digits) if digits else None
