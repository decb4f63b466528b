"""Run a project's own steps before the first model of a run and after the last one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from traceback import extract_tb
from types import MappingProxyType
from typing import Any

from flowforge_app.build_model import BuildModel
from flowforge_app.cancelled import was_cancelled
from flowforge_app.definitions import Definitions
from flowforge_app.forked import forked
from flowforge_app.hook_writes import told_of_hook
from flowforge_app.model_errors import hook_excerpt
from flowforge_app.other_targets import require_ours
from flowforge_app.target_state import read_target
from flowforge_app.transaction import transaction
from flowforge_domain.errors import EngineError, FlowForgeError, HookError, told_as
from flowforge_domain.hooks import Hook, HookContext, result_facts
from flowforge_domain.model import Node
from flowforge_domain.results import ModelResult
from flowforge_domain.text import Location, caret
from flowforge_ports.engine import Engine
from flowforge_ports.sql import SqlAnalysis


@dataclass(frozen=True)
class RunHooks:
    """Runs the hooks of one run; each SQL hook is a transaction of its own, with the state rows of what it wrote to."""

    build: BuildModel
    sql: SqlAnalysis
    run_id: str
    models: tuple[str, ...]

    def start(self, nodes: Sequence[Node]) -> None:
        """Run what stands before the models, unless other targets have built one of their relations.

        Raises `FlowForgeError` with file and line for the first that fails, and `ConfigError` for such relations.
        """
        hooks = self._hooks("on_run_start")
        if hooks:
            require_ours(self.build.engine, read_target(self.build.engine), nodes)
        with self._own_session(hooks) as engine:
            for hook in hooks:
                self._run(hook, (), engine)

    def end(self, results: Sequence[ModelResult]) -> tuple[FlowForgeError, ...]:
        """Run what stands after the models, however they ended, and return the errors of hooks that failed.

        It is the last that a run writes.
        """
        errors, hooks = [], self._hooks("on_run_end")
        with self._own_session(hooks) as engine:
            for hook in hooks:
                try:
                    self._run(hook, results, engine)
                except FlowForgeError as error:
                    if was_cancelled(error):
                        raise
                    errors.append(error)
        if self.build.engine.sources:
            self.build.engine.sources.vouch()
        return tuple(errors)

    def _hooks(self, when: str) -> list[Hook]:
        return [hook for hook in self.build.manifest.hooks if hook.when == when]

    @contextmanager
    def _own_session(self, hooks: Sequence[Hook]) -> Iterator[Engine]:
        """Give what hooks run on: what they set in its session, or leave there, is for no model."""
        main = self.build.engine
        with forked(main, 2 if hooks else 1) as engines:
            # Whether others wrote is known of the whole target, not of a session.
            yield replace(engines[-1], sources=main.sources, seal=main.seal)

    def _run(self, hook: Hook, results: Sequence[ModelResult], engine: Engine) -> None:
        if hook.function:
            # Before the call: what it does is committed by nobody here.
            with transaction(engine.session):
                self._tell(hook, "", engine)
            self._call(hook, results)
        elif sql := self.build.compiler.hook(hook, more=self._seen(results)):
            try:
                with transaction(engine.session):
                    engine.session.execute(sql)
                    self._tell(hook, sql, engine)
            except EngineError as error:
                if was_cancelled(error):
                    raise
                raise _sql_error(error, hook, sql) from error

    def _tell(self, hook: Hook, sql: str, engine: Engine) -> None:
        build = self.build
        # In the hook's own session: another would wait for the locks of its transaction, which waits for nobody.
        definitions = Definitions(build.manifest, engine, build.compiler, build.reader, self.sql)
        for statement in told_of_hook(hook, sql, definitions):
            engine.session.execute(statement)

    def _seen(self, results: Sequence[ModelResult]) -> Mapping[str, Any]:
        return {"run_id": self.run_id, "results": [result_facts(result) for result in results]}

    def _call(self, hook: Hook, results: Sequence[ModelResult]) -> None:
        function = self.build.functions.hook(hook)
        target = MappingProxyType(dict(self.build.compiler.target))
        with told_as(lambda error: _function_error(error, hook, self.build.manifest.root)):
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
