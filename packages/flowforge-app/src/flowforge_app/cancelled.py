"""Tells a statement that was stopped from outside from one that failed."""

from __future__ import annotations

from flowforge_domain.errors import EngineError, ErrorKind


def was_cancelled(error: BaseException | None) -> bool:
    """Tell whether an error is, or comes from, a statement that was cancelled, as by Ctrl-C.

    It is nobody's failure: it ends the whole command, and is never a model's or a test's result.
    """
    while error is not None:
        if isinstance(error, EngineError) and error.kind is ErrorKind.CANCELLED:
            return True
        error = error.__cause__
    return False
