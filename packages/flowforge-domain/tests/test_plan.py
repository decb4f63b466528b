"""Plans: what they are told of the columns that stand."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowforge_domain.dialect import Dialect
from flowforge_domain.model import Node
from flowforge_domain.plan import Situation

PLAIN = Dialect("plain", {}, "")


def situation(given, standing):
    columns, stands = (tuple((name, "int") for name in names.split()) for names in (given, standing))
    return Situation(Node("m", "sql", Path("m.ff.sql")), "new", columns, stands, PLAIN, "")


@pytest.mark.parametrize(
    ("given", "standing", "columns", "source"),
    [
        ("id Amount", "id amount", "id amount", '(select "id", "Amount" as "amount" from "new")'),
        ("id More", "id", "id More", '"new"'),
        ("id Id", "Id id", "id Id", '"new"'),
        ("b A", "", "b A", '"new"'),
        ("a A", "a", "a A", '"new"'),
    ],
)
def test_new_columns_are_spelled_as_those_that_stand(given, standing, columns, source):
    found = situation(given, standing).as_standing()
    assert (" ".join(name for name, _ in found.columns), found.source) == (columns, source)
