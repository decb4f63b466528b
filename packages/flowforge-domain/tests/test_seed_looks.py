"""What texts look like, one by one: the narrowest type that all of them would be written again from as they were."""

from __future__ import annotations

import pytest

from flowforge_domain.seed_looks import LOOKS, Narrowest


@pytest.mark.parametrize(
    ("texts", "kind"),
    [
        (["1", "-2", "9223372036854775807"], "bigint"),
        (["9223372036854775808"], "text"),
        (["007"], "text"),
        (["+1"], "text"),
        (["-0"], "double"),
        (["1", "2.5", "1"], "double"),
        ([".5", "1."], "double"),
        (["."], "text"),
        (["nan", "-inf", "1e+300"], "double"),
        (["1e300"], "text"),
        (["9007199254740993", "0.5"], "text"),
        (["12345678901234567.25"], "text"),
        (["true", "FALSE"], "boolean"),
        (["2024-02-29"], "date"),
        (["2023-02-29"], "text"),
        (["2024-02-29", "2024-02-29 10:11:12.123456"], "timestamp"),
        (["2024-02-29T10:11:12+02:00", "2024-02-29 10:11Z"], "timestamptz"),
        (["10:11", "23:59:59.5"], "time"),
        (["24:00"], "text"),
        (["1", "x", "1"], "text"),
        ([], "text"),
    ],
    ids=str,
)
def test_a_column_has_the_narrowest_type_that_loses_nothing(texts, kind):
    column = Narrowest(LOOKS)
    for text in texts:
        column.take(text)
    assert column.kind == kind


def test_one_column_forgets_nothing_of_another():
    first, second = Narrowest(LOOKS), Narrowest(LOOKS)
    first.take("x")
    second.take("1")
    assert (first.kind, second.kind) == ("text", "bigint")


def test_more_values_than_are_remembered_are_looked_at_all_the_same():
    column = Narrowest(LOOKS)
    for number in range(3000):
        column.take(str(number))
    column.take("x")
    assert column.kind == "text"
