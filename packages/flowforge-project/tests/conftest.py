"""A project to write and to use: everything that the commands do with one, short of an engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from flowforge_domain.dialect import Dialect, quote_relation
from flowforge_domain.manifest import Manifest, ref_relation, run_order, source_relation
from flowforge_domain.materialize import create_statement
from flowforge_domain.model import Node
from flowforge_ports.project import RenderContext
from flowforge_project.functions import ModuleFunctions
from flowforge_project.reader import FolderReader
from flowforge_project.templates import FileTemplates

DIALECT = Dialect(
    name="plain",
    types={"text": "text", "bigint": "bigint", "double": "double", "boolean": "boolean", "timestamp": "timestamp"},
    age_minutes="age({column})",
)


@dataclass
class WrittenProject:
    """A project folder; `environment` is what `env_var()` sees."""

    root: Path
    environment: dict[str, str] = field(default_factory=dict)

    def write(self, files: Mapping[str, str | bytes]) -> WrittenProject:
        """Write files, given by their names, with the line ends they have."""
        for name, content in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return self

    def manifest(self) -> Manifest:
        return FolderReader(self.root).manifest()

    def context(self, manifest: Manifest, node: Node) -> RenderContext:
        return RenderContext(
            ref=lambda name: quote_relation(ref_relation(manifest, name), DIALECT),
            source=lambda group, table: quote_relation(source_relation(manifest, group, table), DIALECT),
            this=quote_relation(node.relation, DIALECT),
            target={"name": "dev", "engine": "plain"},
            variables=manifest.variables,
            environment=self.environment,
        )

    def rendered(self, manifest: Manifest, node: Node) -> str:
        return FileTemplates(self.root).render(node, self.context(manifest, node))

    def compiled(self) -> dict[str, str]:
        """Return the statement of every SQL model, in run order."""
        manifest = self.manifest()
        nodes = [manifest.nodes[name] for name in run_order(manifest)]
        return {
            node.name: create_statement(node, self.rendered(manifest, node), DIALECT)
            for node in nodes
            if node.kind == "sql"
        }

    def function(self, name: str, loader: ModuleFunctions | None = None):
        return (loader or ModuleFunctions(self.root)).function(self.manifest().nodes[name])

    def use(self) -> None:
        """Do what `run` does before and beside an engine: read, order, compile, import."""
        self.compiled()
        for node in self.manifest().nodes.values():
            if node.kind == "python":
                self.function(node.name)

    def files(self) -> list[str]:
        return sorted(p.relative_to(self.root).as_posix() for p in self.root.rglob("*") if p.is_file())


@pytest.fixture
def project(tmp_path: Path) -> WrittenProject:
    root = tmp_path.resolve() / "project"
    root.mkdir()
    return WrittenProject(root)


@pytest.fixture
def other_project(tmp_path: Path) -> WrittenProject:
    root = tmp_path.resolve() / "other"
    root.mkdir()
    return WrittenProject(root)
