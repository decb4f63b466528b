"""What the views of a project say now: for those that stand on what is changed and do not fit it any more."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from shlex import quote

from flowforge_app.compile_models import CompileModels
from flowforge_domain.dag import downstream
from flowforge_domain.dialect import Dialect, relation_key
from flowforge_domain.errors import EngineError, ErrorKind
from flowforge_domain.manifest import Manifest
from flowforge_domain.model import Node


@dataclass(frozen=True)
class ViewTexts:
    """Gives the statements of views while `node` is built, of those that the run builds too, which are `due`."""

    manifest: Manifest
    compiler: CompileModels
    dialect: Dialect
    node: Node
    due: Collection[str]

    def __call__(self, relation: str) -> str:
        """Return the statement of the view model that writes a relation, "" where no model of this run does.

        Raises `EngineError` for a view that only another selection would build, with the command.
        """
        key = relation_key(relation, self.dialect)
        views = (node for node in self.manifest.nodes.values() if node.config.materialized == "view")
        found = next((view for view in views if relation_key(view.relation, self.dialect) == key), None)
        if found is None:
            return ""
        if found.name in self.due:
            return self.compiler.statement(found)
        if found.name in downstream(self.manifest.nodes, [self.node.name]):
            message = f"It is the view of model {found.name!r}, which this run does not build."
            hint = f"Build it along: flowforge run --select {quote(self.node.name)}+"
            raise EngineError(message, kind=ErrorKind.DEPENDENTS, hint=hint)
        return ""
