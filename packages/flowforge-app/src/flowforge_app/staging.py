"""Build a relation from rows that were staged first: ask what speaks against it, then do what the plan says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from flowforge_app.replace import altering, replacing
from flowforge_domain.dialect import RelationKind, relation_key
from flowforge_domain.errors import EngineError, FlowForgeError, ModelError, SettingError
from flowforge_domain.frame_types import typed_by_values, unlike, values_query
from flowforge_domain.materialize import drop_statement, node_head
from flowforge_domain.model import Node
from flowforge_domain.plan import Plan, Refusal, Situation
from flowforge_domain.relation import relation_name
from flowforge_domain.swap import aside
from flowforge_domain.text import Location
from flowforge_ports.engine import Engine
from flowforge_ports.project import ProjectReader


@dataclass(frozen=True)
class StagedBuild:
    """One build by a plan; `standing` is what the relation is now, `goes_on` whether its rows stay.

    `existing` is what there was when the run began: also a table of new rows that a crash left. `told` hears of each
    statement by which the relation changes, before it is run.
    """

    engine: Engine
    node: Node
    plan: Callable[[Situation], Plan]
    standing: RelationKind | None
    goes_on: bool
    now: str
    existing: Mapping[str, RelationKind]
    reader: ProjectReader
    told: Callable[[str], None]

    @property
    def relation(self) -> str:
        """The table that holds the new rows while they are new."""
        return aside(relation_name(self.node.name), "new")

    def __call__(self, fill: Callable[[str], int | None]) -> int | None:
        """Have `fill` make the table of new rows, bring them into the relation, and return how many were written.

        Raises `FlowForgeError` before the relation is touched for rows that the plan refuses.
        """
        if left := self.existing.get(relation_key(self.relation, self.engine.dialect)):
            self.engine.session.execute(drop_statement(self.relation, left, self.engine.dialect))
        staged = fill(self.relation)
        try:
            plan = self._accepted()
        except ModelError:  # Not every engine has a transaction that takes the table back.
            with suppress(EngineError):
                self._drop()
            raise
        written = self._carry_out(plan)
        self._drop()
        return staged if written is None else written

    def _accepted(self) -> Plan:
        try:
            plan = self.plan(self._situation())
        except FlowForgeError as error:
            where = self._place(error.setting) if isinstance(error, SettingError) else self.node.where()
            raise self._failure(error.message, where, error.hint) from error
        for refusal in plan.refusals:
            self._ask(refusal)
        return plan

    def _drop(self) -> None:
        self.engine.session.execute(drop_statement(self.relation, "table", self.engine.dialect))

    def _situation(self) -> Situation:
        catalog = self.engine.catalog
        standing = tuple(catalog.columns(self.node.relation)) if self.goes_on else None
        given = tuple(catalog.columns(self.relation))
        situation = Situation(self.node, self.relation, given, standing, self.engine.dialect, self.now)
        # A query says what types it gives.
        if self.node.kind == "sql" or not (columns := unlike(situation)):
            return situation
        [found] = self.engine.session.query(values_query(situation, columns)).rows
        return typed_by_values(situation, columns, found)

    def _ask(self, refusal: Refusal) -> None:
        ask = self.engine.session.query
        if refusal.settled and ask(refusal.settled).rows[0][0]:
            return
        found = ask(refusal.query)
        if found.rows:
            shown = "\n".join(f"  {dict(zip(found.columns, row, strict=True))}" for row in found.rows)
            message = (any(None in row for row in found.rows) and refusal.of_null) or refusal.message
            raise self._failure(f"{message}\n{shown}", self._place(refusal.setting), refusal.hint)

    def _place(self, setting: str) -> Location:
        places = self.reader.places(self.node).get(setting)
        return places[-1].where if places else self.node.where()

    def _failure(self, message: str, where: Location, hint: str) -> ModelError:
        return ModelError(self.node.name, f"Model {self.node.name!r} failed: {message}", where=where, hint=hint)

    def _carry_out(self, plan: Plan) -> int | None:
        written = None
        if plan.query:
            kind = self.node.config.stands_as
            with replacing(self.engine, self.node.relation, kind, self.standing) as into:
                head = node_head(self.node, into, self.engine.dialect)
                written = self._execute(f"{head} as {plan.query}")
        with altering(self.engine, self.node.relation, plan.reshaped):
            for statement in plan.before:
                self._execute(statement)
        for statement in plan.statements:
            written = self._execute(statement)
        for statement in plan.after:
            self.engine.session.execute(statement)
        return written

    def _execute(self, statement: str) -> int | None:
        self.told(statement)
        return self.engine.session.execute(statement)
