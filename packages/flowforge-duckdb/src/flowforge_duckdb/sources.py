"""Proof that nobody wrote to a database file: it is what it was when we closed it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4


def file_proof(path: Path, root: Path) -> FileProof:
    """Return what is known of a database that was just opened; notes lie below the project folder `root`."""
    name = f"duckdb-{hashlib.sha256(os.fsencode(path)).hexdigest()[:16]}.json"
    return FileProof(path, root / ".flowforge" / "cache" / name).opened()


@dataclass
class FileProof:
    """What is known of one open database file; `note` is the file that tells what it was when it was last closed.

    The note is written only when somebody vouched for what was written to the database.
    """

    path: Path
    note: Path
    version: str = ""
    vouched: bool = False

    def versions(self, relations: Collection[str]) -> Mapping[str, str]:
        """Return one version for all tables of the file."""
        return dict.fromkeys(relations, self.version)

    def vouch(self) -> None:
        """Let the version hold for the file as it will be closed."""
        self.vouched = True

    def opened(self) -> FileProof:
        """Take note of what the file is, now that nobody else can write to it, and before we do."""
        self.version = self._noted() or uuid4().hex
        return self

    def closed(self) -> None:
        """Write down what the file is now; a folder that cannot be written is left alone."""
        after = identity(self.path)
        if self.vouched and after and not self._noted():
            temporary = self.note.with_name(f"{self.note.name}.{os.getpid()}.tmp")
            with suppress(OSError):
                self.note.parent.mkdir(parents=True, exist_ok=True)
                temporary.write_text(json.dumps({"identity": after, "version": self.version}))
                temporary.replace(self.note)

    def _noted(self) -> str:
        """Return the version that was noted for the file as it is, "" where it was another."""
        now = identity(self.path)
        try:
            noted = json.loads(self.note.read_text())
            return str(noted["version"]) if now and noted["identity"] == now else ""
        except (OSError, ValueError, LookupError, TypeError):
            return ""


def identity(path: Path) -> str:
    """Return a text that changes whenever the file is written to; "" where a log beside it is not yet part of it.

    The file is not opened for it: to close it again would end the lock that DuckDB holds on it in this process.
    """
    try:
        if path.with_name(f"{path.name}.wal").exists():
            return ""
        found = path.stat()
    except OSError:
        return ""
    return ":".join(map(str, (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)))
