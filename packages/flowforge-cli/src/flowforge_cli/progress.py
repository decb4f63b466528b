"""Says what happens while it happens: a line per model or seed, and on a terminal a progress line."""

from __future__ import annotations

from functools import singledispatchmethod
from typing import Any

from flowforge_cli.output import GREEN, RED, YELLOW, Output
from flowforge_cli.summary import milliseconds, totals
from flowforge_domain.results import CheckResult, ModelResult, RunReport, SeedResult, Status
from flowforge_ports.progress import ModelStarted, RunStarted

_MARKS = {Status.BUILT: ("✓", GREEN), Status.SKIPPED: ("↷", YELLOW), Status.FAILED: ("✗", RED)}


class Reporter:
    """Hears a run's events and prints them; fulfils `Progress`."""

    def __init__(self, output: Output) -> None:
        self._output = output

    @singledispatchmethod
    def __call__(self, event: Any) -> None:
        """Print one event."""

    @__call__.register
    def _run_started(self, event: RunStarted) -> None:
        models = f"{event.total} model{'s' * (event.total != 1)}"
        self._output.line(f"Running {models} on {event.engine} ({event.target})\n")
        self._output.event("run_started", f"{models}", run_id=event.run_id, total=event.total, engine=event.engine)

    @__call__.register
    def _model_started(self, event: ModelStarted) -> None:
        self._output.progress_line(f"… {event.index}/{event.total} {event.name}")
        self._output.event("model_started", event.name, model=event.name, index=event.index, total=event.total)

    @__call__.register
    def _model(self, result: ModelResult) -> None:
        self._output.progress_line("")
        mark, color = _MARKS[result.status]
        say = self._output.problem if result.status is Status.FAILED else self._output.line
        say(f"{self._output.paint(mark, color)} {_columns(result)}".rstrip())
        if result.error is not None:
            say("\n".join(f"   {line}" for line in f"↳ {result.error}".splitlines()))
        if self._output.verbose and result.relation != result.name:
            self._output.line(f"   ↳ writes {result.relation}")
        self._output.event(
            f"model_{result.status.value}",
            str(result.error or result.reason or result.name),
            "error" if result.error else "info",
            model=result.name,
            relation=result.relation,
            rows=result.rows,
            seconds=round(result.seconds, 6),
        )

    @__call__.register
    def _run_finished(self, report: RunReport) -> None:
        counts: dict[str, Any] = {status.value: report.count(status) for status in Status}
        self._output.line(totals(report))
        self._output.event("run_finished", "run finished", run_id=report.run_id, seconds=report.seconds, **counts)

    @__call__.register
    def _seed(self, result: SeedResult) -> None:
        rows = _rows(result.rows)
        self._output.line(
            f"{self._output.paint('✓', GREEN)} {result.name:<30} {rows:>14} {milliseconds(result.seconds):>9}"
        )
        self._output.event("seed_loaded", result.name, seed=result.name, rows=result.rows, seconds=result.seconds)

    @__call__.register
    def _check(self, result: CheckResult) -> None:
        check = result.check
        self._output.event(
            "check_passed" if result.ok else "check_failed",
            str(result.error or result.failure or check.subject),
            "info" if result.ok else "error",
            type=check.type,
            table=check.table,
            column=check.column,
            seconds=round(result.seconds, 6),
        )


def _columns(result: ModelResult) -> str:
    if result.status is Status.SKIPPED:
        return f"{result.name:<30} skipped ({result.reason})"
    rows = "failed" if result.status is Status.FAILED else _rows(result.rows)
    return f"{result.name:<30} {result.materialized:<6} {rows:>14} {milliseconds(result.seconds):>9}"


def _rows(count: int | None) -> str:
    if count is None:
        return ""
    return f"{count:,} row{'s' * (count != 1)}"
