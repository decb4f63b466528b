"""Where a workspace's tables are: opened for a call and closed after it, so that no one else is kept waiting.

Only an in-memory target stays open between calls, since its data would end.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import RLock
from typing import TYPE_CHECKING, Any

from flowforge_bootstrap.engines import WAIT, new_claim
from flowforge_bootstrap.recording import recorded
from flowforge_bootstrap.workspace import Workspace
from flowforge_ports.engine import Engine
from flowforge_ports.progress import Progress

if TYPE_CHECKING:
    from flowforge_bootstrap.container import Container


@dataclass
class Target:
    """The engine of a workspace's profile; one call at a time works on it."""

    workspace: Workspace
    progress: Progress
    _lock: RLock = field(default_factory=RLock)
    _kept: Engine | None = None
    _running: Container | None = None

    @contextmanager
    def container(self, wait: float = WAIT, command: str = "") -> Iterator[Container]:
        """Put the use cases together for a `with` block; files and profile are read anew.

        They wait at most `wait` seconds for others who work on the target. What they do is recorded as that of
        `command`, if it is given. Raises `FlowForgeError` for a wrong project or profile.
        """
        from dependency_injector import providers

        from flowforge_bootstrap.container import Container

        with self._lock, recorded(command, self._given(wait)) as given:
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

    def interrupt(self) -> None:
        """Cancel the statement that another thread runs, if any."""
        running = self._running
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

    def _given(self, wait: float) -> dict[str, Any]:
        ports = self.workspace.ports()
        manifest, profile = self.workspace.manifest(ports), self.workspace.profile(ports)
        return {
            "project": ports,
            "manifest": manifest,
            "profile": profile,
            "plans": self.workspace.plugins.plans(),
            "sql": self.workspace.plugins.analysis(manifest.root),
            "compiler": self.workspace.compiler(ports, manifest, profile),
            "progress": self.progress,
            "claim": new_claim(wait),
        }
