"""Nodes, the model marker, and the registry: the only module-level state of FlowForge, kept for small scripts.

New code uses `flowforge.Project`, which has no global.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from flowforge_domain.manifest import Manifest, ref_relation, source_relation
from flowforge_domain.manifest import relation_for as _relation_for
from flowforge_domain.model import Node, model
from flowforge_domain.source import source

if TYPE_CHECKING:
    from flowforge_ports.project import ProjectPorts
    from flowforge_project.sandbox import Environment

__all__ = ["REGISTRY", "Node", "Registry", "model", "ref", "relation_for", "source"]


class Registry:
    """The project that was loaded last: its nodes, and a Jinja environment that knows what its models may call."""

    def __init__(self) -> None:
        self.manifest = Manifest("", Path())
        self.ports: ProjectPorts | None = None
        self._env: Environment | None = None

    @property
    def nodes(self) -> Mapping[str, Node]:
        """Return the models, of kind "sql" and "python"."""
        return self.manifest.nodes

    @property
    def environment(self) -> Mapping[str, str]:
        """Return the variables of the process over those of the project's `.env`."""
        from flowforge_bootstrap.profiles import EnvSettings

        return EnvSettings.of(self.manifest.root).variables

    @property
    def env(self) -> Environment:
        """Return the sandboxed Jinja environment of the project; `this` and `target` are an executor's to say."""
        if self._env is None:
            from flowforge_ports.project import RenderContext
            from flowforge_project.context import template_names
            from flowforge_project.sandbox import sandbox

            self._env = sandbox()
            self._env.globals |= template_names(
                RenderContext(
                    ref=lambda name: ref_relation(self.manifest, name),
                    source=lambda group, table: source_relation(self.manifest, group, table),
                    this="",
                    target={},
                    variables=self.manifest.variables,
                    environment=self.environment,
                )
            )
        return self._env

    def load_project(self, project_dir: Path | str) -> None:
        """Read the project in a folder; raise `FlowForgeError` when what it says is wrong."""
        from flowforge_bootstrap.plugins import load_plugins
        from flowforge_bootstrap.profiles import EnvSettings

        ports = load_plugins().open_project(Path(project_dir))
        environment = EnvSettings.of(Path(project_dir)).variables
        self.manifest, self.ports, self._env = ports.reader.manifest(environment), ports, None


REGISTRY = Registry()


def relation_for(node_name: str) -> str:
    """Return the relation that a node of the loaded project writes; where none is, its name, which inputs know too."""
    return _relation_for(node_name, REGISTRY.nodes)


def ref(name: str) -> str:
    """Return the relation of a model or seed of the loaded project; raise `DependencyNotFoundError`."""
    return ref_relation(REGISTRY.manifest, name)
