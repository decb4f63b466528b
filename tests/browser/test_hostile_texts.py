"""Hostile texts in every place a project has: none runs, asks or loads anything; all are shown as written."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from flowforge_docs_html.site import open_site
from flowforge_domain.checks import Check
from flowforge_domain.config import ColumnConfig, ModelConfig
from flowforge_domain.manifest import Manifest
from flowforge_domain.model import Node, Seed, SeedOptions, SourceTable
from flowforge_ports.docs import SiteContent

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Watched
    from playwright.sync_api import Frame

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

SITE = open_site()
TEXTS: list[str] = json.loads((Path(__file__).parent / "data" / "hostile_texts.json").read_text(encoding="utf-8"))
# By day the promised number of them, from the whole of the corpus; so many pages are open at once.
DAY, AT_ONCE = 120, 10
TRIED = TEXTS if os.environ.get("FLOWFORGE_NIGHTLY") == "1" else [TEXTS[i * len(TEXTS) // DAY] for i in range(DAY)]
# What our own templates and Mermaid's drawings are made of; anything else came out of a text.
TAGS = set(
    "html head meta title script link body a header div span bdi button main section h1 h2 p dl dt dd label input kbd "
    "select option output ul li svg g path rect text tspan table thead tbody tr th td footer nav pre code aside br "
    "style defs marker polygon circle ellipse lineargradient stop feDropShadow filter foreignObject".lower().split()
)
SCAN = """(places) => {
  const elements = [...document.querySelectorAll("*")];
  const attributes = elements.flatMap((e) => [...e.attributes].map((a) => [a.name.toLowerCase(), a.value]));
  const target = /^(href|src|xlink:href|action|formaction|ping|srcset|poster|data|background)$/;
  return {
    texts: places.map((place) => (document.querySelector(place) || {}).textContent),
    tags: [...new Set(elements.map((e) => e.tagName.toLowerCase()))],
    handlers: attributes.map(([name]) => name).filter((name) => name.startsWith("on")),
    targets: attributes.filter(([name]) => target.test(name)).map(([, value]) => value),
    scripts: document.scripts.length,
  };
}"""


# Filter by the text, hold its node, point at things, and follow it as a link into the graph, raw and encoded.
USE_THE_OVERVIEW = """(text) => {
  const filter = document.getElementById("filter");
  for (const value of [text, ""]) {
    filter.value = value;
    filter.dispatchEvent(new Event("input"));
  }
  for (const hash of [text, "graph/" + text, "graph/" + encodeURIComponent("x" + text)]) location.hash = "#" + hash;
  document.querySelectorAll("main *").forEach((element) => element.dispatchEvent(new Event("mouseover")));
  const click = new MouseEvent("click", { bubbles: true, cancelable: true });
  if (!document.querySelector(".graph .n.self")) document.querySelector(".graph .n").dispatchEvent(click);
}"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for every site: the assets are written once."""
    return tmp_path_factory.mktemp("hostile")


@pytest.mark.parametrize("first", range(0, len(TRIED), AT_ONCE))
def test_a_hostile_text_is_only_a_text(
    first: int, folder: Path, one_page: Watched, record_property: Callable[[str, int], None]
) -> None:
    texts = TRIED[first : first + AT_ONCE]
    record_property("trials", len(texts))
    sites = [SITE.write(folder / str(place), _project(text)) for place, text in enumerate(texts)]
    overviews = [f"{site.as_uri()}#graph/{quote(text, safe='')}" for site, text in zip(sites, texts, strict=True)]
    pages = []
    for text, site, frame in zip(texts, sites, _frames(one_page, folder / "overviews.html", overviews), strict=True):
        frame.evaluate(USE_THE_OVERVIEW, text)
        _assert_shown(frame, _overview(text), scripts=3)
        pages.append(site.parent / frame.evaluate("document.querySelector('#models a.name').getAttribute('href')"))
    one_page.assert_quiet()

    for text, frame in zip(
        texts, _frames(one_page, folder / "pages.html", [page.as_uri() for page in pages]), strict=True
    ):
        _assert_shown(frame, _model_page(text), scripts=3)
    one_page.assert_quiet()


def _frames(watched: Watched, file: Path, addresses: list[str]) -> list[Frame]:
    """Open several pages at once, each in a frame as large as the window: to open each alone takes half as much again.

    None may have run a script of its own: each has its own tripwire, which `_assert_shown` asks.
    """
    frame = '<iframe src="{}" style="position: fixed; inset: 0; width: 100%; height: 100%"></iframe>'
    file.write_text("<!doctype html>" + "".join(map(frame.format, addresses)), encoding="utf-8")
    opened = watched.open(file).main_frame.child_frames
    assert [one.url.partition("#")[0] for one in opened] == [one.partition("#")[0] for one in addresses]
    return opened


@pytest.mark.parametrize("half", [0, 1])
def test_a_drawing_of_hostile_texts_shows_them(half: int, folder: Path, one_page: Watched) -> None:
    texts = TEXTS[half::2]
    nodes = {text: Node(text, "sql", Path("m"), ("hub",)) for text in texts} | {"hub": Node("hub", "sql", Path("m"))}
    site = SITE.write(folder / "drawing", SiteContent(Manifest("p", Path("/p"), nodes))).parent
    page = one_page.open(site / "models" / "hub.html")
    page.locator("#drawn").scroll_into_view_if_needed()
    page.locator("#drawn[data-drawn]").wait_for()
    drawn = page.evaluate("[...document.querySelectorAll('#drawn g.node')].map((node) => node.textContent)")
    assert sorted(map(_squeezed, drawn)) == sorted(map(_squeezed, nodes))
    _assert_shown(page.main_frame, {}, scripts=4)
    one_page.assert_quiet()


def test_the_corpus_is_as_large_as_promised() -> None:
    assert len(TEXTS) == len(set(TEXTS)) >= 120


def _project(text: str) -> SiteContent:
    config = ModelConfig(
        description=text,
        owner=text,
        tags=(text,),
        meta={text: text},
        columns={text: ColumnConfig(text, text, (text,), {text: [text]})},
    )
    seed = f"seed {text}"
    node = Node(text, "sql", Path("m.sql"), (seed,), ((text, text),), config=config, file=f"models/{text}.ff.sql")
    checks = (Check(text, node.relation, text, (text,), {text: text}),)
    seeds = {seed: Seed(seed, "csv", Path("s"), seed, f"seeds/{text}.csv", SeedOptions(description=text))}
    sources = {(text, text): SourceTable(text, text, text, text)}
    manifest = Manifest(text, Path("/p"), {text: node}, seeds, sources, checks, description=text)
    return SiteContent(manifest, {text: f"-- {text}\nselect 1"}, {text: f"-- {text}\nselect 2"}, text, text)


def _overview(text: str) -> dict[str, str]:
    """Say what stands where on the overview."""
    exact = {
        "title": f"{text} · overview",
        "h1": text,
        "#models a.name": text,
        "#models .tag": text,
        "#models td:nth-child(5)": text,
        "#tag option:nth-child(2)": text,
        ".graph .n title": text,
        "#pinned bdi": text,
        "#seeds td.code": f"seeds/{text}.csv",
        "#sources .node": f"{text}.{text}",
    }
    return exact | dict.fromkeys((".lead", "#sources td.prose", "#seeds td.prose"), _unmarked(text))


def _model_page(text: str) -> dict[str, str]:
    """Say what stands where on the model's page."""
    columns, tests = "[aria-labelledby=columns-title] tbody", "[aria-labelledby=tests-title] tbody"
    return {
        "title": f"{text} · {text}",
        "h1": text,
        ".facts div:nth-child(3) dd": f"models/{text}.ff.sql",
        ".facts div:nth-child(4) dd": text,
        ".facts div:nth-child(5) dt": text,
        ".facts div:nth-child(5) dd": text,
        ".lead": _unmarked(text),
        "#text-code": f"-- {text}\nselect 1",
        "#text-compiled": f"-- {text}\nselect 2",
        f"{columns} th": text,
        f"{columns} td": text,
        f"{columns} .tag": text,
        f"{tests} th": text,
        f"{tests} td": text,
        f"{tests} .pair": f"{text}: {text}",
        ".side-column .node.seed": f"seed {text}",
        ".side-column .node.source": f"{text}.{text}",
    }


def _assert_shown(frame: Frame, expected: dict[str, str], scripts: int) -> None:
    assert frame.evaluate("window.tripped") == 0, expected
    found = frame.evaluate(SCAN, list(expected))
    for place, shown in zip(expected, found["texts"], strict=True):
        assert shown is not None, place
        if shown != expected[place]:
            assert _squeezed(shown) == _squeezed(expected[place]), place
    assert set(found["tags"]) <= TAGS
    assert found["handlers"] == []
    assert found["scripts"] == scripts
    for target in found["targets"]:
        assert re.match(r"(\.\./)?(assets|models)/|(\.\./)?index\.html|#|https?://", target), target


def _squeezed(text: str) -> str:
    """Leave out white space, which HTML is free to fold."""
    return re.sub(r"[\s\u200b\ufeff]+", "", text)


def _unmarked(text: str) -> str:
    """Say what remains of a description once its few marks are read."""
    marks = r"`([^`\n]+)`|\[([^\[\]\n]+)\]\(https?://[^\s()<>\"'`\\]+\)"
    return re.sub(marks, lambda found: found[1] or found[2], text)
