"""Announces the project folder to FlowForge."""

from __future__ import annotations

from flowforge_ports.hooks import hookimpl
from flowforge_ports.project import ProjectSpec


@hookimpl
def flowforge_projects() -> list[ProjectSpec]:
    """Announce the folder of `*.ff.sql` and `*.ff.py` files."""
    return [
        ProjectSpec(
            name="folder",
            open="flowforge_project.folder:open_folder",
            create="flowforge_project.starter:create_folder",
            variables="flowforge_project.variables:read_variables",
        )
    ]
