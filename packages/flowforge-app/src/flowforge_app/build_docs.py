"""Build the documentation site of a project; no user code runs, and no engine is opened."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from flowforge_app.compile_models import CompileModels
from flowforge_domain.errors import TemplateError
from flowforge_domain.manifest import Manifest, run_order
from flowforge_ports.docs import SiteContent, SiteWriter
from flowforge_ports.project import ProjectReader


@dataclass(frozen=True)
class BuildDocs:
    """Writes the site; `compiler` is None when no profile says for which engine to compile."""

    manifest: Manifest
    reader: ProjectReader
    site: SiteWriter
    compiler: CompileModels | None

    def __call__(self, out_dir: Path) -> Path:
        """Write the site into `out_dir` and return the page to open.

        Raises `FlowForgeError` for a wrong graph.
        """
        run_order(self.manifest)
        nodes = self.manifest.nodes
        target = self.compiler.target if self.compiler else {}
        content = SiteContent(
            manifest=self.manifest,
            code={name: self.reader.text(node) for name, node in nodes.items()},
            compiled=self._compiled(),
            environment=target.get("name", ""),
            engine=target.get("engine", ""),
        )
        return self.site.write(out_dir, content)

    def _compiled(self) -> dict[str, str]:
        """Return the SQL of every model that compiles; one that needs a variable nobody set has none to show."""
        compiled = {}
        for name, node in self.manifest.nodes.items():
            if self.compiler and node.kind == "sql":
                try:
                    compiled[name] = self.compiler.written(node).strip()
                except TemplateError:
                    continue
        return compiled
