"""When a failure is worth another try, and how long to wait before it."""

from __future__ import annotations

from dataclasses import dataclass

from flowforge_domain.errors import EngineError, ErrorKind, causes

_LONGEST = 60.0


@dataclass(frozen=True, slots=True)
class Retries:
    """How often one piece of work is tried in all, and the seconds before it is tried a second time."""

    attempts: int = 4
    delay: float = 1.0


ONCE = Retries(attempts=1)


def may_pass(error: BaseException | None, again: int, retries: Retries) -> bool:
    """Tell whether work that failed after `again` further tries may succeed when it is tried once more.

    A target that cannot be reached is as a rule the wrong one; after a failure that passes, it may be starting up.
    """
    kind = kind_behind(error)
    passes = kind is ErrorKind.TRANSIENT or (again > 0 and kind is ErrorKind.UNREACHABLE)
    return passes and again + 1 < retries.attempts


def pause(again: int, retries: Retries, random: float) -> float:
    """Return the seconds to wait after `again` further tries: twice as long each time, up to half of it by chance.

    `random` is between 0 and 1. Those who got into each other's way do not meet again.
    """
    return min(_LONGEST, retries.delay * 2.0**again) * (1 - random / 2)


def kind_behind(error: BaseException | None) -> ErrorKind | None:
    """Return the kind of the engine's error that an error is or comes from, None where there is none."""
    return next((each.kind for each in causes(error) if isinstance(each, EngineError)), None)
