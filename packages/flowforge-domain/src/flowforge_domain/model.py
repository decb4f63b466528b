"""What a project is made of: nodes, their settings, and the `@model` marker.

A node's name is its file stem without `.ff`, or what `@model(name=…)` says. The spelling with `.ff` is accepted
wherever a name is, and never printed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

from flowforge_domain.config import ModelConfig
from flowforge_domain.hooks import Hook
from flowforge_domain.relation import relation_name
from flowforge_domain.source import SourceKey, SourceRef
from flowforge_domain.text import Location

Function = TypeVar("Function", bound=Callable[..., Any])
NodeKind = Literal["sql", "python"]


@dataclass(frozen=True)
class Node:
    """One model: `kind` is "sql" or "python", `deps` name other nodes or seeds, `sources` name sources.

    `relation` is what it writes (see `relation.py`), by default its name. `file` is `path` as messages show it,
    relative to the project; `lines` tells on which line of it each dependency is named, and under "" where `@model` is.
    `checksum` is that of the file's text, whatever its line ends. `macros` are those that its SQL may reach, on any
    engine, `variables` those that it reads itself, "" for a computed name; `hooks` run before and after its build.
    `written` are `schema` and `alias` as they stand in the project where its environment fills them in.
    """

    name: str
    kind: str
    path: Path
    deps: Sequence[str] = ()
    sources: tuple[SourceKey, ...] = ()
    relation: str = ""
    config: ModelConfig = field(default_factory=ModelConfig)
    requires: Mapping[str, frozenset[str]] = field(default_factory=dict)
    file: str = ""
    lines: Mapping[str, int] = field(default_factory=dict)
    checksum: str = field(default="", compare=False)
    macros: tuple[str, ...] = ()
    hooks: tuple[Hook, ...] = ()
    variables: tuple[str, ...] = ()
    written: Mapping[str, Any] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        if not self.relation:
            object.__setattr__(self, "relation", relation_name(self.name))

    def where(self, dependency: str = "") -> Location:
        """Return the place of this node, or of its reference to `dependency`."""
        return Location(self.file or self.path.as_posix(), self.lines.get(dependency, 0))


@dataclass(frozen=True, slots=True)
class SourceTable:
    """A table that FlowForge reads and does not make; `written` is its relation before the environment fills it in."""

    group: str
    table: str
    relation: str
    description: str = ""
    where: Location = field(default_factory=lambda: Location("sources.yml"))
    written: str = ""


@dataclass(frozen=True, slots=True)
class SeedOptions:
    """How a seed file is read; empty values mean that the engine detects them."""

    column_types: Mapping[str, str] = field(default_factory=dict)
    delimiter: str = ""
    quote: str = ""
    null: str = ""
    encoding: str = "utf-8"
    description: str = ""


@dataclass(frozen=True, slots=True)
class Seed:
    """A file under `seeds/` that becomes a table of the same name.

    `places` tells where its settings stand: `("delimiter",)`, `("column_types", "id")`.
    """

    name: str
    kind: Literal["csv", "parquet", "sql"]
    path: Path
    relation: str
    file: str = ""
    options: SeedOptions = field(default_factory=SeedOptions)
    places: Mapping[tuple[str, ...], Location] = field(default_factory=dict, compare=False)

    def where(self, *setting: str) -> Location:
        """Return the place of a setting, or of the file where nobody knows it or none is named."""
        return self.places.get(setting) or Location(self.file or str(self.path))


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """What `@model(...)` says about a function; `deps` and `sources` in the order they are written."""

    name: str | None = None
    deps: tuple[str, ...] = ()
    sources: tuple[SourceKey, ...] = ()
    requires: Mapping[str, frozenset[str]] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)


def model(
    name: str | None = None,
    deps: Iterable[str] | None = None,
    requires: Mapping[str, Iterable[str]] | None = None,
    **settings: Any,
) -> Callable[[Function], Function]:
    """Mark a function as a Python model; it is called with the frames of its `deps`.

    One dependency: the frame. More: a dict of frames, by the names in `deps` or by relation. None: no argument. To such
    names `requires` maps the columns the function needs; `settings` are those of `config(...)`: tags, columns and more.
    """
    spec = spec_of(name, deps or (), requires or {}, settings)

    def mark(function: Function) -> Function:
        function.__flowforge_model__ = spec  # type: ignore[attr-defined]
        return function

    return mark


def spec_of(name: Any, deps: Any, requires: Any, settings: Mapping[str, Any]) -> ModelSpec:
    """Return the frozen form of `@model`'s arguments, the same whether they were read or executed.

    Raises `TypeError` for an argument of another kind, such as one text where a list of names belongs.
    """
    if callable(name):
        raise TypeError("write @model(), with brackets")
    if name is not None and (not isinstance(name, str) or not name.strip()):
        raise TypeError(f"name is a text, not {name!r}")
    if isinstance(deps, Set):
        raise TypeError("deps is a list, since the order of names is that of the inputs")
    listed = _texts("deps", deps)
    if not isinstance(requires, Mapping):
        raise TypeError("requires maps relations to column names")
    return ModelSpec(
        name=node_name(name) if name else None,
        deps=tuple(node_name(d) for d in listed if not isinstance(d, SourceRef)),
        sources=tuple(d.key for d in listed if isinstance(d, SourceRef)),
        requires={r: frozenset(_texts(f"requires[{r!r}]", columns)) for r, columns in requires.items()},
        settings=dict(settings),
    )


def node_name(spelling: str) -> str:
    """Return the name of a node from any accepted spelling: `users`, `users.ff`, `users.ff.sql`."""
    if ".ff" not in spelling:
        return spelling
    for suffix in (".ff", ".ff.sql", ".ff.py"):
        if spelling.endswith(suffix) and len(spelling) > len(suffix):
            return node_name(spelling.removesuffix(suffix))
    return spelling


def _texts(what: str, given: Any) -> list[str]:
    """Return the texts of a list; one text alone would otherwise be taken for its letters."""
    listed = [] if isinstance(given, str | Mapping) else list(given)
    if isinstance(given, str | Mapping) or not all(isinstance(item, str) for item in listed):
        raise TypeError(f"{what} is a list of names, not {given!r}")
    return listed
