"""Several sessions on one target, for work that is done side by side."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from flowforge_domain.capability import Capability
from flowforge_ports.engine import Engine


@contextmanager
def forked(engine: Engine, most: int) -> Iterator[list[Engine]]:
    """Give an engine and its forks, at most so many and as many as may work at once, and close the forks."""
    most = most if Capability.CONCURRENT_SESSIONS in engine.capabilities else 1
    with ExitStack() as forks:
        engines = [engine]
        for _ in range(most - 1):
            engines.append(engine.fork())
            forks.callback(engines[-1].session.close)
        yield engines
