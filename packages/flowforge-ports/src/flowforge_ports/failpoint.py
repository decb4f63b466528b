"""Failpoints: places between two side effects at which a test has the process killed, or an error raised.

    FLOWFORGE_TEST_FAILPOINTS=1 FLOWFORGE_FAILPOINT=statement:3:kill flowforge run

kills the process before its third statement; `*` counts every point, whatever its name. Without the first variable
the second one is ignored, and passing a point is the call of an empty function.
"""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import count

from flowforge_domain.errors import EngineError, ErrorKind, FlowForgeError

POINTS = {
    "begun": "a transaction is open, nothing is in it",
    "statement": "a statement of any kind is about to be sent, `begin` and `commit` too",
    "frame": "a Python model's frame is about to be written",
    "seed": "a seed's rows are about to be loaded",
    "done": "all of a transaction's work is done, and not committed",
    "committed": "a transaction is committed, and nobody was told",
    "created": "a new database file is made, and not yet in its place",
    "written": "a file is written under a temporary name",
    "renamed": "a file has taken its place",
}
"""Every point by name, and what is true there."""

FILES = frozenset({"created", "written", "renamed"})
"""The points at which the operating system's errors are raised, not an engine's."""

ACTIONS = ("kill", "raise", "enospc")


@dataclass(frozen=True)
class Armed:
    """What happens at the `at`-th passing of a point, counted over all threads."""

    name: str
    at: int
    action: str
    passed: Iterator[int] = field(default_factory=partial(count, 1))

    def __call__(self, name: str) -> None:
        """Pass the point `name`."""
        if self.name in (name, "*") and next(self.passed) == self.at:
            _strike(name, self.action)


def armed(environment: Mapping[str, str]) -> Callable[[str], None]:
    """Return what passing a point does; raise `FlowForgeError` for what is no failpoint."""
    wanted = environment.get("FLOWFORGE_FAILPOINT", "")
    if environment.get("FLOWFORGE_TEST_FAILPOINTS") != "1" or not wanted:
        return _pass
    name, at, action = (*wanted.split(":"), "", "")[:3]
    if name not in {*POINTS, "*"} or not at.isdecimal() or action not in ACTIONS:
        hint = f"Write name:n:action with one of {', '.join(POINTS)}, and one of {', '.join(ACTIONS)}."
        raise FlowForgeError(f"FLOWFORGE_FAILPOINT is {wanted!r}.", hint=hint)
    return Armed(name, int(at), action)


def _pass(name: str) -> None:
    """Do nothing, as everywhere but in a test."""


def _strike(name: str, action: str) -> None:
    if action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    full = action == "enospc"
    message = f"{os.strerror(errno.ENOSPC if full else errno.EIO)} (failpoint {name!r})"
    if name in FILES:
        raise OSError(errno.ENOSPC if full else errno.EIO, message)
    raise EngineError(message, kind=ErrorKind.SPACE if full else ErrorKind.UNKNOWN, hint="A test planted this.")


failpoint = armed(os.environ)
"""Pass a point: `failpoint("done")`."""
