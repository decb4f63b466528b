"""The site as its reader uses it: in a real browser, from disk, without a network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from flowforge_docs_html.site import open_site
from flowforge_domain.checks import Check
from flowforge_domain.config import ColumnConfig, ModelConfig
from flowforge_domain.manifest import Manifest
from flowforge_domain.model import Node, Seed, SourceTable
from flowforge_ports.docs import SiteContent

if TYPE_CHECKING:
    from conftest import Watched
    from playwright.sync_api import Browser, BrowserContext, Page

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

WIDTHS = (360, 768, 1280, 1920)
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
LIT = "[...document.querySelectorAll('.graph .n.on title')].map((title) => title.textContent).sort()"
MATCHED = "[...document.querySelectorAll('.graph .n.match title')].map((title) => title.textContent).sort()"
GROUND = "getComputedStyle(document.body).backgroundColor"
BOXES = """(selector) => [...document.querySelectorAll(selector)]
  .filter((element) => element.checkVisibility({ visibilityProperty: true }))
  .map((element) => element.getBoundingClientRect().toJSON())
  .filter((box) => box.height > 0)"""
# Labels that stick out of their boxes, and boxes that lie upon each other, as the browser has really set them.
COLLISIONS = """() => {
  const nodes = [...document.querySelectorAll(".graph .n")];
  const boxes = nodes.map((node) => node.querySelector("rect").getBBox());
  const texts = nodes.map((node) => node.querySelector("text").getBBox());
  const wide = texts.filter((text, i) => text.x + text.width > boxes[i].x + boxes[i].width - 4).length;
  const left = (a, b) => a.x + a.width <= b.x || a.y + a.height <= b.y;
  const apart = (a, b) => left(a, b) || left(b, a);
  let upon = 0;
  boxes.forEach((a, i) => boxes.slice(i + 1).forEach((b) => { upon += !apart(a, b); }));
  return [wide, upon];
}"""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project like the example: five models, a source, a seed."""
    config = ModelConfig(
        description="Everyone.", owner="growth", tags=("core",), columns={"id": ColumnConfig("Key", "bigint")}
    )
    nodes = [
        _node("users", "seed_users", config=config),
        _node("orders", sources=(("crm", "orders"),)),
        _node("users_enriched", "users", kind="python"),
        _node("mart_orders", "orders", "users_enriched", kind="python"),
        _node(
            "marts_daily", "mart_orders", "users", config=ModelConfig("view", owner="finance", tags=("core", "mart"))
        ),
    ]
    manifest = Manifest(
        "simple",
        Path("/p"),
        {node.name: node for node in nodes},
        {"seed_users": Seed("seed_users", "csv", Path("s"), "seed_users", "seeds/seed_users.csv")},
        {("crm", "orders"): SourceTable("crm", "orders", "crm.orders")},
        (Check("unique", "users", "id"),),
    )
    code = {"users": "-- people\nselect 'x', 1 from {{ ref('seed_users') }}"}
    content = SiteContent(manifest, code, {"users": "select 'x', 1 from seed_users"}, "dev", "duckdb")
    return open_site().write(tmp_path_factory.mktemp("small"), content)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A thousand models in eight layers, with long and with wide names."""
    names = [f"{'漢字' if i % 50 == 0 else 'model'}_{i}{'_of_a_long_name' * (i % 7 // 3)}" for i in range(1000)]
    deps = [[names[j] for j in {i - 125, i - 120 - i % 9} if j >= 0] for i in range(1000)]
    nodes = {name: _node(name, *deps[i]) for i, name in enumerate(names)}
    return open_site().write(tmp_path_factory.mktemp("large"), SiteContent(Manifest("large", Path("/p"), nodes)))


def test_the_overview_opens_and_is_quiet(small: Path, watched: Watched) -> None:
    page = watched.open(small)
    assert page.title() == "simple · overview"
    assert page.locator("#models tr").count() == 5
    assert page.locator(".graph .n").count() == 7
    assert page.locator(".legend .chip").all_inner_texts() == ["SQL model", "Python model", "Source", "Seed"]
    watched.assert_quiet()


def test_the_filter_filters_table_and_graph(small: Path, watched: Watched) -> None:
    page = watched.open(small)
    page.keyboard.press("/")
    page.keyboard.type("FINANCE")
    assert _shown(page) == ["marts_daily"]
    assert page.evaluate(MATCHED) == ["marts_daily"]
    assert page.inner_text("#shown") == "1 of 5 models"
    page.keyboard.press("Escape")
    assert len(_shown(page)) == 5
    page.fill("#filter", "no such thing")
    assert page.locator("#nothing").is_visible()
    watched.assert_quiet()


def test_kind_and_tag_narrow_the_filter(small: Path, watched: Watched) -> None:
    page = watched.open(small)
    page.get_by_role("button", name="Python").click()
    assert _shown(page) == ["mart_orders", "users_enriched"]
    page.get_by_role("button", name="All", exact=True).click()
    page.select_option("#tag", label="core")
    assert _shown(page) == ["marts_daily", "users"]
    page.fill("#filter", "every")
    assert _shown(page) == ["users"]


def test_a_slash_in_the_filter_is_a_slash(small: Path, watched: Watched) -> None:
    page = watched.open(small)
    page.focus("#filter")
    page.keyboard.type("a/b")
    assert page.input_value("#filter") == "a/b"


def test_the_dark_theme_is_switched_and_remembered(small: Path, watched: Watched) -> None:
    page = watched.open(small)
    light = page.evaluate(GROUND)
    page.click("#theme")
    dark = page.evaluate(GROUND)
    assert light != dark
    assert page.get_attribute("#theme", "aria-pressed") == "true"
    page = watched.open(small.parent / "models" / "users.html")
    assert page.evaluate(GROUND) == dark
    page.click("#theme")
    assert page.evaluate(GROUND) == light
    watched.assert_quiet()


def test_the_system_decides_until_the_reader_does(small: Path, watched: Watched) -> None:
    page = watched.open(small)
    light = page.evaluate(GROUND)
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(GROUND) != light
    assert page.get_attribute("#theme", "aria-pressed") == "true"
    page.click("#theme")
    assert page.evaluate(GROUND) == light


@pytest.mark.parametrize("clipboard", ["there", "missing"])
def test_code_is_copied(small: Path, context: BrowserContext, watched: Watched, clipboard: str) -> None:
    if clipboard == "missing":
        context.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined });")
    page = watched.open(small.parent / "models" / "users.html")
    page.click("[data-copy=text-code]")
    page.get_by_text("Copied").first.wait_for()
    page.evaluate("document.body.append(Object.assign(document.createElement('textarea'), { id: 'paste' }))")
    page.focus("#paste")
    page.keyboard.press("Control+V")
    assert page.input_value("#paste") == "-- people\nselect 'x', 1 from {{ ref('seed_users') }}"
    watched.assert_quiet()


def test_tabs_follow_mouse_and_keys(small: Path, watched: Watched) -> None:
    page = watched.open(small.parent / "models" / "users.html")
    assert page.locator("#pane-code").is_visible()
    assert page.locator("#pane-compiled").is_hidden()
    page.click("#tab-compiled")
    assert page.locator("#pane-code").is_hidden()
    assert page.inner_text("#text-compiled") == "select 'x', 1 from seed_users"
    page.keyboard.press("ArrowLeft")
    assert page.locator("#pane-code").is_visible()
    assert page.evaluate("document.activeElement.id") == "tab-code"


def test_mermaid_draws_the_neighbourhood(small: Path, watched: Watched) -> None:
    page = watched.open(small.parent / "models" / "users.html")
    _draw(page)
    texts = page.evaluate("[...document.querySelectorAll('#drawn g.node')].map((node) => node.textContent.trim())")
    assert sorted(texts) == ["mart_orders", "marts_daily", "seed_users", "users", "users_enriched"]
    assert (page.text_content("#drawn .node.subject") or "").strip() == "users"
    page.click("#tab-mermaid")
    assert page.inner_text("#text-mermaid").startswith("flowchart LR")
    watched.assert_quiet()


def test_a_box_of_the_neighbourhood_opens_its_page(small: Path, watched: Watched) -> None:
    page = watched.open(small.parent / "models" / "users.html")
    _draw(page)
    page.locator("#drawn g.node", has_text="marts_daily").click()
    page.wait_for_url("**/models/marts_daily.html")
    watched.assert_quiet()


def test_pointing_at_a_node_lights_what_it_reads_and_what_reads_it(small: Path, watched: Watched) -> None:
    page = watched.open(small)
    page.locator(".graph .n", has_text="users_enriched").hover()
    assert page.evaluate(LIT) == ["mart_orders", "marts_daily", "seed_users", "users", "users_enriched"]
    assert page.locator(".graph .e.up").count() == 2
    assert page.locator(".graph .e.down").count() == 2
    page.locator("h1").hover()
    assert page.evaluate(LIT) == []


def test_a_click_holds_the_light_and_a_second_opens_the_page(small: Path, watched: Watched) -> None:
    page = watched.open(small)
    node = page.locator(".graph .n", has_text="crm.orders")
    node.click()
    page.locator("h1").hover()
    assert page.evaluate(LIT) == ["crm.orders", "mart_orders", "marts_daily", "orders"]
    assert page.inner_text("#pinned").split("\n")[:3] == ["crm.orders", "0 upstream", "3 downstream"]
    page.keyboard.press("Escape")
    assert page.evaluate(LIT) == []
    orders = page.locator(".graph .n.sql", has_text="orders").first
    orders.click()
    orders.click()
    page.wait_for_url("**/models/orders.html")
    watched.assert_quiet()


def test_a_model_page_leads_back_into_the_graph(small: Path, watched: Watched) -> None:
    page = watched.open(small.parent / "models" / "users_enriched.html")
    page.get_by_role("link", name="Show in the graph").click()
    page.wait_for_url("**/index.html#graph/users_enriched")
    assert page.inner_text("#pinned bdi") == "users_enriched"


def test_the_graph_zooms_and_moves(small: Path, watched: Watched) -> None:
    page = watched.open(small)
    views = [_view(page)]
    page.click("[data-zoom=in]")
    views.append(_view(page))
    assert views[1][2] < views[0][2]
    page.focus("#stage")
    page.keyboard.press("ArrowRight")
    views.append(_view(page))
    assert views[2][0] > views[1][0]
    box = page.locator("#graph").bounding_box()
    assert box
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    page.mouse.down()
    page.mouse.move(box["x"] + 105, box["y"] + 25)
    page.mouse.up()
    assert _view(page)[0] < views[2][0]
    page.keyboard.press("0")
    assert _view(page) == views[0]


def test_a_drag_over_a_node_opens_nothing(small: Path, watched: Watched) -> None:
    page = watched.open(small)
    box = page.locator(".graph .n", has_text="users_enriched").bounding_box()
    assert box
    page.mouse.move(box["x"] + 10, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + 60, box["y"] + 12)
    page.mouse.up()
    assert page.locator("#pinned").is_hidden()
    assert page.url.endswith("index.html")


def test_the_graph_fills_the_window_and_leaves_it(small: Path, watched: Watched) -> None:
    page = watched.open(small)
    page.get_by_role("button", name="Expand").click()
    box = page.locator("#lineage").bounding_box()
    assert box == {"x": 0, "y": 0, "width": 1280, "height": 720}
    page.keyboard.press("Escape")
    assert page.get_by_role("button", name="Expand").is_visible()


@pytest.mark.parametrize("name", ["overview", "model", "thousand"])
def test_nothing_overflows_or_overlaps(small: Path, large: Path, watched: Watched, name: str) -> None:
    file = {"overview": small, "model": small.parent / "models" / "users.html", "thousand": large}[name]
    page = watched.open(file)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate(OVERFLOW) <= 0, width
        for group in (".top .wide > *", ".toolbar > *", "#lineage .bar > *"):
            _assert_apart(page, group)
    watched.assert_quiet()


def test_controls_of_the_toolbar_line_up(small: Path, watched: Watched) -> None:
    page = watched.open(small)
    boxes = [page.locator(f"#toolbar {one}").bounding_box() for one in ("input", ".segments", "select")]
    assert len({(box["y"], box["height"]) for box in boxes if box}) == 1


def test_labels_and_boxes_keep_apart_at_five_and_a_thousand(small: Path, large: Path, watched: Watched) -> None:
    assert watched.open(small).evaluate(COLLISIONS) == [0, 0]
    page = watched.open(large)
    page.click("[data-zoom=in]")
    for _ in range(6):
        page.click("[data-zoom=in]")
    assert page.locator(".graph.far").count() == 0
    assert page.evaluate(COLLISIONS) == [0, 0]


def test_a_thousand_models_are_filtered_and_lit(large: Path, watched: Watched) -> None:
    page = watched.open(large)
    page.fill("#filter", "model_99")
    assert page.inner_text("#shown") == "11 of 1000 models"
    page.locator(".graph .n").first.dispatch_event("click")
    assert len(page.evaluate(LIT)) > 1
    watched.assert_quiet()


def test_everything_is_there_without_scripts(small: Path, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(small.as_uri())
    assert page.locator(".graph").is_visible()
    assert page.locator("#toolbar").is_hidden()
    assert page.locator("#models a.name").count() == 5
    page.goto((small.parent / "models" / "users.html").as_uri())
    for place in ("#text-code", "#text-compiled", "#text-mermaid"):
        assert page.locator(place).is_visible()
    context.close()


def test_paper_shows_both_codes_and_no_buttons(small: Path, watched: Watched) -> None:
    page = watched.open(small.parent / "models" / "users.html")
    _draw(page)
    page.emulate_media(media="print", color_scheme="dark")
    for place in ("#text-code", "#text-compiled", "#drawn svg"):
        assert page.locator(place).is_visible()
    assert page.locator("button:visible").count() == 0
    assert page.evaluate(GROUND) == "rgb(255, 255, 255)"


def test_the_tab_key_passes_every_control_and_not_the_thousand_nodes(large: Path, watched: Watched) -> None:
    page = watched.open(large)
    seen = []
    for _ in range(16):
        page.keyboard.press("Tab")
        seen.append(
            page.evaluate(
                "document.activeElement.id || document.activeElement.className || document.activeElement.textContent"
            )
        )
    assert {"skip", "brand", "theme", "filter", "stage", "name"} <= set(seen)


def _node(name: str, *deps: str, kind: str = "sql", **settings: object) -> Node:
    return Node(name, kind, Path("m"), deps, file=f"models/{name}.ff.{kind[:3]}", **settings)


def _shown(page: Page) -> list[str]:
    return [row.inner_text() for row in page.locator("#models tr:visible a.name").all()]


def _draw(page: Page) -> None:
    page.locator("#drawn").scroll_into_view_if_needed()
    page.locator("#drawn[data-drawn]").wait_for()


def _view(page: Page) -> list[float]:
    return [round(float(part), 3) for part in (page.get_attribute("#graph", "viewBox") or "").split()]


def _assert_apart(page: Page, selector: str) -> None:
    boxes = [box for box in page.evaluate(BOXES, selector) if box["width"] > 1]  # the rest is for screen readers
    for i, a in enumerate(boxes):
        for b in boxes[i + 1 :]:
            beside = a["x"] + a["width"] <= b["x"] + 0.5 or b["x"] + b["width"] <= a["x"] + 0.5
            below = a["y"] + a["height"] <= b["y"] + 0.5 or b["y"] + b["height"] <= a["y"] + 0.5
            assert beside or below, (selector, a, b)
