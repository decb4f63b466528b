"""Show the first rows of what a model, seed or relation holds."""

from __future__ import annotations

from dataclasses import dataclass
from shlex import quote

from flowforge_domain.dialect import first_rows
from flowforge_domain.errors import EngineError, ErrorKind, SelectionError
from flowforge_domain.manifest import Manifest, table_relation
from flowforge_domain.model import node_name
from flowforge_domain.results import Rows
from flowforge_domain.text import did_you_mean
from flowforge_ports.engine import Engine

# A view's query runs only now.
_OF_ITS_QUERY = {ErrorKind.DATA, ErrorKind.STOPPED}


@dataclass(frozen=True)
class ShowModel:
    """Reads a few rows."""

    manifest: Manifest
    engine: Engine

    def __call__(self, name: str, limit: int = 10) -> Rows:
        """Return at most `limit` rows of the relation that `name` writes.

        Raises `SelectionError` with the nearest name, or with the command that builds what is not built yet, and for an
        ephemeral model.
        """
        node = self.manifest.nodes.get(node_name(name))
        if node and node.config.materialized == "ephemeral":
            hint = f"See its query: flowforge compile --select {quote(node.name)}"
            raise SelectionError(f"{node.name!r} is ephemeral: it has no table.", hint=hint)
        query = first_rows(table_relation(self.manifest, name), limit, self.engine.dialect)
        try:
            return self.engine.session.query(query)
        except EngineError as error:
            if node and error.kind in _OF_ITS_QUERY:
                error.where = node.where()
            if error.kind is not ErrorKind.MISSING_RELATION:
                raise
            raise SelectionError(f"There is no table {name!r} in the target.", hint=self._hint(name)) from error

    def _hint(self, name: str) -> str:
        if node_name(name) in self.manifest.nodes:
            return f"Build it first: flowforge run --select {quote(f'+{node_name(name)}')}"
        if name in self.manifest.seeds:
            return "Load it first: flowforge seed"
        return did_you_mean(name, [*self.manifest.nodes, *self.manifest.seeds]) or "The project has no models or seeds."
