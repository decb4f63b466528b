"""Which models changed files concern."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowforge_domain.changed_files import changed_nodes
from flowforge_domain.macros import Macro
from flowforge_domain.manifest import Manifest
from flowforge_domain.model import Node, Seed

NODES = [
    Node("a", "sql", Path(), file="models/staging/a.ff.sql", macros=("cents", "gone")),
    Node("b", "sql", Path(), (), (("shop", "orders"),), file="models/marts/b.ff.sql"),
    Node("c", "python", Path(), file="models/marts/deep/c.ff.py"),
]
SEED = Seed("s", "csv", Path(), "s", "seeds/s.csv")
PROJECT = Manifest(
    "p",
    Path(),
    {node.name: node for node in NODES},
    {"s": SEED},
    macros={"cents": Macro("cents", "macros/money.sql", 1)},
)


@pytest.mark.parametrize(
    ("files", "names"),
    [
        ([], ""),
        (["README.md", "profiles.yml", "models/gone.ff.sql"], ""),
        (["models/staging/a.ff.sql"], "a"),
        (["models/marts/deep/c.ff.py", "seeds/s.csv"], "cs"),
        (["models/marts/b.yml"], "bc"),
        (["models/any.yaml"], "abc"),
        (["sources.yml"], "b"),
        (["macros/money.sql"], "a"),
        (["macros/unused.sql"], ""),
        (["helpers.py"], "c"),
        (["models/marts/helpers.py"], "c"),
        (["project.yml"], "abcs"),
    ],
)
def test_what_a_file_concerns(files, names):
    assert "".join(sorted(changed_nodes(PROJECT, files))) == names
