"""`flowforge ls`: list what a project holds."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated, Any, Optional

import typer

from flowforge_cli.opening import choice, open_project
from flowforge_cli.options import (
    ChangedSince,
    Engine,
    Env,
    Exclude,
    LogFormat,
    ProjectPath,
    Select,
    SelectorName,
    State,
    Variables,
)
from flowforge_cli.output import output as output_of
from flowforge_domain.text import printable


class ListFormat(StrEnum):
    """How `ls` shows a thing."""

    name = "name"
    path = "path"
    json = "json"


ListOutput = Annotated[
    ListFormat, typer.Option("--output", "-o", help="Names, files, or everything: one JSON object a line.")
]
Resources = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option("--resource", help="Only these kinds: model, seed, test, source.", show_default="model and seed"),
]


def ls(
    project: ProjectPath = ".",
    env: Env = None,
    engine: Engine = None,
    select: Select = None,
    exclude: Exclude = None,
    selector: SelectorName = None,
    state: State = None,
    changed_since: ChangedSince = None,
    resource: Resources = None,
    output: ListOutput = ListFormat.name,
    variables: Variables = None,
) -> None:
    """List what is selected, in the order of the graph.

    Models and seeds, unless --resource says otherwise. No code of the project is run, and no engine is opened.
    """
    out = output_of(False, False, LogFormat.text)
    with open_project(project, env, engine, out, variables) as opened:
        found = opened.ls(select, exclude, resource, **choice(selector, state, changed_since))
    for line in dict.fromkeys(_line(one, output) for one in found):
        out.line(line)


def _line(one: dict[str, Any], form: ListFormat) -> str:
    if form is ListFormat.json:
        return json.dumps(one)
    return printable(one["name"] if form is ListFormat.name else one["file"])
