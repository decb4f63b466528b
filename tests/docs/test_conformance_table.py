"""The page of conformance is made from reports, the same page each time, with every gap by its name."""

from __future__ import annotations

import tomllib
from pathlib import Path

from conformance_table import PAGE, merged, page, read, read_page

ROOT = Path(__file__).parents[2]

REPORT = """# What was proved

## OracleCloud

- engine: oracle, flowforge-oracle 1.0
- can: VIEWS

| case | result | reason |
| --- | --- | --- |
| `test_a` | proved |  |
| `test_b[one]` | proved |  |
| `test_b[two]` | declined | declined by oracle: two |
| `test_c` | not proved here | no server |
| `test_d` | proved | with 5 of 9 names |
| `test_e` | does not hold | oracles forget |

## OraclePlugin

- cases: 1 proved

| case | result | reason |
| --- | --- | --- |
| `test_its_name_is_a_plain_word` | proved |  |
"""


def test_every_result_and_every_gap_is_told():
    lines = page(read(REPORT)).splitlines()
    assert {"| a | ✓ |", "| b | ✓ 1 – 1 |", "| c | ? |", "| e | ! |", "| its name is a plain word | ✓ |"} <= set(lines)
    unproved, limits = lines.index("## Not proved here"), lines.index("## Does not hold")
    assert lines[limits + 2 : unproved - 1] == ["- OracleCloud, `test_e`: does not hold: oracles forget"]
    assert lines[unproved + 2 :] == [
        "- OracleCloud, `test_c`: not proved here: no server",
        "- OracleCloud, `test_d`: proved: with 5 of 9 names",
    ]


def test_a_page_is_read_back_as_it_was_written():
    assert page(merged(read_page(page(read(REPORT))), [])) == page(read(REPORT))


def test_the_order_of_reports_does_not_matter():
    other = REPORT.replace("Oracle", "Basic")
    assert page(read(REPORT) + read(other)) == page(read(other) + read(REPORT))


def test_the_page_tells_of_every_engine_that_ships():
    shipped = [path for path in ROOT.glob("packages/*/pyproject.toml") if is_engine(path)]
    text = PAGE.read_text("utf-8")
    assert len(shipped) >= 3
    assert [path.parent.name for path in shipped if f", {path.parent.name} " not in text] == [], "run: make conformance"
    assert text.count("✗") == 1, "only the legend speaks of failures"


def is_engine(path):
    return (path.parent / "tests/test_conformance.py").exists() and tomllib.loads(path.read_text("utf-8"))


def test_every_cell_of_the_page_says_something():
    rows = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")]
    assert [row for row in rows[2:] if "|  |" in row] == []
