"""`flowforge dag`: draw the graph."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from flowforge_cli.opening import open_project
from flowforge_cli.options import Engine, Env, Format, LogFormat, ProjectPath, Quiet, Verbose
from flowforge_cli.output import output as output_of

Html = Annotated[bool, typer.Option("--html", help="Write the documentation site as well.")]
OutDir = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option("--output", "-o", help="The folder to write into.", show_default=".flowforge/docs"),
]


def dag(
    project: ProjectPath = ".",
    env: Env = None,
    engine: Engine = None,
    html: Html = False,
    output: OutDir = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
    log_format: Format = LogFormat.text,
) -> None:
    """Write the graph as Mermaid text, and with --html a site that opens without a network."""
    out = output_of(quiet, verbose, log_format)
    opened = open_project(project, env, engine, out)
    graph, path = opened.write_dag(output)
    out.line(f"{len(graph.order)} models: {path}")
    out.event("dag_written", str(path), path=str(path), models=len(graph.order))
    if html:
        page = opened.docs(output)
        out.line(f"Site: {page}")
        out.event("docs_written", str(page), path=str(page))
