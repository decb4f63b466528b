"""The site as files: complete, linked, without secrets, the same every time."""

from __future__ import annotations

import cProfile
import dataclasses
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path, PurePosixPath

import pytest

from flowforge_docs_html.site import open_site
from flowforge_domain.config import ModelConfig
from flowforge_domain.manifest import Manifest
from flowforge_domain.model import Node
from flowforge_ports.docs import SiteContent


class Page(HTMLParser):
    """One page: its elements with their attributes, and all its text."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.text.append(data.strip())

    def values(self, attribute: str) -> list[str]:
        return [attributes[attribute] for _, attributes in self.elements if attribute in attributes]


@pytest.fixture
def site(tmp_path: Path, content: SiteContent) -> Path:
    return open_site().write(tmp_path / "out", content).parent


def _files(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def test_there_is_an_index_and_a_page_a_model(tmp_path: Path, content: SiteContent) -> None:
    index = open_site().write(tmp_path / "deep" / "out", content)
    assert index == tmp_path / "deep" / "out" / "index.html"
    assert sorted(f.name for f in (index.parent / "models").glob("*.html")) == [
        "enriched.html",
        "marts_daily.html",
        "orders.html",
        "users.html",
    ]


def test_every_link_leads_somewhere(site: Path) -> None:
    pages = {str(f.relative_to(site)): Page(f) for f in site.rglob("*.html")}
    for name, page in pages.items():
        for link in [*page.values("href"), *page.values("src")]:
            target, _, fragment = link.partition("#")
            path = str(PurePosixPath(name).parent / target) if target else name
            path = re.sub(r"\w+/\.\./", "", path)
            assert (site / path).is_file(), (name, link)
            if fragment and not fragment.startswith("graph/"):
                assert fragment in pages[path].values("id"), (name, link)


def test_labels_and_controls_point_at_elements_that_exist(site: Path) -> None:
    for file in site.rglob("*.html"):
        page = Page(file)
        ids = page.values("id")
        assert len(ids) == len(set(ids)), file
        for attribute in ("aria-labelledby", "aria-controls", "aria-describedby", "data-copy", "data-source"):
            assert set(page.values(attribute)) <= set(ids), (file, attribute)
        labelled = {a.get("for") for tag, a in page.elements if tag == "label"}
        assert {a["id"] for tag, a in page.elements if tag in {"input", "select"}} <= labelled


def test_no_page_has_inline_handlers_styles_or_scripts_of_its_own(site: Path) -> None:
    for file in site.rglob("*.html"):
        page = Page(file)
        for tag, attributes in page.elements:
            assert not any(name.startswith("on") or name == "style" for name in attributes), (file, tag)
        inline = [a for tag, a in page.elements if tag == "script" and "src" not in a]
        assert [a.get("type", "") for a in inline] == ["", "application/json"]
        assert "style" not in {tag for tag, _ in page.elements}


def test_the_policy_stands_before_anything_it_rules(site: Path) -> None:
    for file in site.rglob("*.html"):
        elements = Page(file).elements
        at = next(i for i, (_, a) in enumerate(elements) if a.get("http-equiv") == "Content-Security-Policy")
        assert not {"script", "link"} & {tag for tag, _ in elements[:at]}
        assert elements[at][1]["content"].startswith("default-src 'none'; script-src 'self' 'sha256-")


def test_only_pages_that_draw_with_mermaid_load_it(tmp_path: Path, make_node: Callable[..., Node]) -> None:
    nodes = {"hub": make_node("hub")} | {f"m{i}": make_node(f"m{i}", "hub") for i in range(160)}
    site = open_site().write(tmp_path, SiteContent(Manifest("p", tmp_path, nodes))).parent
    for page, draws in (("index.html", False), ("models/hub.html", False), ("models/m1.html", True)):
        text = (site / page).read_text(encoding="utf-8")
        assert ("mermaid.min.js" in text) is draws
        assert ("unsafe-inline" in text) is draws


def test_the_overview_tells_what_there_is(site: Path) -> None:
    text = Page(site / "index.html").text
    for expected in ("shop", "From orders to marts.", "growth", "core", "mart_users", "Written by the shop."):
        assert expected in text
    for expected in ("SQL model", "Python model", "Source", "Seed", "seeds/seed_users.csv", "4 of 4 models"):
        assert expected in text


def test_a_model_page_tells_everything_about_its_model(site: Path) -> None:
    page = Page(site / "models/users.html")
    text = " ".join(page.text)
    for expected in ("Everyone who signed up.", "growth", "sla 1h", "tier 1", "models/users.ff.sql", "bigint", "pk"):
        assert expected in text
    assert "select * from {{ ref('seed_users') }} -- as written" in text
    assert "unique id error" in text
    assert "../index.html#seed-seed_users" in page.values("href")
    assert "../models/enriched.html" in page.values("href")
    assert "flowchart LR" in text


def test_tests_are_found_by_relation_too(site: Path) -> None:
    text = " ".join(Page(site / "models/marts_daily.html").text)
    assert "greater_equal turnover warn threshold : 0" in text


def test_required_columns_are_shown(site: Path) -> None:
    assert "users email , id" in " ".join(Page(site / "models/enriched.html").text)


def test_nothing_tells_where_it_was_built(site: Path, tmp_path: Path) -> None:
    for name, data in _files(site).items():
        assert b"somebody" not in data, name
        assert str(tmp_path).encode() not in data, name
        if not name.startswith("assets/mermaid"):
            assert b"/home/" not in data, name
    assert b"compiled in ./models" in (site / "models/users.html").read_bytes()


def test_a_path_outside_the_project_shrinks_to_its_name(tmp_path: Path) -> None:
    node = Node("m", "sql", Path("/elsewhere/private/m.sql"))
    site = open_site().write(tmp_path, SiteContent(Manifest("p", Path("/home/x/p"), {"m": node}))).parent
    assert b"private" not in b"".join(data for name, data in _files(site).items() if name.endswith(".html"))


def test_the_same_project_gives_the_same_bytes(tmp_path: Path, content: SiteContent) -> None:
    manifest = content.manifest
    turned = dataclasses.replace(manifest, nodes=dict(reversed(manifest.nodes.items())))
    open_site().write(tmp_path / "a", content)
    open_site().write(tmp_path / "b", dataclasses.replace(content, manifest=turned))
    assert _files(tmp_path / "a") == _files(tmp_path / "b")


def test_pages_of_models_that_are_gone_go_and_other_files_stay(tmp_path: Path, content: SiteContent) -> None:
    open_site().write(tmp_path, content)
    (tmp_path / "models" / "mine.html").write_text("my own")
    (tmp_path / "notes.txt").write_text("my own")
    nodes = {name: node for name, node in content.manifest.nodes.items() if name == "orders"}
    smaller = dataclasses.replace(content, manifest=dataclasses.replace(content.manifest, nodes=nodes, checks=()))
    open_site().write(tmp_path, smaller)
    assert sorted(f.name for f in (tmp_path / "models").glob("*.html")) == ["mine.html", "orders.html"]
    assert (tmp_path / "notes.txt").exists()


def test_a_list_that_was_tampered_with_removes_nothing(tmp_path: Path, content: SiteContent) -> None:
    victim = tmp_path / "victim.html"
    victim.write_text("precious")
    out = tmp_path / "out"
    (out / "models").mkdir(parents=True)
    (out / "models" / ".flowforge-pages").write_bytes(b"../victim.html\nmodels/../../victim.html\n/etc/passwd\n\xff\n")
    open_site().write(out, content)
    assert victim.exists()


def test_an_unchanged_page_is_not_written_again(tmp_path: Path, content: SiteContent) -> None:
    open_site().write(tmp_path, content)
    before = {f: f.stat().st_mtime_ns for f in tmp_path.rglob("*.html")}
    open_site().write(tmp_path, content)
    assert {f: f.stat().st_mtime_ns for f in tmp_path.rglob("*.html")} == before
    assert not list(tmp_path.rglob("*.new"))


def test_an_empty_project_has_a_site(tmp_path: Path) -> None:
    index = open_site().write(tmp_path, SiteContent(Manifest("", tmp_path)))
    assert "This project has no models yet." in index.read_text(encoding="utf-8")


def test_text_that_utf8_and_html_cannot_carry_becomes_visible(tmp_path: Path, make_node: Callable[..., Node]) -> None:
    node = make_node("m", config=ModelConfig(description="a\x00b \udc80 c"))
    open_site().write(tmp_path, SiteContent(Manifest("p", tmp_path, {"m": node})))
    assert r"a␀b \udc80 c" in (tmp_path / "models/m.html").read_text(encoding="utf-8")


def test_the_data_of_a_page_is_json(site: Path) -> None:
    for file in site.rglob("*.html"):
        block = re.search(r'<script type="application/json" id="data">(.*?)</script>', file.read_text(encoding="utf-8"))
        assert block
        assert json.loads(block[1])


def test_work_grows_with_the_project_and_no_faster(tmp_path: Path, make_node: Callable[..., Node]) -> None:
    def calls(count: int) -> int:
        names = [f"m{i:04}" for i in range(count)]
        nodes = {name: make_node(name, *names[max(i - 2, 0) : i]) for i, name in enumerate(names)}
        profile = cProfile.Profile()
        profile.runcall(open_site().write, tmp_path / str(count), SiteContent(Manifest("p", tmp_path, nodes)))
        return sum(entry.callcount for entry in profile.getstats())

    calls(10)
    assert calls(200) < 2.4 * calls(100)
