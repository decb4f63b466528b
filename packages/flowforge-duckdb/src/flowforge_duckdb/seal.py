"""Proof that nobody else wrote to a database file: it is what it was when we closed it.

A file beside it, the seal, tells what that was, for every project that opens the database.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from uuid import uuid4

import duckdb

from flowforge_domain.fingerprint import version_by
from flowforge_domain.relation import relation_parts
from flowforge_duckdb.lock import opening

# No file is this: what is still in the log may be of others, and may be theirs to write yet.
_UNFINISHED = "unfinished"


@dataclass(frozen=True, slots=True)
class Closed:
    """What a file was when it was closed, and the version of what is in it, "" where nobody vouched for it.

    What hooks wrote to has a version of its own, by the last part of its name, however they wrote the rest.
    """

    identity: str
    version: str
    hooked: dict[str, str] = field(default_factory=dict)


def file_seal(path: Path) -> FileSeal:
    """Return what is known of a database that was just opened: nobody else can write to it now, and we did not yet."""
    found, closed = identity(path), closed_as(path)
    same = closed is not None and closed.identity == found
    version = closed.version if closed and same else ""
    hooked = closed.hooked if closed and version else {}
    return FileSeal(path, found, version or uuid4().hex, closed is not None and not same, hooked=hooked)


@dataclass
class FileSeal:
    """What is known of one open database file: `found` is what it was then, `version` that of all that is in it.

    `hooked` are the versions of what hooks wrote to.
    Once the seal is `lifted` there is none until the file is closed: who is killed is not taken for somebody else.
    """

    path: Path
    found: str
    version: str
    foreign: bool
    lifted: bool = False
    vouched: bool = False
    hooked: dict[str, str] = field(default_factory=dict)

    def versions(self, relations: Collection[str]) -> Mapping[str, str]:
        """Return one version for all tables of the file, but for those that hooks wrote to."""
        return {relation: self.hooked.get(_last(relation), self.version) for relation in relations}

    def wrote(self, relations: Collection[str] | None, hook: str) -> None:
        """Give what a hook may have written to another version; all of the file where nobody knows."""
        if relations is None:
            self.version = version_by(hook, uuid4().hex)
            self.hooked.clear()
        else:
            before = self.versions(relations)
            self.hooked |= {_last(relation): version_by(hook, before[relation]) for relation in relations}

    def vouch(self) -> None:
        """Let the version hold for the file as it will be closed."""
        self.vouched = True

    def broken(self) -> bool:
        """Tell whether somebody wrote to the file since it was closed, and the seal was not lifted since."""
        return self.foreign and not self.lifted

    def lift(self) -> None:
        """Remove the seal: the file is about to be another."""
        with suppress(OSError):
            _seal_file(self.path).unlink(missing_ok=True)
        self.lifted = True

    def closing(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Close the file in turn and seal it as it is then: what others of this process write later breaks the seal."""
        with opening(self.path):
            if self.lifted:
                _write_log(connection)
            connection.close()
        if not self.lifted:
            return
        now = identity(self.path) or _UNFINISHED
        seal = Closed(now, self.version if self.vouched or now == self.found else "", self.hooked)
        # Of one name: what a kill leaves there goes with the next. A torn seal proves nothing, and so does no harm.
        temporary = _seal_file(self.path).with_suffix(".seal.tmp")
        try:
            temporary.write_text(json.dumps(asdict(seal)) + "\n", encoding="utf-8")
            temporary.replace(_seal_file(self.path))
        except OSError:
            # A full disk took its name, and nothing of it.
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


def closed_as(path: Path) -> Closed | None:
    """Return what a file was when it was last closed, None where nobody says so."""
    with suppress(OSError, ValueError, TypeError):
        closed = Closed(**json.loads(_seal_file(path).read_text(encoding="utf-8")))
        return replace(closed, hooked=dict(closed.hooked))
    return None


def identity(path: Path) -> str:
    """Return a text that changes whenever the file is written to; "" where a log beside it is not yet part of it.

    It stays when the file is moved. The file is not opened for it: to close it again would end the lock that DuckDB
    holds on it in this process.
    """
    try:
        if path.with_name(f"{path.name}.wal").exists():
            return ""
        found = path.stat()
    except OSError:
        return ""
    return f"{found.st_size}:{found.st_mtime_ns}"


def _last(relation: str) -> str:
    return relation_parts(relation)[-1].casefold()


def _write_log(connection: duckdb.DuckDBPyConnection) -> None:
    # To close does it only where no other connection of this process has the file open.
    with suppress(duckdb.Error):
        connection.execute("checkpoint")


def _seal_file(path: Path) -> Path:
    return path.with_name(f"{path.name}.seal")
