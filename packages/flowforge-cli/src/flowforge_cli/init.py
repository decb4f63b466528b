"""`flowforge init`: start a project."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

NewProject = Annotated[str, typer.Argument(help="The folder to make.")]
ForEngine = Annotated[Optional[str], typer.Option("--engine", help="The engine of its profile.")]  # noqa: UP045


def init(path: NewProject, engine: ForEngine = None) -> None:
    """Start a small project that runs at once.

    It has data, models, tests and a profile.
    """
    from flowforge_bootstrap.new_project import create_project

    written = create_project(Path(path), engine)
    for name in written:
        print(f"  {path}/{name}")
    print(f"\nNow run:\n  flowforge seed {path}\n  flowforge run {path}\n  flowforge test {path}")
    print(f"  flowforge dag {path} --html")
