"""How a seed's file is opened, compressed or not: the domain, which knows what must be in it, opens none."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import IO, cast

from flowforge_domain.seed_csv import SeedFile

_CHUNK = 1 << 20


def seed_file(path: Path, errors: str = "strict") -> SeedFile:
    """Return how to read the file at `path`; what is wrong with its text is treated as `errors` says."""
    return SeedFile(partial(open_text, path, errors=errors), partial(chunks, path))


def open_text(path: Path, encoding: str, errors: str = "strict") -> IO[str]:
    """Open a file as text, with the ends of its lines as they are."""
    if path.suffix == ".gz":
        return cast("IO[str]", gzip.open(path, "rt", encoding=encoding, errors=errors, newline=""))
    return path.open(encoding=encoding, errors=errors, newline="")


def chunks(path: Path) -> Iterator[bytes]:
    """Give the content of a file, unpacked."""
    with cast("IO[bytes]", gzip.open(path)) if path.suffix == ".gz" else path.open("rb") as given:
        yield from iter(partial(given.read, _CHUNK), b"")
