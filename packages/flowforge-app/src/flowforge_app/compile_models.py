"""Compile models: the SQL that a SQL model becomes on an engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flowforge_domain.dialect import Dialect, quote_relation
from flowforge_domain.manifest import Manifest, ref_relation, run_order, source_relation
from flowforge_domain.materialize import create_statement
from flowforge_domain.model import Node
from flowforge_domain.selection import EVERYTHING, Selection, select, selectable_nodes
from flowforge_ports.project import RenderContext, TemplateRenderer


@dataclass(frozen=True)
class CompileModels:
    """Renders SQL models for one engine and environment.

    `target` is what templates see of the environment: name, engine. `variables` are the project's.
    """

    manifest: Manifest
    renderer: TemplateRenderer
    dialect: Dialect
    target: Mapping[str, str]
    environment: Mapping[str, str]

    def __call__(self, wanted: Selection = EVERYTHING) -> dict[str, str]:
        """Return the statement of each selected SQL model, in run order.

        Raises `FlowForgeError` for a wrong graph, selection or template.
        """
        order = run_order(self.manifest)
        nodes = self.manifest.nodes
        chosen = select(selectable_nodes(nodes), wanted, nodes)
        return {name: self.statement(nodes[name]) for name in order if name in chosen and nodes[name].kind == "sql"}

    def statement(self, node: Node) -> str:
        """Return the statement that builds one SQL model.

        Raises `TemplateError` with file, line and what to write instead.
        """
        return create_statement(node, self.renderer.render(node, self.context(node)), self.dialect)

    def context(self, node: Node) -> RenderContext:
        """Return what the template of a node may call; relations are quoted for the engine."""
        return RenderContext(
            ref=lambda name: quote_relation(ref_relation(self.manifest, name), self.dialect),
            source=lambda group, table: quote_relation(source_relation(self.manifest, group, table), self.dialect),
            this=quote_relation(node.relation, self.dialect),
            target=self.target,
            variables=self.manifest.variables,
            environment=self.environment,
        )
