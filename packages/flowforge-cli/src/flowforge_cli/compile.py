"""`flowforge compile`: write the SQL that models become."""

from __future__ import annotations

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
    Variables,
    Verbose,
)
from flowforge_cli.output import output, shown


def compile_(
    project: ProjectPath = ".",
    env: Env = None,
    engine: Engine = None,
    select: Select = None,
    exclude: Exclude = None,
    selector: SelectorName = None,
    state: State = None,
    changed_since: ChangedSince = None,
    variables: Variables = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
    log_format: Format = LogFormat.text,
) -> None:
    """Write the SQL of the models to .flowforge/compiled/.

    No engine is opened.
    """
    out = output(quiet, verbose, log_format)
    with open_project(project, env, engine, out, variables) as opened:
        written = opened.compile(select, exclude, **choice(selector, state, changed_since))
    for name, path in written.items():
        out.line(f"{name}: {shown(path)}")
        if out.verbose:
            out.line(f"{path.read_text(encoding='utf-8').rstrip()}\n")
        out.event("compiled", name, model=name, path=str(path))
    if not written and (select or exclude or selector or changed_since):
        out.warn("The selection holds no SQL model.")
    elif not written:
        out.warn("There is no SQL model: such files are named *.ff.sql and lie below models/.")
