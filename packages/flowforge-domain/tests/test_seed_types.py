"""Types of a seed's columns: guessed, held against every value, widened where that must be."""

from __future__ import annotations

import pytest

from flowforge_domain.seed_types import breaks, first_fit, settle_types

DIGITS, LOWER, TEXT = str.isdigit, str.islower, lambda text: True
LADDER = (DIGITS, LOWER, TEXT)


class Table:
    def __init__(self, **columns):
        self.columns = columns
        self.asked = []

    def survey(self, ladders):
        self.asked.append(sorted(ladders))
        return {c: self.answer([v for v in self.columns[c] if v], fits) for c, fits in ladders.items()}

    def answer(self, values, fits):
        return [len(values), *(next((v for v in values if not fit(v)), None) for fit in fits)]


def settle(table, guesses, declared=None):
    return settle_types(guesses, declared or {}, LADDER, table.survey, lambda *facts: ValueError(facts))


def test_guesses_that_hold_take_one_scan():
    table = Table(a=["1", "2"], b=["x"])
    assert settle(table, {"a": DIGITS, "b": LOWER}) == {"a": DIGITS, "b": LOWER}
    assert table.asked == [["a", "b"]]


def test_wrong_guess_is_widened_to_the_next_that_fits():
    table = Table(a=["1", "x"], b=["1", "X"], c=["1"])
    assert settle(table, dict.fromkeys("abc", DIGITS)) == {"a": TEXT, "b": TEXT, "c": DIGITS}
    assert table.asked == [["a", "b", "c"], ["a", "b"]]


def test_column_without_values_takes_every_text():
    assert settle(Table(a=["", ""]), {"a": DIGITS}) == {"a": TEXT}


def test_declared_type_wins_over_a_guess_and_over_no_values():
    assert settle(Table(a=["1"], b=[""]), {"a": DIGITS}, {"a": TEXT, "b": DIGITS}) == {"a": TEXT, "b": DIGITS}


def test_value_that_breaks_its_declared_type_is_told():
    with pytest.raises(ValueError, match="'a', 'x'") as caught:
        settle(Table(a=["1", "x"]), {}, {"a": DIGITS})
    assert caught.value.args[0] == ("a", "x", DIGITS)


def test_first_fit():
    assert first_fit(LADDER, [2, "x", None, None]) is LOWER


@pytest.mark.parametrize(
    ("kind", "fits", "broken"),
    [
        ("BIGINT", ["0", "-12"], ["1.5", "007", "x"]),
        ("double precision", ["1", "-.5", "1e-05"], ["n.a.", "12e5", "1,5"]),
        ("NUMBER(38, 0)", ["1"], ["x"]),
        ("BOOLEAN", ["true", "False"], ["yes"]),
        ("DATE", ["2024-02-29"], ["2023-02-29", "29.02.2024"]),
        ("TIMESTAMP_NTZ(9)", ["2024-02-29", "2024-02-29 10:00"], ["soon", "2023-02-29 10:00"]),
        ("timestamp with time zone", ["2024-02-29 10:00Z"], ["soon"]),
        ("time without time zone", ["10:00"], ["10"]),
        ("VARCHAR", ["x", "two\nlines"], []),
        ("geometry", ["x"], []),
    ],
)
def test_what_breaks_a_type_of_some_engine(kind, fits, broken):
    assert [text for text in fits + broken if breaks(kind)(text)] == broken
