"""Positions: how far a file was read, and how that file is known again once it was renamed, copied or cut.

A file is the same when its device and inode are, and the bytes read so far too: an inode alone is reused, and a file
that was cut and written anew keeps its inode.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, BinaryIO

from flowforge_domain.errors import StreamError

VERSION = 1
# Enough bytes of the start and of the end of what was read to tell two logs of one program apart.
_SPAN = 1024


@dataclass(frozen=True, slots=True)
class Position:
    """How far a file was read: `line` complete lines, `offset` bytes; `seen` is the digest of what was read.

    `skipping` is set inside a line that was too long: the rest of it is dropped.
    """

    device: int = 0
    inode: int = 0
    offset: int = 0
    line: int = 0
    seen: str = ""
    skipping: bool = False


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A file opened to be read on from `start`; renaming it does not disturb the handle."""

    path: Path
    handle: BinaryIO
    start: Position


def encode(position: Position) -> str:
    """Return the text under which the position is kept."""
    return json.dumps({"version": VERSION, **asdict(position)})


def decode(text: str, stream: str) -> Position:
    """Return the position kept as `text`, the start for "".

    Raises `StreamError` for what no version of this source has written.
    """
    if not text:
        return Position()
    try:
        kept = json.loads(text)
    except ValueError:
        kept = None
    if not _is_position(kept):
        raise StreamError(
            f"The position kept for stream {stream!r} is none of a file: {text[:200]!r}.",
            hint="Give the stream another name; known events are not counted twice when it is read again.",
        )
    return Position(**{name: value for name, value in kept.items() if name != "version"})


def after(file: OpenFile, offset: int, line: int, skipping: bool) -> Position:
    """Return the position in an open file once `offset` of its bytes were read."""
    facts = os.fstat(file.handle.fileno())
    return Position(facts.st_dev, facts.st_ino, offset, line, digest_of(file.handle, offset), skipping)


def open_same_file(path: Path, position: Position) -> OpenFile | None:
    """Open `path` if it is the very file of `position`, whatever its name was then."""
    return open_same_content(path, position) if has_inode(path, position) else None


def has_inode(path: Path, position: Position) -> bool:
    """Tell whether `path` has the inode of the position's file; that file may have been cut, or its inode reused."""
    try:
        facts = path.stat()
    except FileNotFoundError:
        return False
    return (facts.st_dev, facts.st_ino) == (position.device, position.inode)


def open_same_content(path: Path, position: Position) -> OpenFile | None:
    """Open `path` if it begins with what was read up to `position`: the file itself, or a copy of it."""
    file = open_at(path, position)
    if file is None:
        return None
    if digest_of(file.handle, position.offset) == position.seen:
        return file
    file.handle.close()
    return None


def open_at(path: Path, start: Position) -> OpenFile | None:
    """Open `path` to be read from `start`, None where there is no such file.

    Raises `StreamError` for a folder, a pipe or a device.
    """
    if path.exists() and not path.is_file():
        raise StreamError(f"{str(path)!r} is not a regular file.", hint="Name the JSONL file to follow.")
    try:
        return OpenFile(path, path.open("rb"), start)
    except FileNotFoundError:
        return None


def digest_of(handle: BinaryIO, offset: int) -> str:
    """Return the digest of the start and the end of the first `offset` bytes; a shorter file lacks some of them."""
    digest = hashlib.sha256()
    for begin in (0, max(0, offset - _SPAN)):
        handle.seek(begin)
        digest.update(handle.read(min(offset, _SPAN)))
    return digest.hexdigest()[:32]


def _is_position(kept: Any) -> bool:
    if not isinstance(kept, dict) or kept.get("version") != VERSION:
        return False
    types = {field.name: type(field.default) for field in fields(Position)}
    values = {name: value for name, value in kept.items() if name != "version"}
    return {name: type(value) for name, value in values.items()} == types and values["offset"] >= 0
