"""Hostile texts in every place a project has: none runs, asks or loads anything; all are shown as written."""

from __future__ import annotations

import json
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
    from conftest import Watched
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

SITE = open_site()
TEXTS: list[str] = json.loads((Path(__file__).parent / "data" / "hostile_texts.json").read_text(encoding="utf-8"))
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


@pytest.mark.parametrize("text", TEXTS, ids=[f"{i:03}" for i in range(len(TEXTS))])
def test_a_hostile_text_is_only_a_text(text: str, folder: Path, one_page: Watched) -> None:
    index = SITE.write(folder, _project(text))
    page = one_page.open(index, f"#graph/{quote(text, safe='')}")
    page.evaluate(USE_THE_OVERVIEW, text)
    _assert_shown(page, _overview(text), scripts=3)
    one_page.assert_quiet()

    page = one_page.open(index.parent / page.evaluate("document.querySelector('#models a.name').getAttribute('href')"))
    _assert_shown(page, _model_page(text), scripts=3)
    one_page.assert_quiet()


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
    _assert_shown(page, {}, scripts=4)
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


def _assert_shown(page: Page, expected: dict[str, str], scripts: int) -> None:
    found = page.evaluate(SCAN, list(expected))
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
