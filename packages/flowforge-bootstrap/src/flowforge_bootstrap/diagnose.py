"""Checks what a run needs, step by step, and keeps going as far as it can."""

from __future__ import annotations

import platform
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from textwrap import fill

from flowforge_bootstrap.plugins import load_plugins
from flowforge_bootstrap.profiles import ResolvedProfile
from flowforge_bootstrap.project import Project, open_project
from flowforge_domain.capability import Capability
from flowforge_domain.errors import FlowForgeError
from flowforge_domain.manifest import run_order
from flowforge_domain.state import STATE_TABLE
from flowforge_ports.engine import EngineSpec

_NAME = re.compile(r"[\w.-]+")


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
    python = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    yield Finding("flowforge", True, f"{version('flowforge-bootstrap')} on {python}")
    plugins = load_plugins()
    for name, reason in sorted(plugins.broken.items()):
        yield Finding("plugin", False, f"{name} cannot be loaded: {reason}\nInstall it again, or uninstall it.")
    engines = "\n".join(_claims(*entry) for entry in sorted(plugins.engines.items()))
    yield Finding("engines", bool(engines), engines or 'None is installed: pip install "flowforge[duckdb]"')
    project = open_project(path, env, engine)
    yield _tried("project", lambda: _project(project))
    yield (profile := _tried("profile", lambda: _profile(project)))
    if profile.ok:
        yield _tried("target", lambda: _target(project))
        can = _used(project).spec.capabilities
        yield Finding("can", True, "\n".join(ability.value for ability in Capability if ability in can))
        if can != set(Capability):
            yield Finding("cannot", True, "\n".join(ability.value for ability in Capability if ability not in can))


def _claims(name: str, claims: list[tuple[str, EngineSpec]]) -> str:
    return f"{name} from " + " and ".join(_versioned(distribution) for distribution, _ in claims)


def _libraries(distribution: str) -> str:
    """Return the libraries that an engine's distribution asks for, without those of FlowForge itself."""
    names = [_NAME.match(requirement) for requirement in requires(distribution) or () if "extra ==" not in requirement]
    found = [name[0] for name in names if name and not name[0].startswith("flowforge")]
    listed = ", ".join(_versioned(name).replace(" ", "\xa0") for name in found)
    return fill(listed, width=70, break_on_hyphens=False).replace("\xa0", " ")


def _versioned(distribution: str) -> str:
    try:
        return f"{distribution} {version(distribution)}"
    except PackageNotFoundError:
        return distribution


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


def _used(project: Project) -> ResolvedProfile:
    return project.workspace.profile(project.workspace.ports())


def _profile(project: Project) -> str:
    profile = _used(project)
    libraries = _libraries(profile.spec.distribution)
    return f"{profile.name}, engine {profile.spec.name}" + (f"\n{libraries}" if libraries else "")


def _target(project: Project) -> str:
    with project.target.container() as container:
        engine = container.engine()
        found = [name for name in engine.catalog.relations() if name != STATE_TABLE]
        return f"{engine.target} opens, {len(found)} tables and views"
