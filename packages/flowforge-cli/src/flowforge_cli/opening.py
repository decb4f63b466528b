"""Opens the project that a command works on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flowforge_bootstrap.project import Project
    from flowforge_cli.output import Output


def open_project(path: str, env: str | None, engine: str | None, output: Output) -> Project:
    """Return the project in folder `path`; raise `FlowForgeError` when what it says is wrong."""
    from flowforge_bootstrap.project import Project
    from flowforge_cli.progress import Reporter

    project = Project.open(path, env, engine, Reporter(output))
    if output.verbose:
        profile = project.profile()
        output.line(f"profile {profile.name}, engine {profile.spec.name}")
    return project


def warn_if_lost(project: Project, output: Output) -> None:
    """Say that nothing will be kept when the target is in memory."""
    if project.is_in_memory():
        output.warn("The target is in memory: nothing will be kept. Give the profile a path to keep it.")
