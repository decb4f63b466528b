"""A lease: the lock of a target where nothing is freed by the end of a connection, such as a row with a time in it.

Its holder puts off its end again and again, so that the lease of one who died is free after `seconds`, and not before.
A holder that cannot put it off in time, such as a process that was suspended, learns so only at the end of its run,
when another may have begun.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import Protocol
from uuid import uuid4

from flowforge_domain.errors import EngineError, ErrorKind
from flowforge_domain.holder import Claim, taken

LEASE_TABLE = "_flowforge_lock"
"""The name of a table that holds the lease, or is it; no catalog lists it."""

_PAUSE = 0.5
# Behind who holds it stands which of its runs that is: two of one process are not to free each other's.
_NONCE = " #"


class Lease(Protocol):
    """Who holds a target, and until when; whatever goes wrong is an `EngineError`."""

    @property
    def target(self) -> str:
        """Return what it keeps others off, for messages."""

    @property
    def seconds(self) -> float:
        """Return how long it holds when nobody puts off its end."""

    def take(self, holder: str) -> bool:
        """Make it `holder`'s where nobody has it or it has ended, and tell whether that is so; of several, of one."""

    def holder(self) -> str:
        """Return who has it, as given to `take`; "" for nobody."""

    def renew(self, holder: str) -> None:
        """Put off its end, unless it is no longer `holder`'s."""

    def free(self, holder: str) -> bool:
        """Give it back, and tell whether it was still `holder`'s."""


@contextmanager
def leased(lease: Lease, claim: Claim, way_out: str) -> Iterator[None]:
    """Hold a lease for a `with` block, as `Lock.hold` is to; `way_out` is the hint for who waited in vain.

    Raises `EngineError` of kind CONFLICT, at the end of the block too where the lease was lost meanwhile.
    """
    me, ends = f"{claim.holder}{_NONCE}{uuid4().hex}", time.monotonic() + claim.wait
    while not lease.take(me):
        if time.monotonic() >= ends:
            error = taken(lease.target, lease.holder().partition(_NONCE)[0], claim.wait)
            error.hint = way_out
            raise error
        time.sleep(_PAUSE)
    over = Event()
    renewing = Thread(target=_renew, args=(lease, me, over), daemon=True)
    renewing.start()
    try:
        yield
    finally:
        over.set()
        renewing.join()
        kept = _freed(lease, me)
    if not kept:
        message = f"The lock on {lease.target} was lost during the run; another may have written too."
        raise EngineError(message, kind=ErrorKind.CONFLICT, hint="Check what was built, and run again.")


def _renew(lease: Lease, me: str, over: Event) -> None:
    while not over.wait(lease.seconds / 3):
        # The next round tries again; whether the lease was lost shows when it is given back.
        with suppress(EngineError):
            lease.renew(me)


def _freed(lease: Lease, me: str) -> bool:
    # What cannot be given back ends by itself.
    with suppress(EngineError):
        return lease.free(me)
    return False
