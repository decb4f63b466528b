"""Rotation: which file a position was in, and which files come after it.

Rotated files are found beside the file followed: `events.jsonl.1`, `events.jsonl-20240131`, `events.2024-01-31.jsonl`.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

from flowforge_stream_file.position import OpenFile, Position, has_inode, open_at, open_same_content, open_same_file

_log = logging.getLogger(__name__)
_MARK = re.compile(r"\d[\dT:_.-]*\Z")
_LONGEST_COUNTER = 4


def files_from(path: Path, position: Position) -> Generator[tuple[OpenFile, bool]]:
    """Give the open files to read, oldest first, each with whether its writer has left it for a newer one.

    A file counts as left once a newer one holds something: until then its writer may still have it open. That is
    looked up before the file is read, so that its end is its end.
    """
    file = _known(path, position) or _from_start(path, position)
    while file is not None:
        with file.handle:
            newer = _first_with_content(path, file.path)
            yield file, newer is not None
            following = open_at(newer, Position()) if newer else None
            if following and not _is_still(file):
                # Renamed meanwhile: what `newer` names now may be one file too far; the next read sorts it out.
                following.handle.close()
                return
            file = following


def _known(path: Path, position: Position) -> OpenFile | None:
    """Find the file of a position: by identity first, then (restored, or copied before a cut) by content."""
    openers: list[Callable[[Path, Position], OpenFile | None]] = [open_same_file] if position.inode else []
    openers += [open_same_content] if position.offset else []
    for opener in openers:
        for candidate in _candidates(path):
            if found := opener(candidate, position):
                return found
    return None


def _from_start(path: Path, position: Position) -> OpenFile | None:
    """Open what was written after the position's file was cut or removed: its inode, wherever it is now, or `path`."""
    cut = next((p for p in _candidates(path) if has_inode(p, position)), path) if position.inode else path
    file = open_at(cut, Position())
    if file and position.offset:
        _log.warning(
            "%s was cut or replaced after line %d and no rotated file holds what was read; reading from its start. "
            "Lines written after that one and before the change are not seen.",
            path,
            position.line,
        )
    return file


def _candidates(path: Path) -> Iterator[Path]:
    yield path
    yield from _siblings(path)


def _siblings(path: Path) -> list[Path]:
    beside = path.parent.iterdir() if path.parent.is_dir() else ()
    return sorted(p for p in beside if p.name.startswith(path.stem) and p.name != path.name and p.is_file())


def _first_with_content(path: Path, read: Path) -> Path | None:
    """Return the next file after `read` that is not empty."""
    if read == path:
        return None
    return next((p for p in (*_between(path, read), path) if _size(p)), None)


def _between(path: Path, read: Path) -> list[Path]:
    """Return the files rotated away after `read`, oldest first; counters fall with age, dates rise with time."""
    mark = _mark(path, read)
    marked = {_mark(path, p): p for p in _siblings(path)}
    alike = [m for m in marked if m and mark and _is_counter(m) == _is_counter(mark)]
    if _is_counter(mark):
        return [marked[m] for m in sorted(alike, key=int, reverse=True) if int(m) < int(mark)]
    return [marked[m] for m in sorted(alike) if m > mark]


def _mark(path: Path, rotated: Path) -> str:
    """Return what a rotated file's name adds: `1`, `20240131`; "" when that is no counter or date."""
    added = rotated.name.removeprefix(path.stem).removeprefix(path.suffix).removesuffix(path.suffix)
    mark = added.lstrip(".-_")
    return mark if mark != added and _MARK.match(mark) else ""


def _is_counter(mark: str) -> bool:
    return mark.isdigit() and len(mark) <= _LONGEST_COUNTER


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _is_still(file: OpenFile) -> bool:
    """Tell whether the file's name still leads to the file that was opened under it."""
    try:
        return os.path.samestat(file.path.stat(), os.fstat(file.handle.fileno()))
    except FileNotFoundError:
        return False
