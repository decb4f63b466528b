"""R7: seed files that damage data elsewhere, each with its fixed result; a bad file leaves the others' tables."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import duckdb
import pytest

CASES = json.loads((Path(__file__).parent / "corpora" / "csv.json").read_text(encoding="utf-8"))


@pytest.fixture
def shop(tmp_path):
    (tmp_path / "seeds").mkdir()
    (tmp_path / "profiles.yml").write_text("default: {engine: duckdb, duckdb: {path: a.duckdb}}\n")
    return tmp_path


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
    case = CASES[name]
    file = case.get("name", "s.csv.gz" if case.get("gz") else "s.csv")
    (shop / "seeds" / file).write_bytes(content(case))
    (shop / "project.yml").write_text(f"seeds:\n  s: {{{case.get('options', '')}}}\n")
    ended = flowforge.run(["seed"], shop)
    if says := case.get("says"):
        assert ended.code == 1, ended.said
        assert says in ended.err
        assert len(ended.err.splitlines()) <= 15
        return
    assert ended.code == 0, ended.said
    with duckdb.connect(shop / "a.duckdb") as connection:
        assert connection.sql(case.get("query", "select * from s")).fetchall() == [tuple(row) for row in case["rows"]]
        if types := case.get("types"):
            assert [str(kind) for kind in connection.sql("select * from s").types] == types


def test_a_bad_fifth_file_leaves_the_first_four_as_they_were(flowforge, shop):
    for number in range(1, 6):
        (shop / "seeds" / f"s{number}.csv").write_text("n\n1\n")
    assert flowforge.run(["seed"], shop).code == 0
    for number in range(1, 5):
        (shop / "seeds" / f"s{number}.csv").write_text("n\n2\n")
    (shop / "seeds" / "s5.csv").write_text("n\n1,2\n")
    ended = flowforge.run(["seed"], shop)
    assert ended.code == 1
    assert "seeds/s5.csv:2" in ended.err
    with duckdb.connect(shop / "a.duckdb") as connection:
        for number in range(1, 6):
            assert connection.sql(f"select n from s{number}").fetchall() == [(1,)]
