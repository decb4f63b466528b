"""Values that no output shows."""

from __future__ import annotations

import re
from typing import final

# A project names its variables itself, and means the session of a shop, the key of a table, a number of tokens.
_SECRET = re.compile(
    r"pass(?:word|wd|phrase)|pwd|secret|credential|(?:api|access|private|signing)_?key"
    r"|(?:^|api_?|access_?|auth_?|bearer_?|refresh_?)token$",
    re.IGNORECASE,
)


def is_secret_name(name: str) -> bool:
    """Tell whether a variable of this name looks like a secret."""
    return _SECRET.search(name) is not None


@final
class Secret:
    """A string that prints as `***`; only `reveal()` gives it back.

    Equality is by value; formatting, repr and copying into an f-string never show the text.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text; call it only where a driver is handed its credentials."""
        return self._text

    def __repr__(self) -> str:
        return "Secret('***')"

    def __str__(self) -> str:
        return "***"

    def __format__(self, spec: str) -> str:
        return format("***", spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __reduce__(self) -> tuple[type[Secret], tuple[str]]:
        raise TypeError("A Secret cannot be serialized.")
