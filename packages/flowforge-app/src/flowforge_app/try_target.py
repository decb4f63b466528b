"""Try a target out: make a table there, replace it, write a state row, and leave nothing behind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex

from flowforge_app.replace import replacing
from flowforge_domain.capability import Capability
from flowforge_domain.dialect import RelationKind
from flowforge_domain.materialize import built_as, create_statement, drop_statement
from flowforge_domain.model import Node
from flowforge_domain.state import STATE_TABLE, StateRow, forget_relations, insert_states
from flowforge_ports.engine import Engine


@dataclass(frozen=True)
class TryTarget:
    """Builds a table of one row under a name that nobody has, the way a model is built."""

    engine: Engine
    relation: str = field(default_factory=lambda: f"_flowforge_debug_{token_hex(4)}")

    @contextmanager
    def created(self) -> Iterator[None]:
        """Create the table for a `with` block; raise `EngineError` when the target does not allow it.

        All is undone with one transaction, a schema that was made for it too, where the engine has such.
        """
        # A broken seal stays for those to see who have state rows to write.
        if self.engine.seal and not self.engine.seal.broken():
            self.engine.seal.lift()
        built = False
        try:
            self.engine.session.begin()
            self._build(exists=False)
            built = True
            yield
        finally:
            self.engine.session.rollback()
            if built and self.relation in self.engine.catalog.relations():
                self.engine.session.execute(drop_statement(self.relation, "table", self.engine.dialect))
        if self.engine.sources:
            self.engine.sources.vouch()

    def replace(self) -> None:
        """Replace the table; raise `EngineError` when the target does not allow it."""
        self._build(exists=True)

    def keep_state(self) -> bool:
        """Write a state row, undo it, and tell whether it was tried; raise `EngineError` when that is not allowed.

        Where the row would not be undone with the transaction, or there is no state table yet, nothing is written.
        """
        can = Capability.TRANSACTIONAL_STATE in self.engine.capabilities
        if not can or STATE_TABLE not in self.engine.catalog.relations():
            return False
        session, dialect = self.engine.session, self.engine.dialect
        row = StateRow("debug", self.relation, self.relation, "", "", -1, "")
        try:
            session.begin()
            for statement in (*insert_states([row], dialect), *forget_relations([self.relation], dialect)):
                session.execute(statement)
        finally:
            session.rollback()
        return True

    def _build(self, exists: bool) -> None:
        node = Node("debug", "sql", Path("debug"), relation=self.relation)
        statement = create_statement(node, "select 1 as a", self.engine.dialect)
        existing: RelationKind | None = "table" if exists else None
        with replacing(self.engine, self.relation, "table", existing) as into:
            self.engine.session.execute(built_as(statement, into, self.engine.dialect))
