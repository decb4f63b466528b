"""`flowforge dag`: draw the graph."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from flowforge_cli.opening import choice, open_project
from flowforge_cli.options import (
    ChangedSince,
    Engine,
    Env,
    Exclude,
    Format,
    LogFormat,
    ProjectPath,
    Quiet,
    Select,
    SelectorName,
    State,
    Variables,
    Verbose,
)
from flowforge_cli.output import output as output_of
from flowforge_cli.output import shown

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
    select: Select = None,
    exclude: Exclude = None,
    selector: SelectorName = None,
    state: State = None,
    changed_since: ChangedSince = None,
    variables: Variables = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
    log_format: Format = LogFormat.text,
) -> None:
    """Write the graph as Mermaid text, with --html also a site.

    The site opens from disk, without a network.
    """
    from flowforge_bootstrap.asked import Asked

    out = output_of(quiet, verbose, log_format)
    more = choice(selector, state, changed_since)
    with open_project(project, env, engine, out, variables) as opened:
        graph, path = opened.workspace.write_dag(Asked(select, exclude, **more), output)
        out.line(f"Graph: {shown(path)}")
        out.event("dag_written", str(path), path=str(path), models=len(graph.order))
        if html:
            page = opened.docs(output, select, exclude, **more)
            out.line(f"Site: {shown(page)}")
            out.event("docs_written", str(page), path=str(page))
