"""R7: seed files that damage data elsewhere, each with its fixed result; a bad file leaves the others' tables."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import duckdb
import postgres_server
import psycopg
import pytest
from warm import Command, Ended, WarmFlowForge

CASES = json.loads((Path(__file__).parent / "corpora" / "csv.json").read_text(encoding="utf-8"))
# What the corpus calls a type of PostgreSQL.
TYPES = {"int8": "BIGINT", "text": "VARCHAR"}


@dataclass(frozen=True)
class Shop:
    """A project folder, its engine, and what answers a query with its rows and the types of its columns."""

    engine: str
    root: Path
    environment: dict[str, str]
    ask: Callable[[str], tuple[list[tuple[object, ...]], list[str]]]

    def seed(self, flowforge: WarmFlowForge) -> Ended:
        return flowforge.run_all([Command(["seed"], self.root, self.environment)])[0]


def on_duckdb(root, _):
    def ask(query):
        with duckdb.connect(root / "a.duckdb") as connection:
            found = connection.sql(query)
            return found.fetchall(), [str(kind) for kind in found.types]

    (root / "profiles.yml").write_text("default: {engine: duckdb, duckdb: {path: a.duckdb}}\n")
    return Shop("duckdb", root, {}, ask)


def on_postgres(root, database):
    dsn = database()

    def ask(query):
        with psycopg.connect(dsn) as connection:
            found = connection.execute(query)
            names = [connection.adapters.types[column.type_code].name for column in found.description]
            return found.fetchall(), [TYPES.get(name, name) for name in names]

    (root / "profiles.yml").write_text("default: {engine: postgres, postgres: {dsn: \"{{ env_var('FF_PG_DSN') }}\"}}\n")
    return Shop("postgres", root, {"FF_PG_DSN": dsn}, ask)


@pytest.fixture(scope="module")
def database():
    """One database for all: each seed replaces the table of the one before."""
    with ExitStack() as stack:
        yield cache(lambda: stack.enter_context(postgres_server.lent_database()))


@pytest.fixture(params=[on_duckdb, on_postgres], ids=["duckdb", "postgres"])
def shop(request, database, tmp_path):
    (tmp_path / "seeds").mkdir()
    return request.param(tmp_path, database)


def content(case):
    """Put a file together: `repeat` and `range` stand for what nobody wants to read."""
    parts = []
    for part in case["content"]:
        if isinstance(part, str):
            parts.append(part)
        elif "repeat" in part:
            parts.append(part["repeat"][0] * part["repeat"][1])
        else:
            template, count, between = part["range"]
            parts.append(between.join(template.replace("{i}", str(i)) for i in range(count)))
    data = "".join(parts).encode(case.get("encoding", "utf-8"))
    data = gzip.compress(data) if case.get("gz") else data
    return data[: -case["cut"]] if "cut" in case else data


@pytest.mark.parametrize("name", CASES)
def test_a_seed_file_has_its_fixed_result(name, flowforge, shop):
    case = CASES[name] | CASES[name].get(shop.engine, {})
    file = case.get("name", "s.csv.gz" if case.get("gz") else "s.csv")
    (shop.root / "seeds" / file).write_bytes(content(case))
    (shop.root / "project.yml").write_text(f"seeds:\n  s: {{{case.get('options', '')}}}\n")
    ended = shop.seed(flowforge)
    if says := case.get("says"):
        assert ended.code == 1, ended.said
        assert says in ended.err
        assert len(ended.err.splitlines()) <= 15
        return
    assert ended.code == 0, ended.said
    assert shop.ask(case.get("query", "select * from s"))[0] == [tuple(row) for row in case["rows"]]
    if types := case.get("types"):
        assert shop.ask("select * from s")[1] == types


def test_a_bad_fifth_file_leaves_the_first_four_as_they_were(flowforge, shop):
    for number in range(1, 6):
        (shop.root / "seeds" / f"s{number}.csv").write_text("n\n1\n")
    assert shop.seed(flowforge).code == 0
    for number in range(1, 5):
        (shop.root / "seeds" / f"s{number}.csv").write_text("n\n2\n")
    (shop.root / "seeds" / "s5.csv").write_text("n\n1,2\n")
    ended = shop.seed(flowforge)
    assert ended.code == 1
    assert "seeds/s5.csv:2" in ended.err
    for number in range(1, 6):
        assert shop.ask(f"select n from s{number}")[0] == [(1,)]
