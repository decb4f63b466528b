"""File names: safe on any disk, and never the same for two nodes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowforge_docs_html.names import safe_names


@pytest.mark.parametrize("name", ["users", "mart_orders_2", "a.b", "_x", "marts-daily"])
def test_a_plain_name_is_its_own_file_name(name: str) -> None:
    assert safe_names([name]) == {name: name}


@pytest.mark.parametrize(
    "name",
    ["Users", "../../etc/passwd", "con", "nul.x", "", ".", "..", "a b", "ü", "-rf", "x" * 300, "a/b", "a\\b", "\0"],
)
def test_any_other_name_gets_a_hash(name: str) -> None:
    assert re.fullmatch(r"[a-z0-9_][a-z0-9_-]*-[0-9a-f]{8}", safe_names([name])[name])


def test_a_name_made_to_collide_does_not() -> None:
    stolen = safe_names(["Users"])["Users"]
    found = safe_names(["Users", stolen])
    assert found[stolen] == stolen
    assert found["Users"].startswith(stolen)
    assert found["Users"] != stolen


def test_names_do_not_depend_on_their_order() -> None:
    names = ["Users", "users", "USERS", "ü", "a b"]
    assert safe_names(names) == safe_names(reversed(names))


@given(st.sets(st.text(max_size=12), max_size=30))
def test_file_names_differ_even_where_case_does_not_count(names: set[str]) -> None:
    stems = safe_names(names)
    assert set(stems) == names
    assert len({stem.casefold() for stem in stems.values()}) == len(names)
    assert all(re.fullmatch(r"[a-z0-9_][a-z0-9_.-]*", stem) for stem in stems.values())
    assert all(len(stem) <= 120 for stem in stems.values())
