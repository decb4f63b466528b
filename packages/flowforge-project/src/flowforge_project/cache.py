"""The parse cache: what a file's content said, kept by content, so that it can be stale for no one.

One file under `.flowforge/`: a seal over the rest, and JSON. A damaged, foreign or missing one, and one that another
version of FlowForge or Python wrote, is the same as an empty one.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from flowforge_ports.failpoint import failpoint

# Raise the number when the same content is read differently between two versions of the distribution.
_FORMAT = f"flowforge-parse-11 {version('flowforge-project')}\n".encode()


@dataclass
class ParseCache:
    """Maps the kind and content of a file to what was read from it, as JSON can hold it."""

    path: Path
    stored: dict[str, Any] = field(default_factory=dict)
    used: dict[str, Any] = field(default_factory=dict)

    def get(self, kind: bytes, content: bytes, read: Callable[[], Any]) -> Any:
        """Return what `read` gives, without calling it when this content was seen before."""
        key = hashlib.blake2b(content, digest_size=20, key=kind).hexdigest()
        if key not in self.used:
            self.used[key] = self.stored[key] if key in self.stored else read()
        return self.used[key]

    def save(self) -> None:
        """Keep what was used since the cache was opened; a folder that cannot be written is left alone."""
        if self.used.keys() == self.stored.keys():
            return
        body = json.dumps(self.used, separators=(",", ":")).encode()
        temporary = self.path.with_name(f"{self.path.name}.{os.getpid()}.{threading.get_ident()}.tmp")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(_seal(body) + body)
            failpoint("written")
            temporary.replace(self.path)
            failpoint("renamed")
        except OSError:
            _remove(temporary)


def open_cache(path: Path) -> ParseCache:
    """Return the cache kept at `path`."""
    try:
        content = path.read_bytes()
    except OSError:
        return ParseCache(path)
    body = content[_SEAL_LENGTH:]
    return ParseCache(path, json.loads(body) if content[:_SEAL_LENGTH] == _seal(body) else {})


def _seal(body: bytes) -> bytes:
    # Each Python has its own idea of what is valid Python.
    python = "{}.{}\n".format(*sys.version_info[:2]).encode()
    return hashlib.sha256(_FORMAT + python + body).hexdigest().encode() + b"\n"


_SEAL_LENGTH = len(_seal(b""))


def _remove(file: Path) -> None:
    try:
        file.unlink(missing_ok=True)
    except OSError:
        return
