"""`flowforge clean`: drop what is left of models that are gone."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from flowforge_cli.opening import open_project
from flowforge_cli.options import Engine, Env, Format, LogFormat, ProjectPath, Variables, Wait
from flowforge_cli.output import output
from flowforge_domain.text import printable

if TYPE_CHECKING:
    from flowforge_app.clean_target import Orphan

DryRun = Annotated[bool, typer.Option("--dry-run", help="Only list it.")]
Drop = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option("--drop", metavar="RELATION", help="Drop this one too, whose rows no run can make again."),
]


def clean(
    project: ProjectPath = ".",
    env: Env = None,
    engine: Engine = None,
    variables: Variables = None,
    dry_run: DryRun = False,
    drop: Drop = None,
    wait: Wait = 10,
    log_format: Format = LogFormat.text,
) -> None:
    """Drop the tables and views of models and seeds that are gone."""
    out = output(False, False, log_format)
    with open_project(project, env, engine, out, variables) as opened:
        found = opened.clean(dry_run, wait, drop or ())
    done = "would be dropped" if dry_run else "dropped"
    for orphan in found:
        out.line(_line(orphan, done))
        out.event("orphan", orphan.relation, dropped=not (dry_run or orphan.doubt), **asdict(orphan))
    dropped = sum(not orphan.doubt for orphan in found)
    out.line(f"{done}: {dropped}" if found else "There is nothing to clean.")
    out.event("clean_finished", "clean finished", dropped=0 if dry_run else dropped, found=len(found))


def _line(orphan: Orphan, done: str) -> str:
    fate = f"left alone: {orphan.doubt}" if orphan.doubt else done
    made = f"built by {orphan.model} at {orphan.built_at[:19]}"
    if not orphan.built_at:
        made = f"left {f'of {orphan.model} ' if orphan.model else ''}by a run that was killed"
    return printable(f"{orphan.kind} {orphan.relation}, {made}: {fate}")
