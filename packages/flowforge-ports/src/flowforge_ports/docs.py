"""How a documentation site is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from flowforge_domain.manifest import Manifest


@dataclass(frozen=True)
class SiteContent:
    """What a site shows: the project, and for each node the code as written and, for SQL, as compiled."""

    manifest: Manifest
    code: Mapping[str, str] = field(default_factory=dict)
    compiled: Mapping[str, str] = field(default_factory=dict)
    environment: str = ""
    engine: str = ""


class SiteWriter(Protocol):
    """Writes a site that opens from disk without a network."""

    def write(self, out_dir: Path, content: SiteContent) -> Path:
        """Write the site into `out_dir` and return the page to open."""


@dataclass(frozen=True)
class SiteSpec:
    """A site as a plugin announces it; `open` refers to a function `() -> SiteWriter`."""

    name: str
    open: str


OpenSite = Callable[[], SiteWriter]
