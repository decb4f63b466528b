"""An executor runs single nodes of the loaded project on an engine that it holds open.

It is kept for scripts in the style of the original design. To add an engine, write a plugin (`flowforge_ports`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowforge.core import REGISTRY
from flowforge_app.build_model import BuildModel
from flowforge_app.compile_models import CompileModels
from flowforge_app.due_models import Skipping
from flowforge_app.run_models import RunModels
from flowforge_bootstrap.engines import new_claim, now, open_by_name
from flowforge_bootstrap.plugins import load_plugins
from flowforge_bootstrap.project import silent
from flowforge_domain.capability import Capability
from flowforge_domain.ddl import with_queries
from flowforge_domain.errors import ConfigError, UnsupportedByEngineError
from flowforge_domain.hooks import Hook
from flowforge_domain.manifest import Manifest
from flowforge_domain.model import Node
from flowforge_domain.results import Rows
from flowforge_domain.selection import Selection
from flowforge_ports.engine import Engine, Frames
from flowforge_ports.project import RenderContext

if TYPE_CHECKING:
    from flowforge_project.sandbox import Environment


class BaseExecutor(ABC):
    """Renders, runs and materializes nodes of `REGISTRY` on one engine."""

    def __init__(self, engine_name: str, settings: dict[str, Any]) -> None:
        self.engine: Engine = open_by_name(engine_name, settings, Path.cwd())

    def render_sql(
        self,
        node: Node,
        env: Environment,
        ref_resolver: Callable[[str], str] | None = None,
        source_resolver: Callable[[str, str], str] | None = None,
    ) -> str:
        """Return a SQL node's text as `env` renders it, with the names that every model knows.

        A resolver is used as it answers; otherwise relations are quoted for the engine, as `this` is. Raises
        `TemplateError` with file and line.
        """
        from flowforge_project.context import template_names
        from flowforge_project.sandbox import template_error
        from flowforge_project.templates import FileTemplates

        inlined: dict[str, str] = {}
        known = self._compiler(REGISTRY.manifest, env).context(node, inlined)
        context = replace(known, ref=ref_resolver or known.ref, source=source_resolver or known.source)
        text, file = node.path.read_text("utf-8-sig"), node.where().path
        try:
            template = env.template_class.from_code(env, env.compile(text, file, file), env.make_globals(None))
            names = {**env.globals, **template_names(context)}
            if node.macros:
                FileTemplates(REGISTRY.manifest.root).library.put(node.macros, names, self.engine.name)
            sql = template.render(names)
            return with_queries(sql, inlined, file, self.engine.dialect)
        except Exception as error:  # what the caller's resolvers and filters raise, too
            raise template_error(error, text, file) from error

    def run_sql(self, node: Node, env: Environment) -> None:
        """Build a SQL node in one transaction; raise `ModelError` with file and line."""
        self._run(node, self.engine, env)

    def run_python(self, node: Node) -> None:
        """Build a Python node in one transaction; raise `ModelError` with file and line."""
        self._run(node, replace(self.engine, frames=_Frames(self, node)), REGISTRY.env)

    def close(self) -> None:
        """Close the engine."""
        self.engine.session.close()

    @abstractmethod
    def _read_relation(self, relation: str, node: Node, deps: Iterable[str]) -> Any: ...

    @abstractmethod
    def _materialize_relation(self, relation: str, df: Any, node: Node) -> int | None: ...

    def _run(self, node: Node, engine: Engine, env: Environment) -> None:
        ports = REGISTRY.ports
        if ports is None:
            raise ConfigError("No project is loaded.", hint="Load one first: REGISTRY.load_project(path)")
        manifest = replace(REGISTRY.manifest, nodes={**REGISTRY.nodes, node.name: node}, hooks=())
        plans = load_plugins().plans()
        build = BuildModel(manifest, engine, self._compiler(manifest, env), ports.reader, ports.functions, plans)
        run = RunModels(manifest, engine, build, silent, now, new_claim(), skipping=Skipping(no_cache=True))
        report = run(Selection((node.name,)))
        for result in report.results:
            if result.error is not None:
                raise result.error

    def _compiler(self, manifest: Manifest, env: Environment) -> CompileModels:
        target = {"name": "", "engine": self.engine.name}  # an executor has no profile
        return CompileModels(manifest, _Renderer(self, env), self.engine.dialect, target, REGISTRY.environment)


class EngineExecutor(BaseExecutor):
    """An executor whose frames are its engine's own."""

    def _read_relation(self, relation: str, node: Node, deps: Iterable[str]) -> Any:  # noqa: ARG002
        return _frames(self.engine).read(relation)

    def _materialize_relation(self, relation: str, df: Any, node: Node) -> int | None:  # noqa: ARG002
        return _frames(self.engine).write(relation, df)


@dataclass(frozen=True)
class _Renderer:
    """Renders with the environment that the caller passed in."""

    executor: BaseExecutor
    env: Environment

    def render(self, node: Node, context: RenderContext) -> str:
        return self.executor.render_sql(node, self.env, context.ref, context.source)

    def hook(self, hook: Hook, node: Node | None, context: RenderContext) -> str:
        from flowforge_project.templates import FileTemplates

        return FileTemplates(REGISTRY.manifest.root).hook(hook, node, context)


@dataclass(frozen=True)
class _Frames:
    """The engine's frames, read and written through the executor's own two methods."""

    executor: BaseExecutor
    node: Node

    def read(self, relation: str) -> Any:
        return self.executor._read_relation(relation, self.node, self.node.deps)  # noqa: SLF001 - its own other half

    def write(self, relation: str, frame: Any) -> int | None:
        return self.executor._materialize_relation(relation, frame, self.node)  # noqa: SLF001

    def columns(self, frame: Any) -> Sequence[str]:
        return _frames(self.executor.engine).columns(frame)

    def from_rows(self, rows: Rows) -> Any:
        return _frames(self.executor.engine).from_rows(rows)

    def to_rows(self, frame: Any) -> Rows:
        return _frames(self.executor.engine).to_rows(frame)


def _frames(engine: Engine) -> Frames:
    if engine.frames is None:
        raise UnsupportedByEngineError(engine.name, Capability.PYTHON_MODELS.value)
    return engine.frames
