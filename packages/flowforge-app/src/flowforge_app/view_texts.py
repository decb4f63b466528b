"""What the views of a project say now: for those that stand on what is changed and do not fit it any more."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from shlex import quote

from flowforge_app.compile_models import CompileModels
from flowforge_domain.dag import downstream, upstream
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
        found = self._writer(relation)
        if found is None or found.config.materialized != "view":
            return ""
        if found.name in self.due:
            return self.compiler.statement(found)
        if found.name in downstream(self.manifest.nodes, [self.node.name]):
            message = f"It is the view of model {found.name!r}, which this run does not build."
            hint = f"Build it along: flowforge run --select {quote(self.node.name)}+"
            raise EngineError(message, kind=ErrorKind.DEPENDENTS, hint=hint)
        return ""

    def later(self, relation: str) -> bool:
        """Tell of a view whose place the run fills in any case, with what cannot be tried now.

        It reads another model that may not be built yet, or becomes something else than a view.
        """
        found, nodes = self._writer(relation), self.manifest.nodes
        if found is None or found.name not in self.due:
            return False
        read = upstream(nodes, [found.name])
        waits = {*self.due} & read - upstream(nodes, [self.node.name]) - {found.name}
        return self.node.name in read and (found.config.materialized != "view" or bool(waits))

    def _writer(self, relation: str) -> Node | None:
        key = relation_key(relation, self.dialect)
        nodes = self.manifest.nodes.values()
        return next((node for node in nodes if relation_key(node.relation, self.dialect) == key), None)
