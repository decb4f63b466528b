"""Small real fulfilments of the ports, for tests: a project and a stream in memory, a recorder of progress, a clock."""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

from flowforge_app.attempts import Patience
from flowforge_domain.checks import Check
from flowforge_domain.config import ModelConfig
from flowforge_domain.ddl import find_target
from flowforge_domain.errors import TemplateError
from flowforge_domain.fingerprint import fingerprint
from flowforge_domain.holder import Claim, Holder
from flowforge_domain.hooks import MODEL_HOOKS, Hook
from flowforge_domain.journal import Entry, journal_line, read_lines
from flowforge_domain.manifest import Manifest
from flowforge_domain.model import Node, Seed, SourceTable, node_name
from flowforge_domain.relation import relation_name
from flowforge_domain.retries import Retries
from flowforge_domain.text import Location, line_of
from flowforge_ports.journal import Journal
from flowforge_ports.progress import Event
from flowforge_ports.project import Code, ProfileEntry, ProjectPorts, RenderContext, SettingPlace
from flowforge_ports.stream import Batch

Model = str | Callable[..., Any]

_CALL = re.compile(r"\{\{\s*(?:(this)|(ref|source|var|config)\(([^()]*)\))\s*\}\}")
_TEXT = re.compile(r"['\"]([^'\"]*)['\"]")


def memory_project(
    models: Mapping[str, Model],
    *,
    seeds: Sequence[Seed] = (),
    sources: Sequence[SourceTable] = (),
    checks: Sequence[Check] = (),
    configs: Mapping[str, ModelConfig] | None = None,
    variables: Mapping[str, Any] | None = None,
    profiles: Mapping[str, ProfileEntry] | None = None,
    retries: Retries | None = None,
    hooks: Mapping[str, Sequence[Model]] | None = None,
    root: Path = Path("project"),
) -> ProjectPorts:
    """Return a project whose models are SQL texts, or functions marked with `@model`, by name.

    The SQL may call `ref`, `source`, `var` and `this` with literal arguments, and `config(materialized='view')`.
    `hooks` are what runs at the start and end of a run, SQL texts or functions, by `on_run_start` and `on_run_end`.
    """
    around = [(when, hook) for when, listed in (hooks or {}).items() for hook in listed]
    manifest = Manifest(
        name="memory",
        root=root,
        nodes={name: _node(name, model, configs or {}) for name, model in models.items()},
        seeds={seed.name: seed for seed in seeds},
        sources={(source.group, source.table): source for source in sources},
        checks=tuple(checks),
        variables=variables or {},
        retries=retries or Retries(),
        hooks=tuple(_run_hook(when, hook) for when, hook in around),
    )
    reader = MemoryReader(manifest, models, profiles or {})
    functions = {hook.__name__: hook for _, hook in around if callable(hook)}
    functions_port = MemoryFunctions(models, functions)
    return ProjectPorts(reader, MemoryRenderer(models), functions_port, MemoryChanges(), MemoryJournals())


@dataclass(frozen=True)
class MemoryChanges:
    """Says that these files have changed, since whatever commit."""

    files: frozenset[str] = frozenset()

    def since(self, reference: str) -> frozenset[str]:
        """Return the files."""
        return self.files

    def said(self, file: str, reference: str) -> str:
        """Return nothing: whatever a file says is new."""
        return ""


@dataclass(frozen=True)
class MemoryReader:
    """Gives what it was given."""

    content: Manifest
    models: Mapping[str, Model]
    entries: Mapping[str, ProfileEntry] = field(default_factory=dict)

    def manifest(self, environment: Mapping[str, str] = {}, target: Callable[[], Mapping[str, str]] = dict) -> Manifest:
        """Return the manifest."""
        return self.content

    def text(self, node: Node) -> str:
        """Return the SQL, or the function's source."""
        model = self.models[node.name]
        return model if isinstance(model, str) else inspect.getsource(model)

    def places(self, node: Node) -> Mapping[str, Sequence[SettingPlace]]:
        """Return none: settings were given without a file."""
        return {}

    def code(self, node: Node) -> Code:
        """Return the source of the function's own file or body."""
        return Code(self.text(node), self.text(node))

    def profiles(self, environment: Mapping[str, str]) -> Mapping[str, ProfileEntry]:
        """Return the profiles as they are."""
        return self.entries


@dataclass(frozen=True)
class MemoryRenderer:
    """Replaces each `{{ … }}` by what the context says; there is no other template language."""

    models: Mapping[str, Model]

    def render(self, node: Node, context: RenderContext) -> str:
        """Return the SQL; raise `TemplateError` for a call it does not know."""
        return _replaced(str(self.models[node.name]), node.where(), context)

    def hook(self, hook: Hook, node: Node | None, context: RenderContext) -> str:
        """Return a hook's SQL, likewise."""
        return _replaced(hook.text, hook.where, context)


@dataclass(frozen=True)
class MemoryFunctions:
    """Gives the functions themselves; those of hooks by their names."""

    models: Mapping[str, Model]
    hooks: Mapping[str, Callable[..., Any]] = field(default_factory=dict)

    def hook(self, hook: Hook) -> Callable[..., Any]:
        """Return a hook's function."""
        return self.hooks[hook.function]

    def modules(self) -> Sequence[ModuleType]:
        """Return none: the functions are those of tests."""
        return ()

    def function(self, node: Node) -> Callable[..., Any]:
        """Return the function."""
        model = self.models[node.name]
        assert callable(model), f"{node.name} is SQL"
        return model


@dataclass(frozen=True)
class MemoryJournals:
    """Keeps journals as the lines that a file would hold."""

    content: dict[str, bytes] = field(default_factory=dict)
    open: set[str] = field(default_factory=set)

    def begin(self, name: str) -> MemoryJournal:
        """Begin a journal."""
        self.content[name] = b""
        self.open.add(name)
        return MemoryJournal(self, name)

    def names(self) -> list[str]:
        """Return the names, the newest first."""
        return sorted(self.content, reverse=True)

    def read(self, name: str) -> Journal:
        """Return one."""
        return Journal(name, read_lines(self.content[name]), name in self.open)


@dataclass(frozen=True)
class MemoryJournal:
    """One journal in memory."""

    journals: MemoryJournals
    name: str

    def write(self, entry: Entry) -> None:
        """Append an entry."""
        self.journals.content[self.name] += journal_line(entry)

    def close(self) -> None:
        """End it."""
        self.journals.open.discard(self.name)


def claim(wait: float = 10.0, run: str = "4f2a") -> Claim:
    """Return the claim of a run in this process."""
    return Claim(Holder(run, os.getpid(), "here", "2024-01-01T00:00:00+00:00"), wait)


@dataclass(frozen=True)
class Recorder:
    """Takes note of every event of a run."""

    events: list[Event] = field(default_factory=list)

    def __call__(self, event: Event) -> None:
        """Take note."""
        self.events.append(event)


@dataclass
class Clock:
    """A clock that starts at a fixed time and moves by one step whenever it is read."""

    now: datetime = datetime(2024, 1, 1, tzinfo=UTC)
    step: timedelta = timedelta(seconds=1)

    def __call__(self) -> datetime:
        """Return the time and move on."""
        read, self.now = self.now, self.now + self.step
        return read


@dataclass(frozen=True)
class Pauses:
    """Takes note of every pause before another try, and waits for none of them; chance always gives 0."""

    seconds: list[float] = field(default_factory=list)

    def patience(self) -> Patience:
        """Return this as what a use case waits with."""
        return Patience(lambda: 0.0, lambda _, seconds: self.seconds.append(seconds))


@dataclass(frozen=True)
class ListSource:
    """A stream that is a list; a position is how many events were read."""

    events: list[Mapping[str, Any]] = field(default_factory=list)
    name: str = "memory"

    def read(self, position: str, limit: int) -> Batch:
        """Return the next events of the list."""
        start = int(position or 0)
        found = self.events[start : start + limit]
        return Batch(found, str(start + len(found)))


def _node(name: str, model: Model, configs: Mapping[str, ModelConfig]) -> Node:
    config = configs.get(name, ModelConfig())
    return _sql_node(name, model, config) if isinstance(model, str) else _python_node(name, model, config)


def _python_node(name: str, function: Callable[..., Any], config: ModelConfig) -> Node:
    spec = function.__flowforge_model__  # type: ignore[attr-defined]
    file = f"models/{name}.ff.py"
    return Node(
        spec.name or name,
        "python",
        Path(file),
        spec.deps,
        spec.sources,
        config=config,
        requires=spec.requires,
        file=file,
        hooks=_hooks(config, file),
    )


def _sql_node(name: str, sql: str, config: ModelConfig) -> Node:
    file = f"models/{name}.ff.sql"
    target = find_target(sql, file)
    calls = [
        (found[2], _TEXT.findall(found[3]), line_of(sql, found.start())) for found in _CALL.finditer(sql) if found[2]
    ]
    refs = {node_name(texts[0]): line for kind, texts, line in calls if kind == "ref"}
    if target:
        config = replace(config, materialized=target.kind)
    elif any(kind == "config" and texts == ["view"] for kind, texts, _ in calls):
        config = replace(config, materialized="view")
    return Node(
        name,
        "sql",
        Path(file),
        tuple(refs),
        tuple((texts[0], texts[1]) for kind, texts, _ in calls if kind == "source"),
        target.relation if target else relation_name(name),
        config,
        file=file,
        lines=refs,
        checksum=fingerprint(sql),
        hooks=_hooks(config, file),
    )


def _hooks(config: ModelConfig, file: str) -> tuple[Hook, ...]:
    return tuple(Hook(when, text, Location(file, 1)) for when in MODEL_HOOKS for text in getattr(config, when))


def _run_hook(when: str, hook: Model) -> Hook:
    if isinstance(hook, str):
        return Hook(when, hook, Location("project.yml", 1))
    return Hook(when, "", Location("hooks/memory.py", 1), hook.__name__)


def _replaced(text: str, where: Location, context: RenderContext) -> str:
    rendered = _CALL.sub(lambda call: _rendered(call, context), text)
    if "{{" in rendered:
        line = line_of(rendered, rendered.index("{{"))
        raise TemplateError("Only literal ref, source, var, this and config.", where=replace(where, line=line))
    return rendered


def _rendered(call: re.Match[str], context: RenderContext) -> str:
    if call[1]:
        return context.this
    texts = _TEXT.findall(call[3])
    match call[2]:
        case "ref":
            return context.ref(texts[0])
        case "source":
            return context.source(texts[0], texts[1])
        case "var":
            return str(context.variables[texts[0]])
    return ""
