"""What stands on a table, in an engine where it is in the way of a change of the table's columns."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from typing import Protocol


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
