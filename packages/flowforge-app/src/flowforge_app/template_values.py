"""The variables that a template reads: noted while it is rendered, and put back to render it as it was before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Values(Mapping[str, Any]):
    """Variables of one `kind` that note in `read`, as `kind NAME`, what is asked of them; None for what is not there.

    What was noted at another time, `before`, stands in the place of what is there `now`.
    """

    kind: str
    now: Mapping[str, Any]
    read: dict[str, Any]
    before: Mapping[str, Any]

    def __getitem__(self, name: str) -> Any:
        key = f"{self.kind} {name}"
        value = self.before[key] if key in self.before else self.now.get(name)
        self.read[key] = _plain(value)
        if value is None and (key in self.before or name not in self.now):
            raise KeyError(name)
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self.now)

    def __len__(self) -> int:
        return len(self.now)


def _plain(value: Any) -> Any:
    """Return a value as JSON gives it back; what JSON does not know, such as a date, as it is printed."""
    if isinstance(value, Mapping):
        return {str(key): _plain(child) for key, child in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(child) for child in value]
    return value if value is None or isinstance(value, str | int | float) else str(value)
