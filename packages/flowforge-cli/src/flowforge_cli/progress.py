"""Says what happens while it happens: a line per model, and on a terminal a progress line."""

from __future__ import annotations

from functools import singledispatchmethod
from textwrap import indent
from typing import Any

from flowforge_cli.again import Given
from flowforge_cli.output import GREEN, RED, YELLOW, Output, error_facts, trace
from flowforge_cli.summary import column_width, milliseconds, retries, rows_of, seed_summary, totals
from flowforge_domain.results import CheckResult, ModelResult, RunReport, SeedReport, Status, Verdict
from flowforge_domain.text import printable
from flowforge_ports.progress import (
    CheckStarted,
    Loss,
    ModelStarted,
    Notice,
    Retried,
    RunStarted,
    SeedStarted,
    StatementStarted,
)

_HERE = Given()
_LEVELS = {Verdict.WARNED: "warning", Verdict.FAILED: "error", Verdict.ERROR: "error"}
_MARKS = {
    Status.BUILT: ("✓", GREEN),
    Status.UNCHANGED: ("·", ""),
    Status.SKIPPED: ("↷", YELLOW),
    Status.FAILED: ("✗", RED),
}


_VERDICTS = {
    Verdict.PASSED: ("✓", GREEN),
    Verdict.WARNED: ("⚠", YELLOW),
    Verdict.FAILED: ("✗", RED),
    Verdict.ERROR: ("✗", RED),
    Verdict.SKIPPED: ("↷", YELLOW),
}


class Reporter:
    """Hears what a project does and prints it; fulfils `Progress`.

    Commands in what it prints work on what is `given`.
    """

    def __init__(self, output: Output, given: Given = _HERE) -> None:
        self._output = output
        self._given = given
        # Of the column of names in a run; without one, tests are told by their summary alone.
        self._width = 0
        self._running: list[str] = []
        self._place = ""

    @singledispatchmethod
    def __call__(self, event: Any) -> None:
        """Print one event."""
        match event:
            case Loss():
                self._output.alert(self._given.told(event.message))
            case Notice():
                self._output.warn(self._given.told(event.message))
            case StatementStarted() if self._output.verbose:
                self._output.line(f"  {event.model} runs\n{indent(printable(event.sql.strip().expandtabs(4)), '   ')}")
                self._output.event("statement_started", event.model, model=event.model, sql=event.sql.strip())
                self._show_running()

    @__call__.register
    def _run_started(self, event: RunStarted) -> None:
        total = len(event.models)
        models = f"{total} model{'s' * (total != 1)}"
        self._width = column_width((*event.models, *event.tests))
        if total:
            self._output.line(f"Running {models} on {event.engine} ({event.target})\n")
        self._output.event("run_started", models, run_id=event.run_id, total=total, engine=event.engine)

    @__call__.register
    def _model_started(self, event: ModelStarted) -> None:
        self._running.append(event.name)
        self._place = f"{event.index}/{event.total}"
        self._show_running()
        self._output.event("model_started", event.name, model=event.name, index=event.index, total=event.total)

    @__call__.register
    def _model(self, result: ModelResult) -> None:
        mark, color = _MARKS[result.status]
        say = self._output.problem if result.status is Status.FAILED else self._output.line
        shown = self._output.paint(mark, color) if color else mark
        say(f"{shown} {_columns(result, self._width)}".rstrip())
        if result.error is not None:
            trace(self._given.mend(result.error))
            say("\n".join(f"   {line}" for line in printable(f"↳ {result.error}").splitlines()))
        if self._output.verbose and result.relation != result.name:
            self._output.line(f"   ↳ writes {result.relation}")
        self._output.event(
            f"model_{result.status.value}",
            result.error.message if result.error else result.reason or result.name,
            "error" if result.error else "info",
            model=result.name,
            relation=result.relation,
            rows=result.rows,
            seconds=round(result.seconds, 6),
            retries=result.retries,
            **(error_facts(result.error) if result.error else {}),
        )
        self._running = [name for name in self._running if name != result.name]
        self._show_running()

    @__call__.register
    def _retried(self, event: Retried) -> None:
        trace(self._given.mend(event.error))
        self._output.line(f"{self._output.paint('↻', YELLOW)} {event.what:<{self._width}} {_retry(event)}")
        facts = {"what": event.what, "again": event.again, "after": round(event.seconds, 3), **error_facts(event.error)}
        self._output.event("retried", event.error.message, "warning", **facts)
        self._show_running()

    @__call__.register
    def _run_finished(self, report: RunReport) -> None:
        for error in report.errors:
            trace(self._given.mend(error))
            self._output.problem(f"{self._output.paint('✗', RED)} {printable(str(error))}")
            self._output.event("hook_failed", error.message, "error", **error_facts(error))
        counts: dict[str, Any] = {status.value: report.count(status) for status in Status}
        counts["retries"] = report.retries
        if report.results:
            self._output.line(totals(report, self._output))
        self._output.event(
            "run_finished", "run finished", run_id=report.run_id, seconds=round(report.seconds, 6), **counts
        )

    @__call__.register
    def _seed_started(self, event: SeedStarted) -> None:
        self._output.progress(f"… {event.index}/{event.total} {event.name}")
        self._output.event("seed_started", event.name, seed=event.name, index=event.index, total=event.total)

    @__call__.register
    def _seeds(self, report: SeedReport) -> None:
        for result in report.results:
            seconds = round(result.seconds, 6)
            self._output.event("seed_loaded", result.name, seed=result.name, rows=result.rows, seconds=seconds)
        if report.results:
            among = "\n" if self._width else ""
            self._output.line(f"{seed_summary(report, self._output)}{among}")

    @__call__.register
    def _check_started(self, event: CheckStarted) -> None:
        self._output.progress(f"… {event.index}/{event.total} {event.check.type} {event.check.subject}")

    @__call__.register
    def _check(self, result: CheckResult) -> None:
        check = result.check
        if result.error is not None:
            trace(self._given.mend(result.error))
        if self._width:
            self._output.line(_check_lines(result, self._width, self._output))
        self._output.event(
            f"check_{result.verdict.value}",
            result.error.message if result.error else result.failure or result.skipped or check.subject,
            _LEVELS.get(result.verdict, "info"),
            type=check.type,
            table=check.table,
            column=check.column,
            seconds=round(result.seconds, 6),
            query=result.query,
            **(error_facts(result.error) if result.error else {"where": str(check.where)}),
        )
        self._show_running()

    def _show_running(self) -> None:
        if self._running:
            self._output.progress(f"… {self._place} {', '.join(self._running)}")


def _columns(result: ModelResult, width: int) -> str:
    name = f"{result.name:<{width}}"
    if result.status is Status.UNCHANGED:
        return f"{name} skipped (unchanged)"
    if result.status is Status.SKIPPED:
        return f"{name} skipped ({result.reason})"
    rows = "failed" if result.status is Status.FAILED else rows_of(result.rows)
    kind = f"{result.materialized:<6}"
    retried = f"  ({retries(result.retries)})" * bool(result.retries)
    return f"{name} {kind} {rows:>{20 - len(kind)}} {milliseconds(result.seconds):>9}{retried}"


def _check_lines(result: CheckResult, width: int, output: Output) -> str:
    """Return a test among the models of a build: how it ended, and the first line of why."""
    first = f"{output.paint(*_VERDICTS[result.verdict])} {result.check.title:<{width}}"
    if result.skipped:
        return f"{first} skipped ({result.skipped})"
    why = printable(str(result.error.message if result.error else result.failure)).splitlines()
    line = f"{first} test   {result.verdict.value:>13} {milliseconds(result.seconds):>9}"
    return f"{line}\n   ↳ {why[0]}" if why else line


def _retry(event: Retried) -> str:
    said = printable(event.error.message).splitlines()
    return f"again in {milliseconds(event.seconds)}: {said[0] if said else event.error.message}"
