from __future__ import annotations

from flowforge_domain.catalog import CatalogEntry, kinds, listed, listed_by_case


def test_what_the_session_finds_is_named_without_its_schema():
    found = listed([("main", "Users", "table", True), ("raw", "two words", "view", False, "f3", 7)])
    assert found == {"users": CatalogEntry("table"), 'raw."two words"': CatalogEntry("view", "f3", 7)}
    assert kinds(found) == {"users": "table", 'raw."two words"': "view"}


def test_where_case_tells_names_apart_the_spelling_is_kept():
    rows = [("main", "Users", "table", True, "7"), ("raw", "orders", "view", False)]
    found = {"users": CatalogEntry("table", "7", spelled="Users"), "raw.orders": CatalogEntry("view")}
    assert listed_by_case(rows) == found
