"""One transaction, as a `with` block or of statements that are known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from flowforge_ports.engine import Session
from flowforge_ports.failpoint import failpoint


@contextmanager
def transaction(session: Session) -> Iterator[None]:
    """Commit what the block does, or roll all of it back and let the error through; Ctrl-C is an error too."""
    try:
        # Within the block: one that is cancelled may have begun nevertheless.
        session.begin()
        failpoint("begun")
        yield
        failpoint("done")
        session.commit()
    except BaseException:
        session.rollback()
        raise
    failpoint("committed")


def run_together(statements: Sequence[str], session: Session) -> None:
    """Run statements in one transaction, and none where there is nothing to run."""
    if statements:
        with transaction(session):
            for statement in statements:
                session.execute(statement)
