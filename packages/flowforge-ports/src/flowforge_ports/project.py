"""How a project is read and its models are turned into SQL and functions."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

from flowforge_domain.hooks import Hook
from flowforge_domain.manifest import Manifest
from flowforge_domain.model import Node
from flowforge_domain.text import Location
from flowforge_ports.journal import Journals


@dataclass(frozen=True)
class ProfileEntry:
    """One profile of `profiles.yml`: its settings as read, and where each key (by its path) stands.

    Texts that came from the environment are `Secret`, wherever they stand. `fault` says why the settings could not be
    read, such as an environment variable that is not set, and `fix` what to do about it.
    """

    settings: Mapping[str, Any]
    where: Location
    lines: Mapping[tuple[str, ...], int] = field(default_factory=dict)
    fault: str = ""
    fix: str = ""


@dataclass(frozen=True)
class RenderContext:
    """What a template may call: everything it can see of the outside.

    `incremental` is whether only new rows are wanted, what `is_incremental()` says; `more` are further names.
    """

    ref: Callable[[str], str]
    source: Callable[[str, str], str]
    this: str
    target: Mapping[str, str]
    variables: Mapping[str, Any]
    environment: Mapping[str, str]
    incremental: bool = False
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Code:
    """What a Python model runs: its file and the project's modules that it imports, without comments and layout.

    `making` is what of it makes the rows of a model that keeps them: without what `@model(...)` says, and without what
    the file holds besides.
    `volatile` names what in it may give another result at another time, with its place; "" where nothing does.
    `files` are the texts that it is made of, by file, the model's own among them.
    """

    text: str
    making: str
    volatile: str = ""
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SettingPlace:
    """Where a setting of a model stands; `of` is for which folder below `models/`, or `defaults`, it stands there."""

    where: Location
    of: str = ""

    def __str__(self) -> str:
        return f"{self.where}, {self.of}" if self.of else str(self.where)


class ProjectReader(Protocol):
    """Reads a project's text; runs none of its code."""

    def manifest(self, environment: Mapping[str, str] = ..., target: Callable[[], Mapping[str, str]] = ...) -> Manifest:
        """Return the project; raise `FlowForgeError` naming file and line of what is wrong.

        `environment` is what `env_var()` knows in the names of schemas and tables. `target` says what templates see of
        the profile, and is asked only where such a name does; it raises where there is no profile.
        """

    def text(self, node: Node) -> str:
        """Return a model's file as it is written; raise `ConfigError` when it cannot be read."""

    def places(self, node: Node) -> Mapping[str, Sequence[SettingPlace]]:
        """Return where each of a model's settings comes from: the place that won, or all where values add up.

        Raises `FlowForgeError` when a file cannot be read.
        """

    def code(self, node: Node) -> Code:
        """Return what a Python model runs, without running any; raise `ConfigError` when it cannot be read."""

    def profiles(self, environment: Mapping[str, str]) -> Mapping[str, ProfileEntry]:
        """Return the profiles by name, `env_var()` resolved; empty where there is no `profiles.yml`."""


class TemplateRenderer(Protocol):
    """Turns a SQL model's template into SQL."""

    def render(self, node: Node, context: RenderContext) -> str:
        """Return the node's SQL; raise `TemplateError` with file, line, the line itself and a caret."""

    def hook(self, hook: Hook, node: Node | None, context: RenderContext) -> str:
        """Return a hook's SQL, for a node's hook as that node sees it; raise `TemplateError` as `render` does."""


class FunctionLoader(Protocol):
    """Imports a Python model when it is about to run."""

    def function(self, node: Node) -> Callable[..., Any]:
        """Return the node's function; raise `ModuleLoadError` when it cannot be imported or is not what was read."""

    def hook(self, hook: Hook) -> Callable[..., Any]:
        """Return a hook's function; raise `ModuleLoadError` as `function` does."""

    def modules(self) -> Sequence[ModuleType]:
        """Return the project's modules that are imported: no other process can import them by their names."""


class ChangeFinder(Protocol):
    """Knows what changed in a project's folder."""

    def since(self, reference: str) -> frozenset[str]:
        """Return the files that changed since a commit, relative to the project with forward slashes.

        Raises `ConfigError` when the folder has no history, and for a reference that it does not know.
        """

    def said(self, file: str, reference: str) -> str:
        """Return what one of these files said at that commit, "" where it was not there; raises as `since` does."""


@dataclass(frozen=True)
class ProjectPorts:
    """Everything a project folder gives."""

    reader: ProjectReader
    renderer: TemplateRenderer
    functions: FunctionLoader
    changes: ChangeFinder
    journals: Journals


@dataclass(frozen=True)
class ProjectSpec:
    """A project format as a plugin announces it.

    `open` refers to a function `(root: Path, materializations: Collection[str]) -> ProjectPorts`, `create` to one that
    writes a small new project, `(root: Path, engine: str, settings: Mapping) -> list[str]`, and returns its files
    relative to `root`, `variables` to one that reads the text of `--vars`, `(text: str) -> dict[str, Any]`.
    """

    name: str
    open: str
    create: str
    variables: str


OpenProject = Callable[[Path, Collection[str]], ProjectPorts]
