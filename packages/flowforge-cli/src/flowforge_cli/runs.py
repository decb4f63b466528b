"""`flowforge runs list` and `runs show`: what ran, and how it ended."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, replace
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from flowforge_cli.opening import open_project
from flowforge_cli.options import Format, LogFormat, ProjectPath
from flowforge_cli.output import GREEN, RED, YELLOW, Output, output
from flowforge_cli.summary import column_width, milliseconds, rows_of
from flowforge_domain.journal import (
    CRASHED,
    FAILED,
    NOT_RUN,
    OK,
    RUNNING,
    UNFINISHED,
    CheckRecord,
    ModelRecord,
    RunRecord,
    as_arguments,
)
from flowforge_domain.results import Status, Verdict
from flowforge_domain.text import printable

Run = Annotated[str, typer.Argument(help="The id of a run, or how it begins.")]
Limit = Annotated[int, typer.Option("--limit", "-n", min=1, help="At most so many runs.")]


class _ListUnlessNamed(TyperGroup):
    """Takes `runs` and `runs -n 2` for `runs list`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        is_named = args and (not args[0].startswith("-") or args[0] in ctx.help_option_names)
        return super().parse_args(ctx, args if is_named else ["list", *args])


app = typer.Typer(cls=_ListUnlessNamed, help="Tell what ran, and how it ended: list, unless another command is named.")
_MARKS = {
    Status.SKIPPED.value: ("↷", YELLOW),
    Status.FAILED.value: ("✗", RED),
    UNFINISHED: ("…", RED),
    NOT_RUN: (" ", YELLOW),
}

_CHECK_MARKS = {
    Verdict.WARNED.value: ("⚠", YELLOW),
    Verdict.FAILED.value: ("✗", RED),
    Verdict.ERROR.value: ("✗", RED),
    Verdict.SKIPPED.value: ("↷", YELLOW),
    NOT_RUN: (" ", YELLOW),
}


@app.command("list")
def list_(project: ProjectPath = ".", limit: Limit = 20, log_format: Format = LogFormat.text) -> None:
    """List the latest runs, the newest first."""
    out = output(False, False, log_format)
    with open_project(project, None, None, out) as opened:
        history = opened.workspace.past_runs().all()
    width = max((len(_place(record)) for record in history.runs[:limit]), default=0)
    for record in history.runs[:limit]:
        line = f"{record.run}  {_when(record)}  {record.command or '?':<5} {_ended(record, out, 12)} "
        out.line(f"{line}{_place(record):<{width}}  {_counts(record)}".rstrip())
        out.event("run", record.status, **_facts(record))
    for fault in history.faults:
        out.warn(str(fault))
    if not history.runs and not history.faults:
        out.warn("Nothing was run yet.")


@app.command("show")
def show(run: Run, project: ProjectPath = ".", log_format: Format = LogFormat.text) -> None:
    """Tell how each model of a run ended."""
    out = output(False, False, log_format)
    with open_project(project, None, None, out) as opened:
        record = opened.workspace.past_runs().one(run)
    out.event("run", record.status, **_facts(record))
    took = "" if record.status in (RUNNING, CRASHED) else f" in {milliseconds(record.seconds)}"
    out.line(f"Run {record.run}: {record.command or '?'}, {_ended(record, out)}{took}")
    out.line(f"Started {_when(record)} by process {record.pid} on {record.host}")
    if record.engine:
        target = f" ({record.target})" if record.target else ""
        out.line(printable(f"Worked on profile {record.options.env}, engine {record.engine}{target}"))
    if said := as_arguments(replace(record.options, env="")):
        out.line(f"Asked for with {printable(said)}")
    out.line()
    width = column_width((*record.models, *(check.name for check in record.checks)))
    for model in record.models.values():
        _show_model(model, width, out)
    for check in record.checks:
        _show_check(check, width, out)
    if record.error:
        out.line(f"\n{out.paint('✗', RED)} {printable(record.error)}")


def _show_model(model: ModelRecord, width: int, out: Output) -> None:
    mark, color = _MARKS.get(model.status, ("✓", GREEN))
    columns = f"{model.name:<{width}} {model.status:<10} {rows_of(model.rows):>14} {_took(model):>9}"
    out.line(f"{out.paint(mark, color)} {columns}".rstrip())
    for line in printable(model.cause).splitlines():
        out.line(f"   {line}")
    facts = {key: getattr(model, key) for key in ("status", "relation", "materialized", "rows", "seconds", "cause")}
    out.event("model", model.name, "error" if model.status == FAILED else "info", model=model.name, **facts)


def _took(one: ModelRecord | CheckRecord) -> str:
    """Return how long a model or test took; nobody knows of one that did not come to its end."""
    return "" if one.status in (UNFINISHED, NOT_RUN) else milliseconds(one.seconds)


def _show_check(check: CheckRecord, width: int, out: Output) -> None:
    mark, color = _CHECK_MARKS.get(check.status, ("✓", GREEN))
    columns = f"{check.name:<{width}} {check.status:<10} {'':>14} {_took(check):>9}"
    out.line(f"{out.paint(mark, color)} {columns}".rstrip())
    for line in printable(check.cause).splitlines():
        out.line(f"   {line}")
    out.event("test", check.name, **asdict(check))


def _when(record: RunRecord) -> str:
    return record.started[:19].replace("T", " ")


def _place(record: RunRecord) -> str:
    """Return profile and engine of a run, as in `prod (postgres)`; a torn journal may have neither."""
    return printable(f"{record.options.env} ({record.engine})" if record.engine else record.options.env)


def _ended(record: RunRecord, out: Output, width: int = 0) -> str:
    return out.paint(f"{record.status:<{width}}", GREEN if record.status == OK else RED)


def _counts(record: RunRecord) -> str:
    """Return how many models and tests ended how, as in `5 built, 1 failed; tests: 3 passed`."""
    known = (*(status.value for status in Status), UNFINISHED, NOT_RUN)
    models = ", ".join(f"{count} {status}" for status in known if (count := record.count(status)))
    ended = Counter(check.status for check in record.checks)
    tests = ", ".join(f"{count} {status}" for status, count in ended.items())
    return "; ".join(filter(None, (models, f"tests: {tests}" * bool(tests))))


def _facts(record: RunRecord) -> dict[str, Any]:
    facts = {key: getattr(record, key) for key in RunRecord.__dataclass_fields__ if key != "checks"}
    return {**facts, "models": len(record.models), "tests": len(record.checks), "options": asdict(record.options)}
