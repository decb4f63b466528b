"""`flowforge seed`: load seed files."""

from __future__ import annotations

from flowforge_cli.opening import choice, open_project, warn_if_lost
from flowforge_cli.options import (
    ChangedSince,
    Engine,
    Env,
    Exclude,
    Format,
    LogFormat,
    ProjectPath,
    Quiet,
    Select,
    SelectorName,
    State,
    Verbose,
    Wait,
)
from flowforge_cli.output import output


def seed(
    project: ProjectPath = ".",
    env: Env = None,
    engine: Engine = None,
    select: Select = None,
    exclude: Exclude = None,
    selector: SelectorName = None,
    state: State = None,
    changed_since: ChangedSince = None,
    wait: Wait = 10,
    quiet: Quiet = False,
    verbose: Verbose = False,
    log_format: Format = LogFormat.text,
) -> None:
    """Load the files below seeds/ into tables, all or none."""
    out = output(quiet, verbose, log_format)
    with open_project(project, env, engine, out) as opened:
        report = opened.seed(select, exclude, wait, **choice(selector, state, changed_since))
        warn_if_lost(opened, out)
    if not report.results:
        out.warn("There are no seeds: put *.csv, *.parquet or *.sql files into seeds/.")
    counts = {"loaded": len(report.results), "seconds": round(report.seconds, 6), "retries": report.retries}
    out.event("seeds_finished", "seeds finished", **counts)
