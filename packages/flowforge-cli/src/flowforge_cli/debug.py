"""`flowforge debug`: check the project, its profile and its engine, and say what each can do."""

from __future__ import annotations

import typer

from flowforge_cli import exit_codes
from flowforge_cli.options import Engine, Env, Format, LogFormat, ProjectPath, Wait
from flowforge_cli.output import GREEN, RED, output


def debug(
    project: ProjectPath = ".",
    env: Env = None,
    engine: Engine = None,
    wait: Wait = 10,
    log_format: Format = LogFormat.text,
) -> None:
    """Check what a run needs, and say how to mend it."""
    from flowforge_bootstrap.diagnose import diagnose
    from flowforge_cli.again import given

    asked = given(project, env, engine)
    out = output(False, False, log_format)
    well = True
    for finding in diagnose(project, env, engine, wait):
        well = well and finding.ok
        mark = "-" if finding.lacking else out.paint("✓", GREEN) if finding.ok else out.paint("✗", RED)
        detail = "\n".join(f"{'':<14}{line}" for line in asked.told(finding.detail).splitlines()).strip()
        out.line(f"{mark} {finding.subject:<12}{detail}")
        out.event("finding", finding.detail, "info" if finding.ok else "error", subject=finding.subject, ok=finding.ok)
    raise typer.Exit(exit_codes.OK if well else exit_codes.USER_ERROR)
