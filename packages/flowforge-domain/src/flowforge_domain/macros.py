"""Macros: which one a call means on an engine, and which ones it may reach on any.

`cents(x)` means `duckdb__cents` on duckdb where there is one, else `default__cents`, else `cents`. The graph is the
same on every engine, so there a call reaches all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from flowforge_domain.source import SourceKey
from flowforge_domain.text import Location

DEFAULT = "default"
_BORDER = "__"


@dataclass(frozen=True, slots=True)
class Macro:
    """One macro of a project: `uses` are the names it may call, `refs` and `sources` what it names itself.

    `variables` are those that it reads, "" for a computed name.
    `digest` changes when its code does, wherever it stands. `lines` tells where it names each ref, each source as
    `group.table` and each macro that it calls, that one with brackets: `cents()`.
    """

    name: str
    file: str
    line: int
    uses: tuple[str, ...] = ()
    refs: tuple[str, ...] = ()
    sources: tuple[SourceKey, ...] = ()
    digest: str = ""
    variables: tuple[str, ...] = ()
    lines: Mapping[str, int] = field(default_factory=dict, compare=False)

    def where(self, named: str = "") -> Location:
        """Return its place, or that of what it names."""
        return Location(self.file, self.lines.get(named, self.line))


def called_as(name: str) -> str:
    """Return the name under which a macro for one engine is called: `cents` for `duckdb__cents`."""
    engine, border, plain = name.partition(_BORDER)
    return plain if engine and border and plain else name


def by_call(names: Iterable[str]) -> dict[str, list[str]]:
    """Return, for every name that can be called, the macros that it may mean."""
    found: dict[str, list[str]] = {}
    for name in names:
        for call in dict.fromkeys((name, called_as(name))):
            found.setdefault(call, []).append(name)
    return found


def chosen(call: str, engine: str, names: Iterable[str]) -> str | None:
    """Return which of the macros `names` a call means on an engine; None where there is none for it."""
    known = set(names)
    spellings = (re.sub(r"\W", "_", part) for part in (engine, engine.partition("+")[0], DEFAULT) if part)
    wanted = (*(f"{engine}{_BORDER}{call}" for engine in spellings), call)
    return next((name for name in wanted if name in known), None)


def reached(calls: Iterable[str], macros: Mapping[str, Macro], meant: Mapping[str, list[str]]) -> tuple[str, ...]:
    """Return the names of all macros that calls may reach, directly or through others, on any engine.

    `meant` is what `by_call` gives for `macros`.
    """
    found: set[str] = set()
    rest = list(calls)
    while rest:
        new = [name for name in meant.get(rest.pop(), ()) if name not in found]
        found.update(new)
        rest.extend(use for name in new for use in macros[name].uses)
    return tuple(sorted(found))


def way_to(dependency: str, names: Iterable[str], macros: Mapping[str, Macro]) -> list[Location]:
    """Return where a dependency is named in one of the macros `names`, and then where each macro on the way is called.

    That of the outermost one, which the model calls, is not among them. Empty where none of the macros names it.
    """
    left = [macros[name] for name in names if name in macros]
    wanted, way = [dependency], []
    while found := next(((one, word) for one in left for word in wanted if word in one.lines), None):
        macro, word = found
        way.append(macro.where(word))
        left.remove(macro)
        wanted = [f"{name}()" for name in dict.fromkeys((macro.name, called_as(macro.name)))]
    return way
