"""Places, carets and suggestions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowforge_domain.text import Location, caret, did_you_mean, line_of, nearest, printable


@pytest.mark.parametrize(
    ("place", "shown"),
    [(Location("a.sql"), "a.sql"), (Location("a.sql", 3), "a.sql:3"), (Location("a.sql", 3, 7), "a.sql:3")],
)
def test_location(place, shown):
    assert str(place) == shown


def test_caret_stands_below_its_column():
    assert caret("select 1\nselec 2\n", 2, 1) == "    2 | selec 2\n        ^"
    assert caret("select x", 1, 8) == "    1 | select x\n               ^"


def test_caret_without_column_is_the_line():
    assert caret("a\nb", 2) == "    2 | b"


def test_tab_is_one_column():
    assert caret("\tx", 1, 2) == "    1 |  x\n         ^"


@pytest.mark.parametrize("line", [0, -1, 3, 99])
def test_line_that_is_not_there_gives_nothing(line):
    assert caret("a\nb", line, 1) == ""


@given(st.text(alphabet="abc ", min_size=1, max_size=500), st.data())
def test_caret_points_at_the_character_however_long_the_line(line, data):
    column = data.draw(st.integers(1, len(line)))
    shown, mark = caret(line, 1, column).split("\n")
    assert shown[len(mark) - 1] == line[column - 1]
    assert len(shown) <= 170


@given(st.text(max_size=200), st.integers(-3, 300), st.integers(-3, 300))
def test_caret_takes_any_numbers(text, line, column):
    assert len(caret(text, line, column).split("\n")) <= 2


@given(st.text(alphabet="a\n", max_size=50), st.data())
def test_line_of_counts_newlines(text, data):
    offset = data.draw(st.integers(0, len(text)))
    assert line_of(text, offset) == len(text[:offset].split("\n"))


@pytest.mark.parametrize(
    ("name", "known", "found"),
    [
        ("usres", ["users", "orders"], "users"),
        ("USERS", ["users"], "users"),
        ("Users", ["USERS", "other"], "USERS"),
        ("zebra", ["users"], None),
        ("x", [], None),
    ],
)
def test_nearest(name, known, found):
    assert nearest(name, known) == found


def test_suggestion_is_the_nearest_or_a_short_list():
    assert did_you_mean("usres", ["users", "orders"]) == "Did you mean 'users'?"
    assert did_you_mean("zebra", ["users", "orders"]) == "Known: orders, users."
    assert did_you_mean("zebra", [f"n{i}" for i in range(9)]) == "Known: n0, n1, n2, n3, n4, n5, n6, n7, …."
    assert did_you_mean("zebra", []) == ""


@given(st.text(), st.lists(st.text(min_size=1), max_size=5))
def test_nearest_is_one_of_the_known(name, known):
    assert nearest(name, known) in [*known, None]


@given(st.text(min_size=1), st.lists(st.text(min_size=1), max_size=5))
def test_exact_name_is_its_own_nearest_up_to_case(name, known):
    assert nearest(name, [*known, name]).casefold() == name.casefold()


def test_printable_shows_what_would_steer_a_terminal():
    assert printable("a\x1b[31mb\u202ec\n") == "a\\x1b[31mb\\u202ec\n"


@given(st.text())
def test_printable_leaves_nothing_unprintable(text):
    assert all(c.isprintable() or c == "\n" for c in printable(text))
