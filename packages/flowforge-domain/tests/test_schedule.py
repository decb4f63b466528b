"""Of what is ready, the longest chain comes first."""

from __future__ import annotations

from flowforge_domain.schedule import longest_first

WAITS = {"a": set(), "b": set(), "c": {"b"}, "d": {"a"}, "e": {"c"}}


def test_the_longest_chain_comes_first_and_ties_stay():
    assert list(longest_first(WAITS, {"a": 1, "b": 1, "c": 1, "d": 1, "e": 1})) == ["b", "a", "c", "d", "e"]
    assert list(longest_first(WAITS, {"d": 100})) == ["a", "d", "b", "c", "e"]


def test_what_each_waits_for_stays_with_it():
    assert longest_first(WAITS, {"d": 100}) == WAITS


def test_without_times_nothing_changes():
    assert list(longest_first(WAITS, {})) == list(WAITS)


def test_a_test_given_before_its_model_is_no_trouble():
    waits = {"m": {"t"}, "t": {"n"}, "n": set()}
    assert list(longest_first(waits, {"m": 2, "n": 1})) == ["n", "m", "t"]
