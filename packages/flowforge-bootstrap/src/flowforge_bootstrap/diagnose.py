"""Checks what a run needs, step by step, and keeps going as far as it can."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from flowforge_bootstrap.plugins import load_plugins
from flowforge_bootstrap.project import Project
from flowforge_domain.errors import FlowForgeError
from flowforge_domain.manifest import run_order


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: whether it is well, and what was found or how to mend it."""

    subject: str
    ok: bool
    detail: str


def diagnose(path: str, env: str | None, engine: str | None) -> list[Finding]:
    """Return what is well and what is not; raises nothing a user could cause."""
    return list(_findings(path, env, engine))


def _findings(path: str, env: str | None, engine: str | None) -> Iterator[Finding]:
    yield Finding("python", True, f"{platform.python_version()} on {platform.system()}")
    plugins = load_plugins()
    for name, reason in sorted(plugins.broken.items()):
        yield Finding("plugin", False, f"{name} cannot be loaded: {reason}\nInstall it again, or uninstall it.")
    yield Finding(
        "engines", bool(plugins.engines), ", ".join(sorted(plugins.engines)) or 'pip install "flowforge[duckdb]"'
    )
    project = Project.open(path, env, engine)
    yield _tried("project", lambda: _project(project))
    yield (profile := _tried("profile", lambda: _profile(project)))
    if profile.ok:
        yield _tried("target", lambda: _target(project))
        can = sorted(capability.value for capability in project.profile().spec.capabilities)
        yield Finding("can", True, "\n".join(can))


def _tried(subject: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(subject, True, look())
    except FlowForgeError as error:
        return Finding(subject, False, str(error))


def _project(project: Project) -> str:
    manifest = project.manifest()
    run_order(manifest)
    counts = (("models", manifest.nodes), ("seeds", manifest.seeds), ("sources", manifest.sources))
    return f"{manifest.name}: " + ", ".join(
        f"{len(things)} {what}" for what, things in (*counts, ("tests", manifest.checks))
    )


def _profile(project: Project) -> str:
    profile = project.profile()
    return f"{profile.name}, engine {profile.spec.name} ({profile.spec.distribution})"


def _target(project: Project) -> str:
    with project.engine() as engine:
        found = len(engine.catalog.relations())
        return f"{engine.target} opens, {found} tables and views"
