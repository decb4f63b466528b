"""The layout's promises, on any graph: forward, apart, the same every time, fast."""

from __future__ import annotations

import cProfile
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowforge_docs_html.layout import Box, layout


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[float], list[tuple[int, int]]]:
    """Return widths and edges of a graph without cycles, often in several parts."""
    count = draw(st.integers(1, 24))
    widths = draw(st.lists(st.integers(40, 300).map(float), min_size=count, max_size=count))
    pairs = st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)).filter(lambda p: p[0] != p[1])
    shuffled = draw(st.permutations(range(count)))
    edges = {(shuffled[min(p)], shuffled[max(p)]) for p in draw(st.lists(pairs, max_size=40))}
    return widths, sorted(edges)


@given(graphs())
def test_every_edge_goes_forward(graph: tuple[list[float], list[tuple[int, int]]]) -> None:
    widths, edges = graph
    found = layout(widths, edges)
    for (tail, head), route in zip(edges, found.routes, strict=True):
        start, end = found.boxes[tail], found.boxes[head]
        assert start.x + start.width < end.x
        assert route[0] == pytest.approx((start.x + start.width, start.y + start.height / 2))
        assert route[-1] == pytest.approx((end.x, end.y + end.height / 2))
        assert [x for x, _ in route] == sorted(x for x, _ in route)


@given(graphs())
def test_no_two_boxes_overlap(graph: tuple[list[float], list[tuple[int, int]]]) -> None:
    boxes = sorted(layout(*graph).boxes, key=lambda box: box.x)
    for i, box in enumerate(boxes):
        for other in boxes[i + 1 :]:
            assert not _overlap(box, other)


@given(graphs())
def test_boxes_and_routes_lie_inside_the_picture(graph: tuple[list[float], list[tuple[int, int]]]) -> None:
    found = layout(*graph)
    for box in found.boxes:
        assert box.x >= 0
        assert box.y >= -1e-6
        assert box.x + box.width <= found.width + 1e-6
        assert box.y + box.height <= found.height + 1e-6
    for route in found.routes:
        assert all(-1e-6 <= y <= found.height + 1e-6 for _, y in route)


@given(graphs())
def test_the_same_graph_gives_the_same_picture(graph: tuple[list[float], list[tuple[int, int]]]) -> None:
    assert layout(*graph) == layout(*graph)


@given(graphs())
@settings(max_examples=50)
def test_widths_are_kept_or_grown_to_the_column(graph: tuple[list[float], list[tuple[int, int]]]) -> None:
    widths, _ = graph
    assert all(box.width >= width for box, width in zip(layout(*graph).boxes, widths, strict=True))


def test_a_line_of_models_is_drawn_as_a_line() -> None:
    found = layout([100.0] * 5, [(i, i + 1) for i in range(4)])
    assert len({box.y for box in found.boxes}) == 1


def test_a_line_does_not_run_through_a_box_it_leaps_over() -> None:
    edges = [(0, 1), (1, 2), (2, 3), (0, 3)]
    found = layout([100.0] * 4, edges)
    between = found.routes[3][1:-1]
    assert between
    for x, y in between:
        assert not any(b.x <= x <= b.x + b.width and b.y < y < b.y + b.height for b in found.boxes)


def test_no_graph_at_all_is_drawn_too() -> None:
    assert layout([], []).boxes == []
    assert layout([80.0], []).boxes == [Box(0, 0, 80.0)]


def test_singles_stand_in_rows() -> None:
    found = layout([100.0] * 100, [])
    assert found.width <= 1000
    assert found.height <= 800


def test_a_column_that_is_far_too_tall_is_folded() -> None:
    found = layout([120.0] * 501, [(0, i) for i in range(1, 501)])
    assert found.height < 2000
    assert 0.5 < found.width / found.height < 4


def test_cycles_do_not_stop_it() -> None:
    found = layout([100.0] * 3, [(0, 1), (1, 2), (2, 0)])
    assert not any(_overlap(a, b) for i, a in enumerate(found.boxes) for b in found.boxes[i + 1 :])


def test_work_grows_with_the_graph_and_hardly_faster() -> None:
    def calls(count: int) -> int:
        profile = cProfile.Profile()
        profile.runcall(layout, [160.0] * count, _pipeline(count, count * 17 // 10))
        return sum(entry.callcount for entry in profile.getstats())

    assert calls(1000) < 6 * calls(250)


def test_a_thousand_boxes_do_not_overlap() -> None:
    boxes = sorted(layout([160.0] * 1000, _pipeline(1000, 1700)).boxes, key=lambda box: box.x)
    assert not any(_overlap(a, b) for i, a in enumerate(boxes) for b in boxes[i + 1 : i + 120])


def _pipeline(count: int, edges: int) -> list[tuple[int, int]]:
    chosen = random.Random(7)
    found: set[tuple[int, int]] = set()
    while len(found) < edges:
        head = chosen.randrange(1, count)
        found.add((max(0, head - chosen.randrange(1, count // 4)), head))
    return sorted(found)


def _overlap(a: Box, b: Box) -> bool:
    return a.x < b.x + b.width and b.x < a.x + a.width and a.y < b.y + b.height and b.y < a.y + a.height
