"""Try again what failed for a reason that passes: a deadlock, a server that restarts, a limit on requests."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event
from typing import TypeVar

from flowforge_domain.errors import FlowForgeError
from flowforge_domain.retries import Retries, may_pass, pause
from flowforge_ports.progress import Progress, Retried

Result = TypeVar("Result")


@dataclass(frozen=True)
class Patience:
    """How chance and waiting are had; `sleep` waits on an event for some seconds and returns early once it is set."""

    random: Callable[[], float] = random.random
    sleep: Callable[[Event, float], object] = Event.wait


@dataclass
class Attempts:
    """The tries of one piece of work; `again` counts those after the first.

    Nothing is tried again once `stopped` is set.
    """

    what: str
    retries: Retries
    progress: Progress
    patience: Patience = field(default_factory=Patience)
    stopped: Event = field(default_factory=Event)
    again: int = 0

    def __call__(self, work: Callable[[], Result]) -> Result:
        """Return what `work` gives; raise its error when that will not pass, or was tried often enough."""
        while True:
            try:
                return work()
            except FlowForgeError as error:
                if not may_pass(error, self.again, self.retries):
                    raise
                seconds = pause(self.again, self.retries, self.patience.random())
                self.again += 1
                self.progress(Retried(self.what, self.again, seconds, error))
                self.patience.sleep(self.stopped, seconds)
                if self.stopped.is_set():
                    raise
