"""Opens the project that a command works on."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, redirect_stdout
from typing import TYPE_CHECKING

from flowforge_domain.errors import FlowForgeError

if TYPE_CHECKING:
    from pathlib import Path

    from flowforge_bootstrap.asked import Choice
    from flowforge_bootstrap.project import Project
    from flowforge_cli.output import Output


@contextmanager
def open_project(
    path: str,
    env: str | None,
    engine: str | None,
    output: Output,
    variables: Sequence[str] | None = None,
    resume: bool = False,
    builds: str = "run",
) -> Iterator[Project]:
    """Open the project in folder `path` for a `with` block; what its models print never mixes with JSON.

    `variables` are the texts of `--vars`; with `resume` the profile is another run's; `builds` is the command of hints.
    Raises `FlowForgeError` for a variable that is wrong, and for an unknown profile; commands in what is said work on
    the same.
    """
    from flowforge_bootstrap import project as api
    from flowforge_bootstrap.variables import read_variables
    from flowforge_cli.again import given as given_to
    from flowforge_cli.ctrl_c import on_ctrl_c
    from flowforge_cli.no_exit import no_exit
    from flowforge_cli.progress import Reporter

    prints = redirect_stdout(sys.stderr) if output.as_json else nullcontext()
    values, given = read_variables(variables or ()), given_to(path, env, engine, variables, builds)
    # Bound once, since `singledispatchmethod` makes a function anew each time it is looked up.
    report = Reporter(output, given).__call__
    try:
        with prints, api.open_project(path, env, engine, report, values) as project:
            if output.verbose and not resume:
                profile = project.workspace.profile(project.workspace.ports())
                output.line(f"Profile {profile.name}, engine {profile.spec.name}")
            with on_ctrl_c(project.target.interrupt), no_exit():
                yield project
    except FlowForgeError as error:
        given.mend(error)
        raise


def choice(selector: Sequence[str] | None, state: Path | None, changed_since: str | None) -> Choice:
    """Return what else the options of a selection say."""
    return {"selector": selector, "state": state, "changed_since": changed_since}


def warn_if_lost(project: Project, output: Output) -> None:
    """Say that nothing will be kept when the target is in memory."""
    if project.target.is_in_memory():
        output.warn("The target is in memory: nothing will be kept. Give the profile one that lasts, as a file does.")
