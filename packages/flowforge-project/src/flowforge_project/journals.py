"""The journals of a project: files below `.flowforge/runs/`, only ever appended to."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from flowforge_domain.errors import ConfigError
from flowforge_domain.journal import Entry, journal_line, read_lines
from flowforge_domain.text import Location
from flowforge_ports.journal import Journal

RUNS = Path(".flowforge", "runs")
MOST = 200
_SUFFIX = ".jsonl"


@dataclass(frozen=True)
class FolderJournals:
    """Keeps the newest `MOST` journals of a project."""

    root: Path

    def begin(self, name: str) -> FileJournal:
        folder = self.root / RUNS
        folder.mkdir(parents=True, exist_ok=True)
        for old in self.names()[MOST - 1 :]:
            with suppress(OSError):
                (folder / f"{old}{_SUFFIX}").unlink()
        # Unbuffered: what was written outlives this process, though not the machine.
        file = FileIO(folder / f"{name}{_SUFFIX}", "ab")
        _mark(file, alone=True)
        return FileJournal(file)

    def names(self) -> list[str]:
        found = (self.root / RUNS).glob(f"*{_SUFFIX}")
        return sorted((path.name.removesuffix(_SUFFIX) for path in found), reverse=True)

    def read(self, name: str) -> Journal:
        path = self.root / RUNS / f"{name}{_SUFFIX}"
        try:
            with FileIO(path, "rb") as file:
                return Journal(name, read_lines(file.readall()), goes_on=not _mark(file, alone=False))
        except (OSError, ValueError) as error:
            where = Location((RUNS / path.name).as_posix())
            raise ConfigError(f"The journal cannot be read: {error}", where=where, hint="Delete it.") from error


@dataclass(frozen=True)
class FileJournal:
    """One file; while it is open, others can tell that its run is alive."""

    file: FileIO

    def write(self, entry: Entry) -> None:
        self.file.write(journal_line(entry))

    def close(self) -> None:
        self.file.close()


def _mark(file: FileIO, alone: bool) -> bool:
    """Mark a file as written, `alone`, or read, and tell whether nobody writes it; the end of a process unmarks it."""
    try:
        import fcntl

        fcntl.flock(file, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except (ImportError, OSError):
        # Where a system or its folder knows no such lock, a run that goes on looks like one that crashed.
        return True
    return True
