"""Run checks: each a query of one value and a verdict on it."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter

from flowforge_app.cancelled import was_cancelled
from flowforge_app.model_errors import KEEPS_NOTHING
from flowforge_domain.checks import RULES, Check, check_failure, check_query
from flowforge_domain.errors import ConfigError, EngineError, ErrorKind, FlowForgeError
from flowforge_domain.manifest import Manifest, table_relation
from flowforge_domain.model import Node, Seed, node_name
from flowforge_domain.relation import same_relation
from flowforge_domain.results import CheckReport, CheckResult
from flowforge_domain.selection import EVERYTHING, Selection, selected_checks
from flowforge_domain.text import caret, nearest
from flowforge_ports.engine import Engine
from flowforge_ports.progress import ChecksStarted, CheckStarted, Progress


@dataclass(frozen=True)
class RunChecks:
    """Runs the project's data-quality tests."""

    manifest: Manifest
    engine: Engine
    progress: Progress

    def __call__(self, wanted: Selection = EVERYTHING) -> CheckReport:
        """Run what is selected, by the tags of a test or by the node it looks at, in the project's order.

        Raises `SelectionError` for an empty selection. What does not hold is in the report.
        """
        checks = selected_checks(self.manifest, wanted)
        results = []
        if checks:
            titles = tuple(check.title for check in checks)
            self.progress(ChecksStarted(titles, self.engine.name, self.engine.target))
        for index, check in enumerate(checks, start=1):
            self.progress(CheckStarted(check, index, len(checks)))
            results.append(self.result(check))
            self.progress(results[-1])
        return CheckReport(results)

    def result(self, check: Check) -> CheckResult:
        """Run one test and return what came of it."""
        started, query = perf_counter(), ""
        try:
            query = check_query(check, table_relation(self.manifest, check.table), self.engine.dialect)
            value = self.engine.session.query(query).rows[0][0]
            failure = check_failure(check, value) or ""
        except FlowForgeError as error:
            if was_cancelled(error):
                raise
            return CheckResult(check, query, perf_counter() - started, error=self._placed(error, check, query))
        return CheckResult(check, query, perf_counter() - started, failure)

    def _placed(self, error: FlowForgeError, check: Check, query: str) -> FlowForgeError:
        """Return the error with the place of the test in the project."""
        at_fault = error if isinstance(error, EngineError) else EngineError("")
        missing = at_fault.kind is ErrorKind.MISSING_RELATION
        placed = ConfigError(
            f"Test {check.type} of {check.subject} cannot run: {error.message}",
            where=check.where,
            snippet="" if missing else caret(query, at_fault.line, at_fault.column),
            hint=self._hint_for_missing(check.table) if missing else _hint_for_type(check, at_fault.kind) or error.hint,
        )
        placed.__cause__ = error
        return placed

    def _hint_for_missing(self, table: str) -> str:
        node = self.manifest.nodes.get(node_name(table))
        if node and node.config.materialized == "ephemeral":
            return "An ephemeral model has no table: test one that reads it, or make it a view."
        made: list[Node | Seed] = [*self.manifest.nodes.values(), *self.manifest.seeds.values()]
        sources = {".".join(key): source.relation for key, source in self.manifest.sources.items()}
        if table in sources:
            return f"A test of a source names its table: {sources[table]!r}."
        known = {name for thing in made for name in (thing.name, thing.relation)} | {*sources.values()}
        close = None if same_relation(node_name(table)) in map(same_relation, known) else nearest(table, known)
        if close:
            return f"Did you mean {close!r}?"
        return "Build it first: flowforge run" if self.engine.keeps else KEEPS_NOTHING


def _hint_for_type(check: Check, kind: ErrorKind) -> str:
    """Return the fix where the engine understood the names and not what is done with them, "" elsewhere."""
    takes = RULES[check.type].takes
    if not takes or kind not in (ErrorKind.UNKNOWN, ErrorKind.SYNTAX):
        return ""
    return f"{check.type} takes {takes}: cast {check.column} where its table is made, or name another column."
