"""Which models changed files concern."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from flowforge_domain.changed_files import changed_nodes
from flowforge_domain.manifest import Manifest
from flowforge_domain.model import Node, Seed, SourceTable

NODES = [
    Node("a", "sql", Path(), file="models/staging/a.ff.sql", macros=("cents", "gone")),
    Node("b", "sql", Path(), (), (("shop", "orders"),), file="models/marts/b.ff.sql"),
    Node("c", "python", Path(), file="models/marts/deep/c.ff.py"),
]
SEED = Seed("s", "csv", Path(), "raw_s", "seeds/s.csv")
PROJECT = Manifest("p", Path(), {node.name: node for node in NODES}, {"s": SEED})
SAID = {
    "macros/money.sql": "{% macro cents(x) %}{% endmacro %}",
    "macros/gone.sql": "{%- macro duckdb__gone (x) %}{% endmacro %}",
    "macros/unused.sql": "{% macro unused(x) %}{{ cents(x) }}{% endmacro %}",
    "models/marts/deep/names.yml": "models: {A.ff: {materialized: view}}",
    "models/staging/tests.yml": "tests: [{type: unique, table: RAW_S, column: id}]",
}


@pytest.mark.parametrize(
    ("files", "names"),
    [
        ([], ""),
        (["README.md", "profiles.yml", "models/gone.ff.sql"], ""),
        (["models/staging/a.ff.sql"], "a"),
        (["models/marts/deep/c.ff.py", "seeds/s.csv"], "cs"),
        (["models/marts/b.yml"], "bc"),
        (["models/any.yaml"], "abc"),
        (["models/marts/deep/names.yml"], "ac"),
        (["models/staging/tests.yml"], "as"),
        (["sources.yml"], "b"),
        (["macros/money.sql"], "a"),
        (["macros/gone.sql"], "a"),
        (["macros/unused.sql"], ""),
        (["helpers.py"], "c"),
        (["models/marts/helpers.py"], "c"),
        (["project.yml"], "abcs"),
    ],
)
def test_what_a_file_concerns(files, names):
    assert "".join(sorted(changed_nodes(PROJECT, files, lambda file: SAID.get(file, "")))) == names


def test_a_source_changes_with_its_definition():
    project = replace(PROJECT, sources={("shop", "orders"): SourceTable("shop", "orders", "orders")})
    assert changed_nodes(project, ["sources.yml"], str) == {"b", "source:shop.orders"}
