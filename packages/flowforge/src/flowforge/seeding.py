"""Seeds through an executor."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flowforge.executors.base import BaseExecutor

__all__ = ["seed_project"]


def seed_project(project_dir: Path | str, executor: BaseExecutor, schema: str | None = None) -> int:
    """Load every seed of a project, all or none, into `schema` if given, and return how many there were.

    Raises `SeedError` naming file, row and column.
    """
    from flowforge_app.load_seeds import LoadSeeds
    from flowforge_bootstrap.engines import new_claim
    from flowforge_bootstrap.plugins import load_plugins
    from flowforge_bootstrap.profiles import EnvSettings
    from flowforge_bootstrap.project import silent
    from flowforge_domain.relation import relation_name

    environment = EnvSettings.of(Path(project_dir)).variables
    manifest = load_plugins().open_project(Path(project_dir)).reader.manifest(environment)
    if schema is not None:
        seeds = {name: replace(s, relation=relation_name(schema, name)) for name, s in manifest.seeds.items()}
        manifest = replace(manifest, seeds=seeds)
    return len(LoadSeeds(manifest, executor.engine, silent, new_claim())().results)
