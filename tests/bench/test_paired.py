"""Rounds are compared pair by pair; a median of each side alone would not do."""

from __future__ import annotations

import math

import pytest
from bench.paired import median_difference, median_ratio
from hypothesis import given
from hypothesis import strategies as st

seconds = st.floats(0.001, 1000)
pairs = st.lists(st.tuples(seconds, seconds), min_size=1, max_size=9)


def test_a_loud_round_falls_on_both_sides():
    loud = [2.0, 20.0, 2.2], [1.0, 10.0, 1.1]
    assert median_ratio(*loud) == pytest.approx(2)
    assert median_difference(*loud) == pytest.approx(1.1)


def test_nothing_to_divide_by_is_infinite_and_does_not_hide_among_numbers():
    assert median_ratio([1.0, 1.0, 1.0], [0.5, -0.1, 0.0]) == math.inf
    assert median_ratio([1.0, 1.0, 1.0], [0.5, 0.5, 0.0]) == 2


def test_rounds_that_do_not_match_are_refused():
    with pytest.raises(ValueError, match="shorter"):
        median_difference([1.0, 2.0], [1.0])


@given(pairs)
def test_swapping_the_sides_turns_the_sign(rounds):
    ours, bare = (list(side) for side in zip(*rounds, strict=True))
    assert median_difference(ours, bare) == pytest.approx(-median_difference(bare, ours))


@given(pairs, st.floats(0.1, 10))
def test_a_slower_machine_changes_no_ratio(rounds, factor):
    ours, bare = (list(side) for side in zip(*rounds, strict=True))
    slower = median_ratio([a * factor for a in ours], [b * factor for b in bare])
    assert slower == pytest.approx(median_ratio(ours, bare))
