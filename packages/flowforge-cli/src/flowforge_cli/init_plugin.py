"""`flowforge init-plugin`: start the package of a new engine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

EngineName = Annotated[str, typer.Argument(help="The new engine's name, as profiles will say it.")]
Folder = Annotated[Optional[str], typer.Option("--output", help="The folder to make.")]  # noqa: UP045


def init_plugin(name: EngineName, output: Folder = None) -> None:
    """Start a package that brings a new engine."""
    from flowforge_bootstrap.new_plugin import create_plugin, package_name

    folder = output or package_name(name)
    for file in create_plugin(Path(folder), name):
        print(f"  {folder}/{file}")
    print(f'\nNow run:\n  cd {folder}\n  pip install -e ".[test]"\n  pytest -k Plugin')
    print("Then write engine.py until pytest passes; docs/guide/plugins.md of FlowForge's repository leads through it.")
