"""`flowforge run`: build models."""

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
    Resume,
    Select,
    SelectorName,
    State,
    Variables,
    Verbose,
    Verify,
    Wait,
)
from flowforge_cli.output import output

_NO_MODELS = "There are no models: files are named *.ff.sql or *.ff.py and lie below models/."
_EPHEMERAL = "There is nothing to build: an ephemeral model becomes a part of those that read it."


def run(
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
    verify: Verify = False,
    fail_fast: FailFast = False,
    resume: Resume = False,
    wait: Wait = 10,
    quiet: Quiet = False,
    verbose: Verbose = False,
    log_format: Format = LogFormat.text,
) -> None:
    """Build the models that are not proved unchanged."""
    out = output(quiet, verbose, log_format)
    with open_project(project, env, engine, out, variables, resume) as opened:
        chosen = choice(selector, state, changed_since)
        report = opened.run(select, exclude, jobs, full_refresh, no_cache, fail_fast, wait, resume, verify, **chosen)
        warn_if_lost(opened, out)
    if not report.results:
        out.warn(_EPHEMERAL if opened.manifest().nodes else _NO_MODELS)
    raise typer.Exit(exit_codes.OK if report.ok else exit_codes.USER_ERROR)
