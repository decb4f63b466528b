"""`flowforge why`: say why a model would be built, or left as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from flowforge_cli.completing import models
from flowforge_cli.opening import open_project
from flowforge_cli.options import Engine, Env, Format, LogFormat, ProjectPath, Variables, Wait
from flowforge_cli.output import output
from flowforge_domain.text import printable

if TYPE_CHECKING:
    from flowforge_app.explain_model import Explanation

_LONGEST = 100
Model = Annotated[str, typer.Argument(help="A model.", autocompletion=models)]


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
    node, name = found.node, found.node.name
    relation = None if node.config.materialized == "ephemeral" else node.relation
    out.line(_verdict(found))
    if found.from_scratch:
        out.line(f"  ! from scratch, replacing the rows that it has: {found.from_scratch}")
    if found.refused:
        out.line(f"  ! it would fail: {found.refused}")
    for reason in found.reasons:
        out.line(f"  · {reason}")
    for other, reason in found.above.items():
        out.line(f"    {other}: {reason}")
    out.line(f"It is written in {node.where()}" + (f"; its relation is {relation}." if relation else "."))
    for setting, said in found.settings.items():
        places = "; ".join(map(str, said.places)) or "by default"
        out.line(f"  {setting} = {printable(_cut(said.value))}  ({places})")
    facts = {"due": bool(found.reasons), "reasons": list(found.reasons), "above": dict(found.above)}
    settings = {name: {"value": one.value, "places": [*map(str, one.places)]} for name, one in found.settings.items()}
    out.event("why", name, model=name, relation=relation, **facts, settings=settings)


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"


def _verdict(found: Explanation) -> str:
    name = found.node.name
    if found.node.config.materialized == "ephemeral":
        return f"{name} is never built: it is ephemeral, a part of the queries that read it."
    return f"{name} would be built:" if found.reasons else f"{name} would be skipped: it is proved unchanged."
