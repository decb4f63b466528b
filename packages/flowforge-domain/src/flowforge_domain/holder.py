"""Who holds a target's lock, and what those are told who wait for it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from flowforge_domain.errors import EngineError, ErrorKind


@dataclass(frozen=True, slots=True)
class Holder:
    """One command at work: its run id, its process and host, and since when, in ISO 8601 and UTC."""

    run: str
    pid: int
    host: str
    started: str

    def __str__(self) -> str:
        return f"run {self.run}, process {self.pid} on {self.host}, since {self.started[:19]}Z"


@dataclass(frozen=True, slots=True)
class Claim:
    """Who wants a target for themselves, and how many seconds they wait for others to end."""

    holder: Holder
    wait: float = 10.0


def holder_text(holder: Holder) -> str:
    """Return a holder as a line for a lock file."""
    return json.dumps(asdict(holder)) + "\n"


def read_holder(text: str) -> Holder | None:
    """Return the holder that a lock file names; None when it names none, or was not written to its end."""
    try:
        return Holder(**json.loads(text))
    except (ValueError, TypeError):
        return None


def taken(target: str, who: str, waited: float) -> EngineError:
    """Return the error of one who waited in vain: a single line that names the holder, `who`, and the way out."""
    message = f"{target} is in use by {who or 'another run'}; waited {waited:g} s. Wait longer with --wait SECONDS."
    return EngineError(message, kind=ErrorKind.CONFLICT)
