"""Types of columns of text, found by SQL: sqlite stands for any engine, with Python's regular expressions."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from functools import partial
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

from flowforge_domain.dialect import Dialect, quote_name
from flowforge_domain.errors import SeedError
from flowforge_domain.model import Seed, SeedOptions
from flowforge_domain.seed_csv import SeedFile, csv_records, read_csv
from flowforge_domain.seed_survey import TextTests, column_types, guesses, survey
from flowforge_domain.seed_types import DAY, NUMBER, TRUTH, WHOLE, TextFit, cast_fit

SQL = Dialect("sqlite", {"text": "text", "bigint": "bigint"}, "")
TESTS = TextTests(
    SQL,
    "{c} regexp {pattern}",
    "cast({c} as {type}) is not null",
    "min({c}) filter (where not ({fits}))",
    r"\A(?:{})\Z",
)
SMALL = TextFit("bigint", WHOLE, "length({c}) < 5")
LADDER = (TextFit("boolean", TRUTH), SMALL, TextFit("double", NUMBER), TextFit("date", DAY), TextFit("text"))


@pytest.fixture
def typed():
    """Return the types that are found for a text, and how many expressions each scan of its rows had."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.create_function("regexp", 2, lambda pattern, text: text is None or bool(re.match(pattern, text)))

        def run(content, sample=1, declared=None, **options):
            seed = Seed("s", "csv", Path("s.csv"), "s", "seeds/s.csv", SeedOptions(**options))
            data = content.encode()
            file = SeedFile(lambda encoding: TextIOWrapper(BytesIO(data), encoding, newline=""), lambda: [data])
            text = read_csv(seed, file, sample)
            names = {name: quote_name(name, SQL) for name in text.columns}
            rows = [[None if v == seed.options.null else v for v in row] for _, row in csv_records(text)]
            connection.execute(f"create table s ({', '.join(f'{name} text' for name in names.values())})")
            connection.executemany(f"insert into s values ({', '.join('?' * len(names))})", rows)
            asked = []

            def ask(expressions):
                asked.append(len(expressions))
                return connection.execute(f"select {', '.join(expressions)} from s").fetchone()

            scan = partial(survey, columns=names, tests=TESTS, ask=ask)
            return column_types(text, declared or {}, LADDER, scan), asked

        yield run


def test_guesses_that_hold_are_asked_about_once(typed):
    types, asked = typed("a,b,c,d\n1,True,2024-01-31,x\n2,false,2024-02-01,y\n")
    assert types == {"a": "bigint", "b": "boolean", "c": "date", "d": "text"}
    assert asked == [8]


def test_what_the_sample_did_not_show_makes_a_column_wider(typed):
    assert typed("a,b\n1,1\n2.5,x\n") == ({"a": "double", "b": "text"}, [4, 8])


def test_a_condition_counts_as_a_pattern_does(typed):
    assert typed("a\n123456\n")[0] == {"a": "double"}


def test_what_stands_for_null_tells_nothing(typed):
    assert typed("a,b\nNA,NA\n7,NA\n", sample=2, null="NA")[0] == {"a": "bigint", "b": "text"}


def test_a_value_against_its_declared_type_is_told_with_its_line(typed):
    declared = {"b": cast_fit("bigint", whole=True)}
    with pytest.raises(SeedError, match=r"Column 'b' holds '1\.5', which is no bigint") as caught:
        typed("a,b\n1,1\n1,1.5\n", declared=declared, column_types={"b": "bigint"})
    assert caught.value.where.line == 3


@pytest.mark.parametrize("name", ["{c}", "{fits}", 'a"b', "a'b"])
def test_columns_of_any_name(typed, name):
    header = '"' + name.replace('"', '""') + '"'
    assert typed(f"{header}\n1\nx\n")[0] == {name: "text"}


def test_patterns_are_written_as_texts_of_the_engine():
    fit = TextFit("bigint", "it's")
    assert TESTS.broken_by(fit, "c").startswith(
        r"min(c) filter (where not (c regexp '\A(?:it''s)\Z' and true and cast("
    )
    assert TESTS.broken_by(TextFit("TEXT"), "c") == "cast(null as text)"


def test_a_sample_without_records_leaves_the_narrowest_guess():
    assert guesses(("a",), [], frozenset(), LADDER) == {"a": LADDER[0]}


@pytest.mark.parametrize(
    ("kind", "fits", "broken"),
    [("NUMERIC(5, 2)", "1.25", "1.255"), ("decimal(5)", "12.0", "12.5"), ("numeric(4,1)", " +1.5 ", "1.55")],
)
def test_declared_decimals_take_no_more_digits_than_they_keep(kind, fits, broken):
    fit = cast_fit(kind, whole=False)
    assert (fit.matches([fits]), fit.matches([broken])) == (True, False)
