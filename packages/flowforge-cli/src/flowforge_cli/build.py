"""`flowforge build`: load seeds, build models and run tests in one run."""

from __future__ import annotations

import typer

from flowforge_cli import exit_codes
from flowforge_cli.opening import choice, open_project, warn_if_lost
from flowforge_cli.options import (
    ChangedSince,
    Engine,
    Env,
    Exclude,
    FailFast,
    Format,
    FullRefresh,
    Jobs,
    LogFormat,
    NoCache,
    ProjectPath,
    Quiet,
    Select,
    SelectorName,
    State,
    Variables,
    Verbose,
    Wait,
)
from flowforge_cli.output import output
from flowforge_cli.test import tell_checks


def build(
    project: ProjectPath = ".",
    env: Env = None,
    engine: Engine = None,
    select: Select = None,
    exclude: Exclude = None,
    selector: SelectorName = None,
    state: State = None,
    changed_since: ChangedSince = None,
    variables: Variables = None,
    jobs: Jobs = None,
    full_refresh: FullRefresh = False,
    no_cache: NoCache = False,
    fail_fast: FailFast = False,
    wait: Wait = 10,
    quiet: Quiet = False,
    verbose: Verbose = False,
    log_format: Format = LogFormat.text,
) -> None:
    """Load seeds, build models, run tests, in one run.

    Each in the order of the graph: a failed test stops what depends on its model. The exit code is 2 when only tests
    failed.
    """
    out = output(quiet, verbose, log_format)
    with open_project(project, env, engine, out, variables, builds="build") as opened:
        more = choice(selector, state, changed_since)
        report = opened.build(select, exclude, jobs, full_refresh, no_cache, fail_fast, wait, **more)
        warn_if_lost(opened, out)
    if report.checks.results:
        out.line()
        tell_checks(report.checks, out)
    if report.ok:
        raise typer.Exit(exit_codes.OK)
    raise typer.Exit(exit_codes.USER_ERROR if report.has_errors else exit_codes.CHECKS_FAILED)
