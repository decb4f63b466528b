"""`flowforge why`: say why a model would be built, or left as it is."""

from __future__ import annotations

from typing import Annotated

import typer

from flowforge_cli.opening import open_project
from flowforge_cli.options import Engine, Env, Format, LogFormat, ProjectPath, Variables, Wait
from flowforge_cli.output import output

Model = Annotated[str, typer.Argument(help="A model.")]


def why(
    model: Model,
    project: ProjectPath = ".",
    env: Env = None,
    engine: Engine = None,
    variables: Variables = None,
    wait: Wait = 10,
    log_format: Format = LogFormat.text,
) -> None:
    """Say why a run would build a model, or leave it."""
    out = output(False, False, log_format)
    with open_project(project, env, engine, out, variables) as opened:
        found = opened.why(model, wait)
    name = found.node.name
    out.line(f"{name} would be built:" if found.reasons else f"{name} would be skipped: it is proved unchanged.")
    for reason in found.reasons:
        out.line(f"  · {reason}")
    for other, reason in found.above.items():
        out.line(f"    {other}: {reason}")
    out.line(f"It is written in {found.node.where()} and stands as {found.node.relation}.")
    for setting, value in found.settings.items():
        out.line(f"  {setting}: {value}")
    out.event("why", name, model=name, due=bool(found.reasons), reasons=list(found.reasons), above=dict(found.above))
