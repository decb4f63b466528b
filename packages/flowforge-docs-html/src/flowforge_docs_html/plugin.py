"""Announces the site to FlowForge; Jinja is loaded when the site is opened."""

from __future__ import annotations

from flowforge_ports.docs import SiteSpec
from flowforge_ports.hooks import hookimpl


@hookimpl
def flowforge_sites() -> list[SiteSpec]:
    """Announce the HTML site."""
    return [SiteSpec(name="html", open="flowforge_docs_html.site:open_site")]
