"""The door through which FlowForge finds the site."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys

from flowforge_docs_html.plugin import flowforge_sites


def test_the_site_is_announced_through_the_entry_point() -> None:
    (entry,) = importlib.metadata.entry_points(group="flowforge", name="docs_html")
    assert entry.value == "flowforge_docs_html.plugin"
    (spec,) = flowforge_sites()
    assert (spec.name, spec.open) == ("html", "flowforge_docs_html.site:open_site")


def test_announcing_loads_no_template_engine() -> None:
    code = "import sys, flowforge_docs_html.plugin; sys.exit(int(any(m.startswith('jinja2') for m in sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
