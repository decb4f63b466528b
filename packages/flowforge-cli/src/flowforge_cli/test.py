"""`flowforge test`: run the data-quality tests."""

from __future__ import annotations

import typer

from flowforge_cli import exit_codes
from flowforge_cli.opening import choice, open_project
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
from flowforge_cli.output import Output, output
from flowforge_cli.summary import check_counts, check_summary
from flowforge_domain.results import CheckReport


def test(
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
    """Run the data-quality tests of project.yml.

    The exit code is 2 when one fails, and 1 when one cannot be run.
    """
    out = output(quiet, verbose, log_format)
    with open_project(project, env, engine, out) as opened:
        report = opened.test(select, exclude, wait, **choice(selector, state, changed_since))
    if not report.results:
        out.warn("There are no tests: add some below `tests:` in project.yml.")
    tell_checks(report, out)
    if any(result.error for result in report.results):
        raise typer.Exit(exit_codes.USER_ERROR)
    raise typer.Exit(exit_codes.OK if report.ok else exit_codes.CHECKS_FAILED)


def tell_checks(report: CheckReport, out: Output) -> None:
    """Say how tests ended."""
    if report.results:
        (out.line if report.ok else out.problem)(check_summary(report, out))
    out.event("tests_finished", "tests finished", **check_counts(report))
    if out.verbose:
        for result in report.results:
            out.line(f"\n{result.check.where}  {result.check.type} {result.check.subject}\n{result.query}")
