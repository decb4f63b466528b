"""The parse cache: what a file's content said, kept by content, so that it can be stale for no one.

One JSON file under `.flowforge/`; a damaged, foreign or missing one is the same as an empty one.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# Part of every key: raise it when the same content would be read differently.
_FORMAT = b"flowforge-parse-1"


@dataclass
class ParseCache:
    """Maps the kind and content of a file to what was read from it, as JSON can hold it."""

    path: Path
    stored: dict[str, Any] = field(default_factory=dict)
    used: dict[str, Any] = field(default_factory=dict)

    def get(self, kind: str, content: bytes, read: Callable[[], Any]) -> Any:
        """Return what `read` gives, without calling it when this content was seen before."""
        key = hashlib.sha256(b"\0".join((_FORMAT, kind.encode(), content))).hexdigest()
        if key not in self.used:
            self.used[key] = self.stored[key] if key in self.stored else read()
        return self.used[key]

    def save(self) -> None:
        """Keep what was used since the cache was opened; a folder that cannot be written is left alone."""
        if self.used.keys() == self.stored.keys():
            return
        temporary = self.path.with_name(f"{self.path.name}.{os.getpid()}.tmp")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(json.dumps(self.used, separators=(",", ":")), encoding="utf-8")
            temporary.replace(self.path)
        except OSError:
            temporary.unlink(missing_ok=True)


def open_cache(path: Path) -> ParseCache:
    """Return the cache kept at `path`."""
    try:
        stored = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        stored = {}
    return ParseCache(path, stored if isinstance(stored, dict) else {})
