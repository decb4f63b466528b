"""A CSV seed as typed rows; the kit tries it on the reference engine."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

from flowforge_domain.errors import SeedError
from flowforge_domain.model import Seed, SeedOptions
from flowforge_domain.seed_csv import SeedFile, read_csv
from flowforge_domain.seed_values import typed_rows

ALL = ("text", "bigint", "double", "boolean", "timestamp", "date", "decimal")


def typed(content, known=ALL, **options):
    seed = Seed("people", "csv", Path("seeds/people.csv"), "people", options=SeedOptions(**options))
    file = SeedFile(lambda encoding: TextIOWrapper(BytesIO(content.encode()), encoding, newline=""), list)
    found = typed_rows(read_csv(seed, file), known, "mine")
    return dict(found.kinds), list(found.rows)


@pytest.mark.parametrize(
    ("texts", "kind", "values"),
    [
        (["1", "-2"], "bigint", [1, -2]),
        (["1", "2.5"], "double", [1.0, 2.5]),
        (["true", "FALSE"], "boolean", [True, False]),
        (["2024-02-29"], "date", [date(2024, 2, 29)]),
        (["2024-02-29", "2024-02-29 10:00"], "timestamp", [datetime(2024, 2, 29), datetime(2024, 2, 29, 10)]),  # noqa: DTZ001
        (["007"], "text", ["007"]),
        (["", ""], "text", [None, None]),
    ],
)
def test_a_column_has_the_first_type_that_every_value_fits(texts, kind, values):
    rows = "".join(f"{i},{text}\n" for i, text in enumerate(texts))
    assert typed(f"n,v\n{rows}") == ({"n": "bigint", "v": kind}, [list(pair) for pair in enumerate(values)])


def test_a_type_that_the_engine_has_not_is_not_found():
    assert typed("v\n2024-02-29\n", ("text", "bigint")) == ({"v": "text"}, [["2024-02-29"]])


@pytest.mark.parametrize(
    ("declared", "known", "kind", "value"),
    [
        ("varchar(20)", ALL, "text", "1"),
        ("smallint", ALL, "bigint", 1),
        ("decimal(10, 2)", ALL, "decimal", Decimal(1)),
        ("decimal(10, 2)", ("text", "double"), "double", 1.0),
    ],
)
def test_a_declared_type_wins(declared, known, kind, value):
    assert typed("v\n1\n", known, column_types={"v": declared}) == ({"v": kind}, [[value]])


@pytest.mark.parametrize("declared", ["interval", "geometry", "date"])
def test_a_declared_type_that_the_engine_has_not_is_refused(declared):
    with pytest.raises(SeedError, match="is no type of mine") as caught:
        typed("v\n1\n", ("text", "bigint", "double"), column_types={"v": declared})
    assert caught.value.hint == "Use one like text, bigint, double."


@pytest.mark.parametrize(("declared", "value"), [("bigint", "x"), ("decimal", "0.0000000001"), ("date", "2024-02-30")])
def test_a_value_against_its_declared_type_is_told_with_its_line(declared, value):
    with pytest.raises(SeedError, match=f"Column 'v' holds '{value}'") as caught:
        typed(f"v\n{value}\n", column_types={"v": declared})
    assert caught.value.where.line == 2
