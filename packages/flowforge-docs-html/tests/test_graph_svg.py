"""The drawing: complete without scripts, escaped, and with labels that fit their boxes."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from flowforge_docs_html.graph import graph_of
from flowforge_docs_html.graph_svg import columns, draw, shortened
from flowforge_domain.manifest import Manifest
from flowforge_domain.model import Node
from flowforge_ports.docs import SiteContent


def _drawn(manifest: Manifest) -> ET.Element:
    return ET.fromstring(str(draw(graph_of(manifest), "Graph").svg))


def test_every_node_is_a_link_with_its_name(content: SiteContent) -> None:
    nodes = _drawn(content.manifest).findall("g[@class='nodes']/a")
    assert [node.findtext("title") for node in nodes] == [
        "enriched",
        "marts_daily",
        "orders",
        "users",
        "seed_users",
        "crm.orders",
    ]
    assert [node.get("class") for node in nodes] == ["n python", "n sql", "n sql", "n sql", "n seed", "n source"]
    assert nodes[4].get("href") == "index.html#seed-seed_users"


def test_every_edge_is_a_line_between_the_right_boxes(content: SiteContent) -> None:
    drawn = _drawn(content.manifest)
    lines = [(int(e.get("data-from", "")), int(e.get("data-to", ""))) for e in drawn.findall("g[@class='edges']/path")]
    assert lines == graph_of(content.manifest).edges


def test_labels_fit_their_boxes(make_node: Callable[..., Node]) -> None:
    nodes = {name: make_node(name) for name in ("a", "m" * 34, "w" * 200, "漢" * 30)}
    for node in _drawn(Manifest("p", Path("p"), nodes)).findall("g[@class='nodes']/a"):
        box, text = node.find("rect"), node.find("text")
        assert box is not None
        assert text is not None
        right = float(text.get("x", "")) + columns(text.text or "") * 7.25
        assert right <= float(box.get("x", "")) + float(box.get("width", "")) - 6


@pytest.mark.parametrize("name", ["</svg><script>", '"onload="x', "a&b", "<title>"])
def test_names_cannot_become_markup(make_node: Callable[..., Node], name: str) -> None:
    node = _drawn(Manifest("p", Path("p"), {name: make_node(name)})).find("g[@class='nodes']/a")
    assert node is not None
    assert node.findtext("title") == node.findtext("text") == name


def test_nothing_in_it_needs_a_style_or_a_script(content: SiteContent) -> None:
    svg = str(draw(graph_of(content.manifest), "x").svg)
    assert not re.search(r"\s(style|on\w+)=|<style|<script", svg)


def test_long_labels_keep_both_ends() -> None:
    label = shortened("beginning_" + "x" * 60 + "_ending")
    assert label.startswith("beginning_")
    assert label.endswith("_ending")
    assert columns(label) <= 34
    assert shortened("short") == "short"
    assert columns(shortened("漢" * 40)) <= 34


def test_an_empty_project_is_drawn(content: SiteContent) -> None:
    assert draw(graph_of(Manifest("p", Path("p"))), "x").width == 32
