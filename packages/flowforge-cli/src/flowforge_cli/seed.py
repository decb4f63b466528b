"""`flowforge seed`: load seed files."""

from __future__ import annotations

from flowforge_cli.opening import open_project, warn_if_lost
from flowforge_cli.options import Engine, Env, Exclude, Format, LogFormat, ProjectPath, Quiet, Select, Verbose
from flowforge_cli.output import output
from flowforge_cli.summary import milliseconds


def seed(
    project: ProjectPath = ".",
    env: Env = None,
    engine: Engine = None,
    select: Select = None,
    exclude: Exclude = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
    log_format: Format = LogFormat.text,
) -> None:
    """Load the files below seeds/ into tables, all or none."""
    out = output(quiet, verbose, log_format)
    with open_project(project, env, engine, out) as opened:
        report = opened.seed(select, exclude)
        warn_if_lost(opened, out)
    count = len(report.results)
    if not count:
        out.warn("There are no seeds: put *.csv, *.parquet or *.sql files into seeds/.")
    out.line(f"\n✓ seeded: {count} in {milliseconds(report.seconds)}")
