"""How an engine tells that others wrote to a target which its catalog alone would not show."""

from __future__ import annotations

from typing import Protocol


class Seal(Protocol):
    """Set on a target whenever FlowForge lets go of it, and broken by whoever else writes there."""

    def broken(self) -> bool:
        """Tell whether others have written since FlowForge last let go of the target; False where nobody knows.

        It stays so until a session has lifted it, however many only looked.
        """

    def lift(self) -> None:
        """Take note that this session is about to write, and that state rows tell of what others may have changed."""
