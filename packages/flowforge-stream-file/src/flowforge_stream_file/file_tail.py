"""A JSONL file as a stream: read from its start, followed through rotation and truncation.

`position.py` knows a file again, `rotation.py` orders the files, `lines.py` reads them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flowforge_domain.errors import StreamError
from flowforge_ports.stream import Batch, DeadLetter
from flowforge_stream_file.lines import Cursor, Line, NoEventError, event_of, lines_of, shown
from flowforge_stream_file.position import OpenFile, after, decode, encode
from flowforge_stream_file.rotation import files_from

LONGEST_LINE = 1024 * 1024
# A batch is also bounded in bytes, so that many long lines do not fill the memory.
_MOST_BYTES = 32 * 1024 * 1024


class FileTailSource:
    """Follows the JSONL file `path`; `name` is what its position is kept under, by default the absolute path.

    A line of more than `longest_line` bytes becomes a dead letter. A file that is not there yet has no events: whoever
    waits for it in vain should look at `path`.
    """

    def __init__(
        self, path: str | os.PathLike[str], name: str | None = None, *, longest_line: int = LONGEST_LINE
    ) -> None:
        if "\0" in os.fspath(path):
            raise StreamError(f"{os.fspath(path)!r} cannot be a path.", hint="Remove the NUL character.")
        self.path = Path(path)
        self.longest_line = longest_line
        self._name = name if name is not None else _storable(str(self.path.absolute()))

    @property
    def name(self) -> str:
        """Return the name under which the position is kept."""
        return self._name

    def read(self, position: str, limit: int) -> Batch:
        """Return at most `limit` lines from `position` on as events and dead letters; half a last line waits.

        Raises `StreamError` for a file that cannot be read, or a position that is none of this source's.
        """
        if limit < 1:
            raise StreamError(f"A batch of {limit} events reads nothing.", hint="Pass a limit of at least 1.")
        start = decode(position, self.name)
        reading = _Reading(limit, position)
        with _translated(self.path), closing(files_from(self.path, start)) as files:
            for file, left in files:
                self._read_file(file, left, reading)
                if reading.is_full:
                    break
        return Batch(tuple(reading.events), reading.position, tuple(reading.dead_letters))

    def _read_file(self, file: OpenFile, left: bool, reading: _Reading) -> None:
        cursor = Cursor(file.start.offset, file.start.line, file.start.skipping)
        for line in lines_of(file, cursor, self.longest_line, left):
            reading.take(line, file.path)
            if reading.is_full:
                break
        reading.position = encode(after(file, cursor.offset, cursor.line, cursor.skipping))


@dataclass
class _Reading:
    """A batch while it fills."""

    limit: int
    position: str
    events: list[dict[str, Any]] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    size: int = 0

    @property
    def is_full(self) -> bool:
        return len(self.events) + len(self.dead_letters) >= self.limit or self.size >= _MOST_BYTES

    def take(self, line: Line, path: Path) -> None:
        self.size += len(line.raw)
        try:
            event = event_of(line)
        except NoEventError as error:
            self.dead_letters.append(DeadLetter(f"{_storable(str(path))}:{line.number}", shown(line), str(error)))
        else:
            if event is not None:
                self.events.append(event)


def _storable(path: str) -> str:
    """Return a path as text that a database takes, also where its bytes are no UTF-8."""
    return path.encode("utf-8", "backslashreplace").decode("utf-8")


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StreamError(
            f"{str(path)!r} cannot be read: {error.strerror or error}.", hint="Check the path and its permissions."
        ) from error
