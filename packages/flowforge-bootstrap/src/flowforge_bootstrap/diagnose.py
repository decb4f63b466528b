"""Checks what a run needs, step by step, and keeps going as far as it can."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version

from flowforge_app.descriptions import misdescriptions, standing_nodes
from flowforge_app.target_state import read_target
from flowforge_app.try_target import TryTarget
from flowforge_bootstrap.able import require_able
from flowforge_bootstrap.engines import WAIT
from flowforge_bootstrap.inventory import described, faults, installed, libraries
from flowforge_bootstrap.plugins import load_plugins
from flowforge_bootstrap.profiles import ResolvedProfile
from flowforge_bootstrap.project import Project, open_project
from flowforge_domain.errors import EngineError, ErrorKind, FlowForgeError
from flowforge_domain.manifest import run_order
from flowforge_domain.model import Node, Seed
from flowforge_domain.relation import relation_parts
from flowforge_domain.state import STATE_TABLE
from flowforge_ports.engine import Engine

_FIXES: Mapping[ErrorKind, str] = {
    ErrorKind.UNREACHABLE: "Check that it runs, and the address or path in profiles.yml.",
    ErrorKind.CREDENTIALS: "Check user and password, key or token of the profile.",
    ErrorKind.PERMISSION: "Ask for the right to create and drop tables there, or name another schema in profiles.yml.",
    ErrorKind.SPACE: "Make room there.",
    ErrorKind.CONFLICT: "Somebody else works there: wait, and try again.",
    ErrorKind.TRANSIENT: "Try again in a while.",
    ErrorKind.MISSING_RELATION: "Create what the profile names, or name another.",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: whether it is well, and what was found or how to mend it.

    What is `lacking` is no fault as long as no model needs it, and nothing that is well.
    """

    subject: str
    ok: bool
    detail: str
    lacking: bool = False


def diagnose(path: str, env: str | None, engine: str | None, wait: float = WAIT) -> Iterator[Finding]:
    """Yield what is well and what is not, as it is found; raises nothing a user could cause.

    Who works on the target is waited for, at most `wait` seconds.
    """
    python = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    yield Finding("flowforge", True, f"{version('flowforge-bootstrap')} on {python}")
    plugins = load_plugins()
    for fault in faults(plugins):
        yield Finding("plugin", False, str(fault))
    engines = "\n".join(f"{one.name} from {one.distribution}" for one in installed(plugins))
    yield Finding("engines", bool(engines), engines or 'None is installed: pip install "flowforge[duckdb]"')
    project = open_project(path, env, engine)
    yield _tried("project", lambda: _project(project))
    yield (profile := _tried("profile", lambda: _profile(project)))
    if profile.ok:
        yield from _unable(project)
        yield from _on_target(project, wait)


def _unable(project: Project) -> Iterator[Finding]:
    """Name what the profile's engine cannot build, as its plugin tells before it is opened."""
    try:
        manifest = project.manifest()
    except FlowForgeError:  # A project that cannot be read is a finding of its own.
        return
    workspace = project.workspace
    things: list[Node | Seed] = [*manifest.nodes.values(), *manifest.seeds.values()]
    try:
        require_able(things, _used(project).spec, workspace.plugins, workspace.ports().reader)
    except FlowForgeError as error:
        yield _failed("models", error)


def _on_target(project: Project, wait: float) -> Iterator[Finding]:
    """Open the target once and try it out; what it can do is asked of the open engine, for a target may lack some."""
    try:
        with project.target.container(wait) as container:
            engine = container.engine()
            yield Finding("target", True, _reached(engine))
            if engine.dialect.version:
                yield _tried("server", lambda: _server(engine))
            yield from _tried_out(engine)
            yield from _described_columns(project, engine)
            for subject, listed in described(engine.capabilities).items():
                yield Finding(subject, True, "\n".join(listed), lacking=subject == "cannot")
    except FlowForgeError as error:
        yield _failed("target", error)


def _tried_out(engine: Engine) -> Iterator[Finding]:
    tried = TryTarget(engine)
    try:
        with tried.created():
            yield Finding("create", True, "a table was created, and dropped again")
            yield _tried("replace", lambda: _replaced(tried))
    except FlowForgeError as error:
        yield _failed("create", error)
    else:
        yield _tried("state", lambda: _kept_state(tried))


def _described_columns(project: Project, engine: Engine) -> Iterator[Finding]:
    """Name columns that only the project's YAML knows; no fault yet, as the next run may make them."""
    try:
        manifest = project.manifest()
        said = misdescriptions(engine, standing_nodes(manifest, engine))
    except FlowForgeError:  # A project that cannot be read is a finding of its own.
        return
    if said:
        yield Finding("columns", True, "\n".join(said))


def _replaced(tried: TryTarget) -> str:
    tried.replace()
    return "it was replaced as a model is"


def _kept_state(tried: TryTarget) -> str:
    known = len(read_target(tried.engine).rows)
    written = "; one was written, and taken back" if tried.keep_state() else ""
    return f"it tells of {known} tables and views{written}"


def _tried(subject: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(subject, True, look())
    except FlowForgeError as error:
        return _failed(subject, error)


def _failed(subject: str, error: FlowForgeError) -> Finding:
    fix = _FIXES.get(error.kind, "") if isinstance(error, EngineError) and not error.hint else ""
    return Finding(subject, False, "\n".join(filter(None, (str(error), fix))))


def _project(project: Project) -> str:
    manifest = project.manifest()
    run_order(manifest)
    counts = (("models", manifest.nodes), ("seeds", manifest.seeds), ("sources", manifest.sources))
    counted = ", ".join(f"{len(things)} {what}" for what, things in (*counts, ("tests", manifest.checks)))
    return "\n".join((f"{manifest.name}: {counted}", *manifest.notices))


def _used(project: Project) -> ResolvedProfile:
    return project.workspace.profile(project.workspace.ports())


def _profile(project: Project) -> str:
    profile = _used(project)
    spec = profile.spec
    said = (("limits", spec.limits), ("not proved", spec.unproved))
    told = [f"{subject}: {what}" for subject, what in said if what]
    return "\n".join(filter(None, (f"{profile.name}, engine {spec.name}", libraries(spec.distribution), *told)))


def _server(engine: Engine) -> str:
    [[told]] = engine.session.query(engine.dialect.version).rows
    return f"{engine.dialect.name} {told}"


def _reached(engine: Engine) -> str:
    schema = engine.dialect.default_schema
    # Others' schemas are listed too, each name with its own.
    found = [name for name in engine.catalog.relations() if name != STATE_TABLE and len(relation_parts(name)) == 1]
    holds = f"the schema {schema} has " if schema else ""
    return f"{engine.target} opens, {holds}{len(found)} tables and views"
