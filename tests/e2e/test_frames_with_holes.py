"""Python models that grow: a batch with NULLs, with only NULLs or with no rows leaves the types of its table alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import postgres_server
import pytest

from flowforge import Project

MODEL = """
from datetime import date

import pandas as pd

from flowforge import model

ONE, TWO = date(2026, 1, 1), date(2026, 1, 2)
BATCHES = {{
    "full": {{"id": [1, 2], "i": [7, 8], "f": [1.5, 2.5], "d": [ONE, ONE], "s": ["a", "b"]}},
    "holes": {{"id": [2, 3], "i": [None, 9], "f": [None, 3], "d": [None, TWO], "s": [None, "c"]}},
    "nulls": {{"id": [4, 5], "i": [None] * 2, "f": [float("nan")] * 2, "d": [pd.NaT] * 2, "s": [None] * 2}},
    "empty": {{"id": [], "i": [], "f": [], "d": [], "s": []}},
    "whole": {{"id": [6], "i": [10.0], "f": [4], "d": [TWO], "s": ["d"]}},
    "other": {{"id": [7], "i": [0.5], "f": [5.5], "d": [TWO], "s": ["e"]}},
}}


@model(deps=["batch"], materialized="{kind}", unique_key="id"{more})
def grown(batch):
    return pd.DataFrame(BATCHES[batch["name"][0]])
"""
RULES = {"not set": "", **{rule: f', on_schema_change="{rule}"' for rule in ("sync_all_columns", "fail")}}
ONE, TWO = date(2026, 1, 1), date(2026, 1, 2)
FULL = [(1, 7, 1.5, ONE, "a"), (2, 8, 2.5, ONE, "b")]
HOLES = [(2, None, None, None, None), (3, 9, 3, TWO, "c")]
NULLS = [(4, None, None, None, None), (5, None, None, None, None)]
WHOLE = [(6, 10, 4, TWO, "d")]


@pytest.fixture(params=["duckdb", "postgres"])
def shop(request, new_project, monkeypatch):
    """A project with a Python model that gives the batch whose name a variable tells."""
    dsn = postgres_server.new_database() if request.param == "postgres" else ""
    monkeypatch.setenv("FF_PG_DSN", dsn)
    profile = "default:\n  engine: postgres\n  postgres: {dsn: \"{{ env_var('FF_PG_DSN') }}\"}\n"
    batch = {"models/batch.ff.sql": "select '{{ var('batch') }}' as name\n"}
    yield Shop(new_project(batch | ({"profiles.yml": profile} if dsn else {})), dsn)
    if dsn:
        postgres_server.drop_database(dsn)


@dataclass
class Shop:
    folder: Path
    dsn: str

    def model(self, kind="incremental", more=""):
        (self.folder / "models" / "grown.ff.py").write_text(MODEL.format(kind=kind, more=more), encoding="utf-8")

    def run(self, *batches):
        """Bring these in, one after another, and return the errors."""
        return "".join(map(self._run, batches))

    def _run(self, batch):
        with Project.load(self.folder, vars={"batch": batch}) as project:
            return "".join(str(result.error) for result in project.run(no_cache=True).results if result.error)

    def rows(self, sql="select id, i, f, d, s from grown order by id"):
        if self.dsn:
            return postgres_server.run(sql, self.dsn)
        with duckdb.connect(str(self.folder / "shop.duckdb"), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    @property
    def types(self):
        columns = "select column_name, data_type from information_schema.columns where table_name = 'grown'"
        return dict(self.rows(columns))


@pytest.mark.parametrize("more", RULES.values(), ids=RULES)
def test_a_batch_with_holes_fits_the_types_of_the_table(shop, more):
    shop.model(more=more)
    assert shop.run("full") == ""
    types = shop.types
    assert shop.run("holes", "nulls", "empty", "whole") == ""
    assert shop.types == types
    assert shop.rows() == sorted([FULL[0], *HOLES, *NULLS, *WHOLE])


@pytest.mark.parametrize("first", ["nulls", "empty", "holes"])
def test_a_table_that_began_with_holes_takes_the_types_of_what_comes(shop, first):
    shop.model()
    assert shop.run(first, "full", "holes", "nulls", "empty", "whole") == ""
    rest = () if first == "empty" else HOLES if first == "holes" else NULLS
    assert shop.rows() == sorted({FULL[0], *HOLES, *NULLS, *WHOLE, *rest}, key=lambda row: row[0])
    text, double = ("text", "double precision") if shop.dsn else ("VARCHAR", "DOUBLE")
    assert [shop.types[name].casefold() for name in "fds"] == [double.casefold(), "date", text.casefold()]


def test_a_value_that_does_not_fit_is_refused_or_followed_as_before(shop):
    shop.model()
    said = shop.run("full", "holes", "other")
    assert "i is now" in said
    assert "f is now" not in said
    assert len(shop.rows()) == 3
    shop.model(more=RULES["sync_all_columns"])
    assert shop.run("other") == ""
    assert shop.rows("select i from grown order by id") == [(7,), (None,), (9,), (0.5,)]


def test_a_history_keeps_its_types(shop):
    shop.model("snapshot", ', strategy="check"')
    assert shop.run("full") == ""
    types = shop.types
    assert shop.run("full", "holes", "nulls", "empty", "whole", "whole") == ""
    assert shop.types == types
    current = "select id, i, f, d, s from grown where valid_to is null order by id"
    assert shop.rows(current) == sorted([FULL[0], *HOLES, *NULLS, *WHOLE])
    assert shop.rows("select count(*) from grown") == [(7,)]


def test_a_history_that_began_with_holes_goes_on(shop):
    shop.model("snapshot", ', strategy="check"')
    assert shop.run("nulls", "empty", "full", "holes", "empty") == ""
    assert shop.rows("select count(*) from grown where f = 1.5 and valid_to is null") == [(1,)]
    assert shop.rows("select count(*) from grown") == [(6,)]
