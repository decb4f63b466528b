"""Where a workspace's tables are: opened for a call and closed after it, so that no one else is kept waiting.

Only an in-memory target stays open between calls, since its data would end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from threading import RLock
from typing import TYPE_CHECKING, Any

from flowforge_bootstrap.engines import WAIT, new_claim
from flowforge_bootstrap.profiles import ResolvedProfile
from flowforge_bootstrap.recording import recorded
from flowforge_bootstrap.workspace import Workspace
from flowforge_domain.errors import EngineError, ErrorKind
from flowforge_domain.journal import NO_OPTIONS, RunOptions, holding
from flowforge_ports.engine import Engine
from flowforge_ports.progress import Progress

if TYPE_CHECKING:
    from flowforge_bootstrap.container import Container


# What the settings of the target may be to blame for.
_OF_SETTINGS = {ErrorKind.UNREACHABLE, ErrorKind.CREDENTIALS, ErrorKind.PERMISSION}


@dataclass
class Target:
    """The engine of a workspace's profile; one call at a time works on it."""

    workspace: Workspace
    progress: Progress
    _lock: RLock = field(default_factory=RLock)
    _kept: Engine | None = None
    _running: Container | None = None

    @contextmanager
    def container(
        self,
        wait: float = WAIT,
        command: str = "",
        asked: RunOptions = NO_OPTIONS,
        workspace: Workspace | None = None,
    ) -> Iterator[Container]:
        """Put the use cases together for a `with` block; files and profile are read anew, in another `workspace`.

        They wait at most `wait` seconds for others who work on the target. What they do is recorded as that of
        `command`, if it is given, with what was `asked` for. Raises `FlowForgeError` for a wrong project or profile.
        """
        workspace = workspace or self.workspace
        with self._lock:
            objects = self._given(workspace, wait)
            options = replace(asked, env=objects["profile"].name, engine=workspace.engine or "")
            options = holding(options, workspace.variables)
            with (
                recorded(command, objects, options) as given,
                _placed(objects["profile"]),
                self._open(given) as container,
            ):
                yield container

    def interrupt(self) -> None:
        """Cancel the statement that another thread runs, if any, and have a run there begin and commit nothing more."""
        running = self._running
        if running:
            running.stopped().set()
        if running and running.engine.initialized:
            running.engine().session.interrupt()

    def is_in_memory(self) -> bool:
        """Whether the data ends with this object; known once it was opened."""
        return self._kept is not None

    def close(self) -> None:
        """Close what is kept open."""
        with self._lock:
            if self._kept:
                self._kept.session.close()
                self._kept = None

    @contextmanager
    def _open(self, given: Mapping[str, Any]) -> Iterator[Container]:
        from dependency_injector import providers

        from flowforge_bootstrap.container import Container

        container = Container(**{name: providers.Object(value) for name, value in given.items()})
        container.kept_engine.override(providers.Object(self._kept))
        self._running = container
        try:
            yield container
        finally:
            self._running = None
            if container.engine.initialized and not container.engine().keeps:
                self._kept = container.engine()
            container.shutdown_resources()

    def _given(self, workspace: Workspace, wait: float) -> dict[str, Any]:
        ports = workspace.ports()
        manifest, profile = workspace.manifest(ports), workspace.profile(ports)
        return {
            "project": ports,
            "manifest": manifest,
            "profile": profile,
            "plans": workspace.plugins.plans(),
            "plugins": workspace.plugins.versions(profile.spec.name),
            "sql": workspace.plugins.analysis(manifest.root),
            "compiler": workspace.compiler(ports, manifest, profile),
            "progress": self.progress,
            "claim": new_claim(wait),
        }


@contextmanager
def _placed(profile: ResolvedProfile) -> Iterator[None]:
    """Say where the profile stands in an error that its target gives to no model, seed or test."""
    try:
        yield
    except EngineError as error:
        if error.where is None and error.kind in _OF_SETTINGS:
            error.where = profile.where
        raise
