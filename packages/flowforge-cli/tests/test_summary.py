from __future__ import annotations

import pytest

from flowforge_cli.summary import column_width, milliseconds, rows_of


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0ms"),
        (0.0031, "3ms"),
        (0.9994, "999ms"),
        (0.9996, "1.0s"),
        (3.44, "3.4s"),
        (59.94, "59.9s"),
        (59.96, "1m00s"),
        (125.4, "2m05s"),
        (3600, "60m00s"),
    ],
)
def test_durations(seconds, shown):
    assert milliseconds(seconds) == shown


@pytest.mark.parametrize(("count", "shown"), [(None, ""), (0, "0 rows"), (1, "1 row"), (1234567, "1,234,567 rows")])
def test_rows(count, shown):
    assert rows_of(count) == shown


def test_a_column_is_as_wide_as_its_longest():
    assert column_width([]) == 30
    assert column_width(["x" * 33, "y"]) == 33
