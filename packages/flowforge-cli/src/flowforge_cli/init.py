"""`flowforge init`: start a project."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import Annotated, Optional

import typer

NewProject = Annotated[str, typer.Argument(help="The folder to make.")]
ForEngine = Annotated[Optional[str], typer.Option("--engine", help="The engine of its profile.")]  # noqa: UP045


def init(path: NewProject, engine: ForEngine = None) -> None:
    """Start a small project that runs at once.

    It has data, models, tests and a profile.
    """
    from flowforge_bootstrap.new_project import create_project, lacking_seeds

    written = create_project(Path(path), engine)
    for name in written:
        print(f"  {path}/{name}")
    lacking, folder = lacking_seeds(engine), quote(path)
    by_hand = f"{lacking} loads no CSV files: make the tables of seeds/ by other means, then run:"
    print(f"\n{by_hand}" if lacking else f"\nNow run:\n  flowforge seed {folder}")
    print(f"  flowforge run {folder}\n  flowforge test {folder}\n  flowforge dag {folder} --html")
