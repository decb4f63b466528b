"""Run a project's own steps before the first model of a run and after the last one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from traceback import extract_tb
from types import MappingProxyType
from typing import Any

from flowforge_app.cancelled import was_cancelled
from flowforge_app.compile_models import CompileModels
from flowforge_app.model_errors import hook_excerpt
from flowforge_app.other_targets import require_ours
from flowforge_app.target_state import read_target
from flowforge_app.transaction import transaction
from flowforge_domain.errors import EngineError, FlowForgeError, HookError, told_as
from flowforge_domain.hooks import Hook, HookContext, result_facts
from flowforge_domain.manifest import Manifest
from flowforge_domain.model import Node
from flowforge_domain.results import ModelResult
from flowforge_domain.text import Location, caret
from flowforge_ports.engine import Engine
from flowforge_ports.project import FunctionLoader


@dataclass(frozen=True)
class RunHooks:
    """Runs the hooks of one run; each SQL hook is a transaction of its own."""

    manifest: Manifest
    engine: Engine
    compiler: CompileModels
    functions: FunctionLoader
    run_id: str
    models: tuple[str, ...]

    def start(self, nodes: Sequence[Node]) -> None:
        """Run what stands before the models, unless other targets have built one of their relations.

        Raises `FlowForgeError` with file and line for the first that fails, and `ConfigError` for such relations.
        """
        hooks = self._hooks("on_run_start")
        if hooks:
            require_ours(self.engine, read_target(self.engine), nodes)
        for hook in hooks:
            self._run(hook, ())

    def end(self, results: Sequence[ModelResult]) -> tuple[FlowForgeError, ...]:
        """Run what stands after the models, however they ended, and return the errors of hooks that failed."""
        errors = []
        for hook in self._hooks("on_run_end"):
            try:
                self._run(hook, results)
            except FlowForgeError as error:
                if was_cancelled(error):
                    raise
                errors.append(error)
        return tuple(errors)

    def _hooks(self, when: str) -> list[Hook]:
        return [hook for hook in self.manifest.hooks if hook.when == when]

    def _run(self, hook: Hook, results: Sequence[ModelResult]) -> None:
        if hook.function:
            self._call(hook, results)
        elif sql := self.compiler.hook(hook, more=self._seen(results)):
            try:
                with transaction(self.engine.session):
                    self.engine.session.execute(sql)
            except EngineError as error:
                if was_cancelled(error):
                    raise
                raise _sql_error(error, hook, sql) from error

    def _seen(self, results: Sequence[ModelResult]) -> Mapping[str, Any]:
        return {"run_id": self.run_id, "results": [result_facts(result) for result in results]}

    def _call(self, hook: Hook, results: Sequence[ModelResult]) -> None:
        function = self.functions.hook(hook)
        target = MappingProxyType(dict(self.compiler.target))
        with told_as(lambda error: _function_error(error, hook, self.manifest.root)):
            function(HookContext(self.run_id, target, self.models, tuple(results)))


def _sql_error(error: EngineError, hook: Hook, sql: str) -> HookError:
    return HookError(
        f"{hook.when} failed: {error.message}",
        where=hook.where,
        snippet=hook_excerpt(error, sql),
        hint=error.hint or "Correct the hook.",
    )


def _function_error(error: BaseException, hook: Hook, root: Path) -> HookError:
    """Return what a user's function raised, with the last line of the project it passed through."""
    where = hook.where
    for frame in extract_tb(error.__traceback__):
        if Path(frame.filename).is_relative_to(root):
            where = Location(Path(frame.filename).relative_to(root).as_posix(), frame.lineno or 0)
    file = root / where.path
    return HookError(
        f"{hook.when} failed in {hook.function}(): {type(error).__name__}: {error}".rstrip(": "),
        where=where,
        snippet=caret(file.read_text("utf-8", "replace"), where.line) if file.is_file() else "",
        hint="Correct the function; FLOWFORGE_TRACE=1 shows the whole trace.",
    )
