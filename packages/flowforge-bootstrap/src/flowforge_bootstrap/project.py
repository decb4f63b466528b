"""The Python API: a project that can be run, tested, seeded, shown and drawn.

    project = Project.load("shop", env="dev")
    project.seed()
    report = project.run(select="+orders")

Every call reads the project's files anew, so it is never stale; the parse cache makes that cheap.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

from flowforge_app.build_docs import BuildDocs
from flowforge_app.compile_models import CompileModels
from flowforge_app.narrow import narrowed
from flowforge_bootstrap.artifacts import COMPILED, DOCS, unwritable, write_text
from flowforge_bootstrap.plugins import Plugins, load_plugins, resolve
from flowforge_bootstrap.profiles import EnvSettings, ResolvedProfile, choose_profile, require_profile
from flowforge_domain.dag import mermaid
from flowforge_domain.errors import PluginError, ProfileError
from flowforge_domain.manifest import Manifest, run_order
from flowforge_domain.results import CheckReport, Rows, RunReport, SeedReport
from flowforge_domain.selection import selection
from flowforge_ports.engine import Engine
from flowforge_ports.progress import Event, Progress
from flowforge_ports.project import ProjectPorts

if TYPE_CHECKING:
    from flowforge_bootstrap.container import Container

Names = Iterable[str] | str | None


@dataclass(frozen=True)
class Dag:
    """The graph of a project: its nodes in run order, and the Mermaid text."""

    order: list[str]
    mermaid: str


def silent(event: Event) -> None:
    """Ignore an event."""


class Project:
    """A project folder and the profile it is run with.

    May be used again and again, and from several threads; one call at a time works on the target.
    """

    def __init__(self, root: Path, plugins: Plugins, env: str | None, engine: str | None, progress: Progress) -> None:
        self.root = root
        self._plugins = plugins
        self._env = env
        self._engine_name = engine
        self._progress = progress
        self._lock = RLock()
        self._kept: Engine | None = None

    @classmethod
    def open(
        cls, path: str | Path = ".", env: str | None = None, engine: str | None = None, progress: Progress = silent
    ) -> Project:
        """Return the project in folder `path` without reading it yet."""
        return cls(Path(path).resolve(), load_plugins(), env, engine, progress)

    @classmethod
    def load(
        cls, path: str | Path = ".", env: str | None = None, engine: str | None = None, progress: Progress = silent
    ) -> Project:
        """Return the project in folder `path`; raise `FlowForgeError` when what it says is wrong."""
        project = cls.open(path, env, engine, progress)
        project.manifest()
        return project

    def manifest(self) -> Manifest:
        """Return what the project's files say now."""
        return self._ports().reader.manifest()

    def run(self, select: Names = None, exclude: Names = None) -> RunReport:
        """Build the selected models; a model's own error is in the report.

        Raises `FlowForgeError` for a wrong project, profile or selection.
        """
        with self._container() as container:
            return container.run_models()(selection(select, exclude))

    def test(self, select: Names = None, exclude: Names = None) -> CheckReport:
        """Run the selected data-quality tests; what does not hold is in the report."""
        with self._container() as container:
            return container.run_checks()(selection(select, exclude))

    def seed(self, select: Names = None, exclude: Names = None) -> SeedReport:
        """Load the selected seeds, all or none; raise `SeedError` naming file, row and column."""
        with self._container() as container:
            return container.load_seeds()(selection(select, exclude))

    def show(self, name: str, limit: int = 10) -> Rows:
        """Return the first rows of what `name` writes."""
        with self._container() as container:
            return container.show_model()(name, limit)

    def compile(self, select: Names = None, exclude: Names = None) -> dict[str, Path]:
        """Write the SQL of the selected models below `.flowforge/compiled/` and return the files."""
        ports = self._ports()
        manifest = ports.reader.manifest()
        compiled = self._compiler(ports, manifest, self._profile(ports))(selection(select, exclude))
        return {
            name: write_text(self.root / COMPILED / f"{manifest.nodes[name].file.removesuffix('.ff.sql')}.sql", sql)
            for name, sql in compiled.items()
        }

    def dag(self, select: Names = None, exclude: Names = None) -> Dag:
        """Return the graph of the selected models.

        Raises `ModelCycleError` or `DependencyNotFoundError` when the project has none, `ProfileError` for an
        environment that does not exist.
        """
        ports = self._ports()
        if self._env is not None:
            require_profile(ports.reader.profiles(EnvSettings.of(self.root).variables), self._env)
        chosen = narrowed(ports.reader.manifest(), selection(select, exclude))
        return Dag(run_order(chosen), mermaid(chosen.nodes))

    def write_dag(self, out_dir: Path | None = None, select: Names = None, exclude: Names = None) -> tuple[Dag, Path]:
        """Write the Mermaid text, by default into `.flowforge/docs/`, and return the graph and the file."""
        dag = self.dag(select, exclude)
        return dag, write_text((out_dir or self.root / DOCS) / "dag.mmd", dag.mermaid)

    def docs(self, out_dir: Path | None = None, select: Names = None, exclude: Names = None) -> Path:
        """Write the documentation site, by default into `.flowforge/docs/`, and return the page to open."""
        ports = self._ports()
        manifest = ports.reader.manifest()
        try:
            compiler = self._compiler(ports, manifest, self._profile(ports))
        except (ProfileError, PluginError):
            if self._env or self._engine_name:
                raise
            compiler = None
        site = resolve(self._plugins.site().open)()
        build = BuildDocs(narrowed(manifest, selection(select, exclude)), ports.reader, site, compiler)
        try:
            return build(out_dir or self.root / DOCS)
        except OSError as error:
            raise unwritable(out_dir or self.root / DOCS, error) from error

    def profile(self) -> ResolvedProfile:
        """Return the profile that is used; raise `ProfileError` naming the known ones."""
        return self._profile(self._ports())

    @contextmanager
    def engine(self) -> Iterator[Engine]:
        """Open the engine for a `with` block."""
        with self._container() as container:
            yield container.engine()

    def is_in_memory(self) -> bool:
        """Whether the target's data ends with this object."""
        return self._kept is not None

    def close(self) -> None:
        """Close what is kept open, which is only an in-memory target."""
        with self._lock:
            if self._kept:
                self._kept.session.close()
                self._kept = None

    def __enter__(self) -> Project:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _container(self) -> Iterator[Container]:
        from dependency_injector import providers

        from flowforge_bootstrap.container import Container

        with self._lock:
            ports = self._ports()
            manifest, profile = ports.reader.manifest(), self._profile(ports)
            given: dict[str, Any] = {
                "project": ports,
                "manifest": manifest,
                "profile": profile,
                "compiler": self._compiler(ports, manifest, profile),
                "progress": self._progress,
            }
            container = Container(**{name: providers.Object(value) for name, value in given.items()})
            container.kept_engine.override(providers.Object(self._kept))
            try:
                yield container
            finally:
                if container.engine.initialized and not container.engine().keeps:
                    self._kept = container.engine()
                container.shutdown_resources()

    def _ports(self) -> ProjectPorts:
        ports: ProjectPorts = resolve(self._plugins.project().open)(self.root)
        return ports

    def _profile(self, ports: ProjectPorts) -> ResolvedProfile:
        environment = EnvSettings.of(self.root).variables
        return choose_profile(
            ports.reader.profiles(environment), self._plugins, environment, self._env, self._engine_name
        )

    def _compiler(self, ports: ProjectPorts, manifest: Manifest, profile: ResolvedProfile) -> CompileModels:
        return CompileModels(
            manifest,
            ports.renderer,
            profile.spec.dialect,
            {"name": profile.name, "engine": profile.spec.name},
            EnvSettings.of(self.root).variables,
        )
