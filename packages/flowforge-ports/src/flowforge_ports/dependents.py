"""What stands on a table: where it is in the way of a change of the table's columns, or is broken by it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from typing import Protocol

from flowforge_domain.late_views import Renewals


class Dependents(Protocol):
    """Takes views off a relation for as long as it changes, and makes them again, in the open transaction."""

    def altering(self, relation: str, columns: Collection[str]) -> AbstractContextManager[None]:
        """Take down what uses these columns, and give it back after the block, with all that hung on it.

        Raises `EngineError` of kind DEPENDENTS listing what is in the way.
        """

    def renewing(self, text: Callable[[str], str]) -> AbstractContextManager[None]:
        """Make a view that does not fit any more, for the block, from what `text` gives for its relation.

        That is a statement that creates it, or "" where there is none; it raises `EngineError` with a hint of its own.
        """


class LateViews(Protocol):
    """Sees to views that the engine binds when they are read, so that what they read can change below them."""

    def keeping(self, relation: str, renewals: Renewals) -> AbstractContextManager[None]:
        """Let the block change or replace a relation that stands, if the views on it can be read after it as before.

        Runs in the open transaction. A view that cannot be is made anew as `renewals` say (`late_views.follow`); raises
        `EngineError` of kind DEPENDENTS listing those that are lost. One that could not be read before is none of them.
        """
