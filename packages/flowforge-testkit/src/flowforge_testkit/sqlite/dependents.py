"""The views on what is changed: sqlite binds them when they are read, and a change breaks them unseen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from flowforge_domain.dialect import quote_relation
from flowforge_domain.errors import EngineError
from flowforge_domain.late_views import Renewals, follow, possible_readers
from flowforge_domain.materialize import drop_statement
from flowforge_domain.relation import relation_name
from flowforge_ports.engine import Session
from flowforge_testkit.sqlite.dialect import DIALECT


@dataclass(frozen=True)
class SqliteLateViews:
    """The views of the file."""

    session: Session

    @contextmanager
    def keeping(self, relation: str, renewals: Renewals) -> Iterator[None]:
        """Look at every view before the block, since a target in memory has no session that could look back."""
        readable = {view for view in self._definitions() if not self._fault(view)}
        yield
        views = [view for view in possible_readers(relation, self._definitions()) if view in readable]

        def broken() -> dict[str, str]:
            return {view: why for view in views if (why := self._fault(view))}

        follow(relation, broken, self._make, renewals, DIALECT)

    def _definitions(self) -> Mapping[str, str]:
        found = self.session.query("select name, sql from sqlite_master where type = 'view'")
        return {relation_name(name): sql for name, sql in found.rows}

    def _fault(self, view: str) -> str:
        try:
            self.session.query(f"select * from {quote_relation(view, DIALECT)} limit 0")
        except EngineError as error:
            return error.message
        return ""

    def _make(self, view: str, statement: str) -> str:
        self.session.execute("savepoint flowforge_view")
        self.session.execute(drop_statement(view, "view", DIALECT))
        self.session.execute(statement)
        if why := self._fault(view):
            self.session.execute("rollback to flowforge_view")
        self.session.execute("release flowforge_view")
        return why
