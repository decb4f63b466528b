"""`flowforge show`: print the first rows of a model."""

from __future__ import annotations

import sys
from decimal import Decimal
from math import isfinite
from typing import Annotated, Any

import typer

from flowforge_cli.completing import models_and_seeds
from flowforge_cli.opening import open_project
from flowforge_cli.options import Engine, Env, Format, LogFormat, ProjectPath, Wait
from flowforge_cli.output import Output, output
from flowforge_domain.results import Rows
from flowforge_domain.text import printable

Model = Annotated[str, typer.Argument(help="A model, a seed, or a table.", autocompletion=models_and_seeds)]
Limit = Annotated[int, typer.Option("--limit", "-n", min=1, help="At most so many rows.")]


def show(
    model: Model,
    project: ProjectPath = ".",
    env: Env = None,
    engine: Engine = None,
    limit: Limit = 10,
    wait: Wait = 10,
    log_format: Format = LogFormat.text,
) -> None:
    """Print the first rows of what a model or seed wrote."""
    out = output(False, False, log_format)
    with open_project(project, env, engine, out) as opened:
        rows = opened.show(model, limit, wait)
    for row in rows.rows:
        out.event("row", model, **dict(zip(rows.columns, map(_plain, row), strict=True)))
    if not out.as_json:
        _print_table(rows, out)


def _print_table(rows: Rows, out: Output) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for i, name in enumerate(rows.columns):
        numeric = {type(row[i]) for row in rows.rows} - {type(None)} <= {int, float, Decimal}
        table.add_column(Text(_in_one_line(name)), justify="right" if numeric else "left", overflow="fold")
    for row in rows.rows:
        table.add_row(*(Text("NULL", "dim") if v is None else Text(_in_one_line(str(v))) for v in row))
    width = None if sys.stdout.isatty() else 10_000
    console = Console(no_color=not out.color, width=width, highlight=False)
    with console.capture() as drawn:
        console.print(table)
    print("\n".join(line.rstrip() for line in drawn.get().splitlines()))
    print(f"{len(rows.rows)} row{'s' * (len(rows.rows) != 1)}")


def _in_one_line(text: str) -> str:
    return printable(text).replace("\n", "\\n")


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if isfinite(value) else str(value)
    return value if value is None or isinstance(value, bool | int | str) else str(value)
