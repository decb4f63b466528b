"""Every error a user can meet: facts as attributes, one next step as `hint`.

`FlowForgeError` means the user can fix it (exit code 1). Anything else that escapes is our bug (exit code 99).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import Enum
from typing import Protocol

from flowforge_domain.text import Location

_MOST_LINES = 15
_MOST_HINT_LINES = 10


class FlowForgeError(Exception):
    """Anything the user can fix: what happened, where, and one fix.

    `snippet` is the line of the user's file, or of the SQL it became, with a caret below.
    """

    def __init__(self, message: str, *, where: Location | None = None, hint: str = "", snippet: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint
        self.snippet = snippet

    def __str__(self) -> str:
        head = f"{self.where}: {self.message}" if self.where else self.message
        lines = [*head.splitlines(), *self.snippet.splitlines()]
        fix = self.hint.splitlines()[:_MOST_HINT_LINES]
        room = _MOST_LINES - len(fix)
        if len(lines) > room:
            lines = [*lines[: room - 1], f"… {len(lines) - room + 1} more lines"]
        return "\n".join([*lines, *fix])


class ConfigError(FlowForgeError):
    """A project file says something FlowForge does not understand."""


class SettingError(ConfigError):
    """A setting of a model does not fit its rows, or the table that stands; `setting` is its name."""

    def __init__(self, message: str, *, setting: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.setting = setting


class ProfileError(ConfigError):
    """The profile asked for does not exist, or its settings are wrong."""


class ModuleLoadError(FlowForgeError):
    """A Python model cannot be read or imported."""


class TemplateError(FlowForgeError):
    """A SQL model's template cannot be read or rendered."""


class SelectionError(FlowForgeError):
    """A selection names nothing."""


class PluginError(FlowForgeError):
    """A plugin is missing, broken, or claims another's name."""


class DependencyNotFoundError(FlowForgeError):
    """Nodes name dependencies that no model, seed or source gives; `missing` maps node to names."""

    def __init__(self, missing: Mapping[str, Sequence[str]], details: Sequence[str] = (), hint: str = "") -> None:
        self.missing = {node: list(names) for node, names in missing.items()}
        listed = details or [f"{node}: {', '.join(names)}" for node, names in self.missing.items()]
        super().__init__(
            "Missing dependencies:\n" + "\n".join(f"  {line}" for line in listed),
            hint=hint or "Check the names in ref() and deps; a node's name is its file stem without .ff.",
        )


class ModelCycleError(FlowForgeError):
    """The graph has a cycle; `cycle` is its path, the first node repeated at the end."""

    def __init__(self, cycle: Sequence[str], references: Sequence[str] = ()) -> None:
        self.cycle = list(cycle)
        shown = self.cycle if len(self.cycle) <= _MOST_LINES else [*self.cycle[: _MOST_LINES - 1], "…", self.cycle[-1]]
        message = f"Cycle detected among nodes: {' → '.join(shown)}"
        super().__init__(
            "\n".join([message, *(f"  {line}" for line in references)]),
            hint="Remove one of these references.",
        )


class TestFailureError(FlowForgeError):
    """Data-quality tests failed; `failed` names them."""

    __test__ = False

    def __init__(self, failed: Sequence[str]) -> None:
        self.failed = list(failed)
        super().__init__(f"Data-quality tests failed: {', '.join(self.failed)}")


class TestFailure(Exception):  # noqa: N818 - the name is the seed's
    """One data-quality check that did not hold."""

    __test__ = False


class RequiredColumnsError(FlowForgeError, ValueError):
    """A Python model's input lacks columns it requires; `missing` maps relation to columns."""

    def __init__(self, message: str, missing: Mapping[str, Sequence[str]], *, hint: str = "") -> None:
        self.missing = {relation: list(columns) for relation, columns in missing.items()}
        super().__init__(message, hint=hint)


class ModelError(FlowForgeError):
    """A model failed while it was built; `model` names it."""

    def __init__(
        self, model: str, message: str, *, where: Location | None = None, hint: str = "", snippet: str = ""
    ) -> None:
        self.model = model
        super().__init__(message, where=where, hint=hint, snippet=snippet)


class HookError(FlowForgeError):
    """A hook of a run failed."""


class SeedError(FlowForgeError):
    """A seed file cannot be loaded; earlier tables stay as they were."""


class StreamError(FlowForgeError):
    """A stream's input or state cannot be used."""


class UnsupportedByEngineError(FlowForgeError):
    """The engine declares that it cannot do this; `details` are what needs it, a line each."""

    def __init__(self, engine: str, capability: str, details: Sequence[str] = ()) -> None:
        self.engine = engine
        self.capability = capability
        said = f"Engine {engine!r} does not support {capability}."
        super().__init__(
            "\n".join([said, *(f"  {line}" for line in details)]),
            hint="`flowforge debug` lists what this engine can do.",
        )


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what it comes from, each once: `raise error from error` makes an error its own cause."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__


@contextmanager
def told_as(ours: Callable[[BaseException], FlowForgeError]) -> Iterator[None]:
    """Raise whatever a user's code raises as the error that `ours` makes of it; Ctrl-C stays what it is.

    Not only `Exception`: an `asyncio.CancelledError` is none, and would end the whole run.
    """
    try:
        yield
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise ours(error) from error


class ErrorKind(Enum):
    """What a driver's error means for the user and for a retry.

    TRANSIENT is what the same statements may well not meet again: a deadlock, a lost connection, a limit on requests.
    CONFLICT is what stays in the way, such as another run. CANCELLED is what this process asked for itself, as after
    Ctrl-C, by `Session.interrupt`; STOPPED is what a time limit or somebody else ended.
    """

    MISSING_RELATION = "missing relation"
    MISSING_COLUMN = "missing column"
    SYNTAX = "syntax"
    DATA = "data"
    CONFLICT = "conflict"
    TRANSIENT = "transient"
    DEPENDENTS = "dependents"
    UNREACHABLE = "unreachable"
    CREDENTIALS = "credentials"
    PERMISSION = "permission"
    SPACE = "out of space"
    CANCELLED = "cancelled"
    STOPPED = "stopped"
    UNKNOWN = "unknown"


class EngineError(FlowForgeError):
    """A statement or connection failed in the engine; translated from the driver's error.

    `line` and `column` point into the statement, 0 when the engine does not say.
    """

    def __init__(
        self, message: str, *, kind: ErrorKind = ErrorKind.UNKNOWN, line: int = 0, column: int = 0, hint: str = ""
    ) -> None:
        self.kind = kind
        self.line = line
        self.column = column
        super().__init__(message, hint=hint)


def closed_session() -> EngineError:
    """Return the error for what is asked of a session that was closed."""
    return EngineError("The session is closed.", kind=ErrorKind.UNREACHABLE, hint="Open the engine again.")


class Interruptible(Protocol):
    """A session that remembers whether it was interrupted."""

    interrupted: bool


@contextmanager
def ours_if_interrupted(session: Interruptible) -> Iterator[None]:
    """Raise STOPPED as CANCELLED where this process interrupted the session: a server does not say who cancelled."""
    try:
        yield
    except EngineError as error:
        if error.kind is ErrorKind.STOPPED and session.interrupted:
            error.kind = ErrorKind.CANCELLED
        raise
