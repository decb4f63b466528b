"""The documentation site of nodes that are at hand; a project's own is `Project.docs()`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from flowforge_domain.model import Node

__all__ = ["render_site"]


def render_site(out_dir: Path | str, nodes: Mapping[str, Node]) -> Path:
    """Write `index.html` and a page per node into `out_dir` and return the page to open."""
    from flowforge.core import REGISTRY
    from flowforge_bootstrap.plugins import load_plugins, resolve
    from flowforge_ports.docs import SiteContent

    site = resolve(load_plugins().site().open)()
    code = {name: node.path.read_text("utf-8", "replace") for name, node in nodes.items() if node.path.is_file()}
    page: Path = site.write(Path(out_dir), SiteContent(replace(REGISTRY.manifest, nodes=nodes), code))
    return page
