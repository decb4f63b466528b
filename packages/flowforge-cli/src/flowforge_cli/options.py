"""The arguments and options that commands share."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Optional

import typer

from flowforge_cli.completing import terms


class LogFormat(StrEnum):
    """How a command speaks."""

    text = "text"
    json = "json"


ProjectPath = Annotated[str, typer.Argument(help="The project's folder.", show_default="the current folder")]
Env = Annotated[Optional[str], typer.Option("--env", help="The profile of profiles.yml to use.")]  # noqa: UP045
Engine = Annotated[Optional[str], typer.Option("--engine", help="Use this engine's settings.")]  # noqa: UP045
Select = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option(
        "--select",
        "-s",
        help="Only these: a name, tag, path or METHOD:VALUE; +x, x+, @x follow the graph.",
        autocompletion=terms,
    ),
]
Exclude = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option("--exclude", help="Not these.", autocompletion=terms),
]
SelectorName = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option("--selector", help="What a selector of project.yml selects."),
]
State = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option("--state", help="A folder with the manifest.json of another run, for state: and result:."),
]
ChangedSince = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("--changed-since", metavar="REF", help="Only what changed in git since this branch, tag or commit."),
]
Variables = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option("--vars", help="Variables for var(), over those of project.yml, such as '{start: 2026-01-01}'."),
]
Jobs = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option("--jobs", "-j", min=1, help="How many models build at once.", show_default="what suits the engine"),
]
FullRefresh = Annotated[
    bool,
    typer.Option("--full-refresh", "-f", help="Build incremental models from scratch, and over others' tables."),
]
FailFast = Annotated[bool, typer.Option("--fail-fast", "-x", help="Begin nothing any more after a failure.")]
NoCache = Annotated[bool, typer.Option("--no-cache", help="Build also what is proved unchanged.")]
Verify = Annotated[bool, typer.Option("--verify", help="Count the rows of what is to be left as it is.")]
Wait = Annotated[
    float, typer.Option("--wait", min=0, metavar="SECONDS", help="How long to wait for who else works on the target.")
]
Resume = Annotated[bool, typer.Option("--resume", help="Take up the last run, which did not end well.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print only what went wrong.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Print more: profile, target, SQL.")]
Format = Annotated[LogFormat, typer.Option("--log-format", help="json: one object a line.")]
