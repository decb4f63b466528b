"""Tells a statement that this process cancelled from one that failed."""

from __future__ import annotations

from flowforge_domain.errors import EngineError, ErrorKind, causes


def was_cancelled(error: BaseException | None) -> bool:
    """Tell whether an error is, or comes from, a statement that this process cancelled, as after Ctrl-C.

    It is nobody's failure: it ends the whole command, and is never a model's or a test's result. What a time limit or
    somebody else ended is one.
    """
    return any(isinstance(each, EngineError) and each.kind is ErrorKind.CANCELLED for each in causes(error))
