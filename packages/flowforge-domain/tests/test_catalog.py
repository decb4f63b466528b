from __future__ import annotations

from flowforge_domain.catalog import CatalogEntry, kinds, listed


def test_what_the_session_finds_is_named_without_its_schema():
    found = listed([("main", "Users", "table", True), ("raw", "two words", "view", False, "f3", 7)])
    assert found == {"users": CatalogEntry("table"), 'raw."two words"': CatalogEntry("view", "f3", 7)}
    assert kinds(found) == {"users": "table", 'raw."two words"': "view"}
