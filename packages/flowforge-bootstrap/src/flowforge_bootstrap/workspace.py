"""A project folder as one command or caller sees it: what its files say, under one profile. Nothing is opened here."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flowforge_app.build_docs import BuildDocs
from flowforge_app.compile_models import CompileModels
from flowforge_app.narrow import narrowed
from flowforge_app.past_runs import PastRuns
from flowforge_app.require_names import require_names
from flowforge_bootstrap.artifacts import DOCS, compiled_file, unwritable, write_manifest, write_text
from flowforge_bootstrap.asked import Asked
from flowforge_bootstrap.plugins import Plugins, load_plugins, resolve
from flowforge_bootstrap.profiles import (
    EnvSettings,
    ResolvedProfile,
    choose_profile,
    installed_engine,
    place_of_engine,
    profiles_file,
    require_profile,
    wanted_engine,
)
from flowforge_domain.errors import ConfigError, PluginError, ProfileError
from flowforge_domain.listing import listed, selected_resources
from flowforge_domain.manifest import Manifest, run_order, with_variables
from flowforge_domain.mermaid import flowchart
from flowforge_domain.selection import Selection, selected_nodes
from flowforge_ports.project import ProjectPorts


def _nothing(said: str) -> None:
    """Say nothing."""


@dataclass(frozen=True)
class Dag:
    """The graph of a project: its nodes in run order, and the Mermaid text."""

    order: list[str]
    mermaid: str


@dataclass(frozen=True)
class Workspace:
    """A folder, the plugins at hand, and the profile, engine and variables that were asked for, if any.

    `tell` hears of what the project's author should know each time its files are read.
    """

    root: Path
    plugins: Plugins = field(repr=False)
    env: str | None = None
    engine: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict, repr=False)
    tell: Callable[[str], None] = field(default=_nothing, repr=False)

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables that the project's texts and profiles may name; raise `ConfigError` for a wrong `.env`."""
        return EnvSettings.of(self.root).variables

    def ports(self) -> ProjectPorts:
        """Return the project's ports; raise `ConfigError` where there is no project."""
        return self.plugins.open_project(self.root)

    def manifest(self, ports: ProjectPorts) -> Manifest:
        """Return what the files say, with the given variables over theirs; raise `FlowForgeError` when it is wrong."""
        manifest = with_variables(read_project(self, ports), self.variables)
        for notice in manifest.notices:
            self.tell(notice)
        return manifest

    def profile(self, ports: ProjectPorts) -> ResolvedProfile:
        """Return the profile that is used; raise `ProfileError` naming the known ones."""
        entries, file = ports.reader.profiles(self.environment), profiles_file(self.root)
        return choose_profile(entries, self.plugins, self.environment, self.env, self.engine, file)

    def compiler(self, ports: ProjectPorts, manifest: Manifest, profile: ResolvedProfile) -> CompileModels:
        """Return what turns the project's models into SQL for a profile's engine."""
        return CompileModels(manifest, ports.renderer, profile.dialect, profile.target, self.environment)

    def past_runs(self) -> PastRuns:
        """Return what can tell of the runs that this project has seen."""
        return PastRuns(self.ports().journals)

    def compile(self, wanted: Asked) -> dict[str, Path]:
        """Write the SQL of the selected models below `.flowforge/compiled/`, and the manifest; return the SQL files."""
        ports = self.ports()
        manifest = self.manifest(ports)
        compiler, chosen = self.compiler(ports, manifest, self.profile(ports)), _chosen(self, wanted, ports, manifest)
        require_names(compiler, selected_nodes(manifest, chosen))
        compiled = compiler(chosen)
        write_manifest(manifest, ports.reader)
        return {
            name: write_text(compiled_file(self.root, manifest.nodes[name].file), sql) for name, sql in compiled.items()
        }

    def dag(self, wanted: Asked) -> Dag:
        """Return the graph of the selected models.

        Raises `ModelCycleError` or `DependencyNotFoundError` when the project has none, `ProfileError` for an
        environment and `PluginError` for an engine that does not exist.
        """
        ports = self.ports()
        require_known(self, ports)
        manifest = self.manifest(ports)
        chosen = narrowed(manifest, _chosen(self, wanted, ports, manifest))
        return Dag(run_order(chosen), flowchart(chosen.nodes, chosen.seeds.values(), chosen.sources.values()))

    def ls(self, wanted: Asked, kinds: Collection[str] = ("seed", "model")) -> list[dict[str, Any]]:
        """Return the facts of what is selected among things of these kinds, in the order in which they are worked on.

        Raises `FlowForgeError` for a wrong graph, kind or selection.
        """
        ports = self.ports()
        require_known(self, ports)
        manifest = self.manifest(ports)
        way = "Or list other kinds: --resource source."
        found = selected_resources(manifest, _chosen(self, wanted, ports, manifest), kinds, way)
        return [listed(manifest, resource) for resource in found]

    def write_dag(self, wanted: Asked, out_dir: Path | None = None) -> tuple[Dag, Path]:
        """Write the Mermaid text, by default into `.flowforge/docs/`, and return the graph and the file."""
        dag = self.dag(wanted)
        return dag, write_text((out_dir or self.root / DOCS) / "dag.mmd", dag.mermaid)

    def docs(self, wanted: Asked, out_dir: Path | None = None) -> Path:
        """Write the documentation site, by default into `.flowforge/docs/`, and return the page to open."""
        ports = self.ports()
        require_known(self, ports)
        manifest = self.manifest(ports)
        try:
            compiler = self.compiler(ports, manifest, self.profile(ports))
        except (ProfileError, PluginError):
            if self.env or self.engine:
                raise
            compiler = None
        site = resolve(self.plugins.site().open)()
        build = BuildDocs(narrowed(manifest, _chosen(self, wanted, ports, manifest)), ports.reader, site, compiler)
        try:
            return build(out_dir or self.root / DOCS)
        except OSError as error:
            raise unwritable(out_dir or self.root / DOCS, error) from error


def require_known(workspace: Workspace, ports: ProjectPorts) -> None:
    """Raise for an environment or engine that was asked for and does not exist, though neither is needed."""
    if workspace.env is not None:
        require_profile(ports.reader.profiles(workspace.environment), workspace.env)
    if engine := wanted_engine(workspace.engine, workspace.environment):
        installed_engine(engine, workspace.plugins, place_of_engine(workspace.engine))


def open_workspace(
    path: str | Path,
    env: str | None = None,
    engine: str | None = None,
    variables: Mapping[str, Any] | None = None,
    tell: Callable[[str], None] = _nothing,
) -> Workspace:
    """Return the project in folder `path` without reading it yet; raise `ConfigError` for variables without names."""
    _require_mapping(variables or {})
    return Workspace(Path(path).resolve(), load_plugins(), env, engine, variables or {}, tell)


def read_project(workspace: Workspace, ports: ProjectPorts) -> Manifest:
    """Return what the files say, under the profile where they ask for it; raise `FlowForgeError`."""
    return ports.reader.manifest(workspace.environment, lambda: workspace.profile(ports).target)


def _chosen(workspace: Workspace, wanted: Asked, ports: ProjectPorts, manifest: Manifest) -> Selection:
    return wanted.among(ports, manifest, lambda: workspace.profile(ports))


def _require_mapping(variables: object) -> None:
    if not isinstance(variables, Mapping):
        hint = "Pass a mapping such as {'start': '2026-01-01'}."
        raise ConfigError(f"`vars` maps names to values, and is no {type(variables).__name__}.", hint=hint)
