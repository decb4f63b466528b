"""The columns a Python model requires of its inputs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowforge_domain.errors import RequiredColumnsError
from flowforge_domain.requirements import check_required_columns

COLUMNS = st.frozensets(st.sampled_from("abcde"))
TABLES = st.dictionaries(st.sampled_from(["t", "u", "v"]), COLUMNS)


def test_what_is_there_is_enough():
    check_required_columns("m", {"t": ["a", "b"]}, {"t": {"a"}})
    check_required_columns("m", {"t": ["a"]}, {})
    check_required_columns("m", {}, {})


def test_missing_columns_are_listed_for_every_input():
    with pytest.raises(RequiredColumnsError) as caught:
        check_required_columns("m", {"t": ["a", "b"], "u": ["x"]}, {"t": {"z", "c", "a"}, "u": {"y"}})
    assert caught.value.missing == {"t": ["c", "z"], "u": ["y"]}
    assert str(caught.value).splitlines()[:3] == [
        "Required columns are missing for model 'm':",
        "  't' lacks c, z; it has a, b.",
        "  'u' lacks y; it has x.",
    ]


def test_relation_that_is_no_input_is_named_with_what_was_meant():
    with pytest.raises(RequiredColumnsError) as caught:
        check_required_columns("m", {"users": ["a"]}, {"usres": {"a"}})
    assert caught.value.missing == {"usres": ["a"]}
    assert "'usres' is not an input. Did you mean 'users'?" in str(caught.value)


def test_case_of_a_column_matters():
    with pytest.raises(RequiredColumnsError):
        check_required_columns("m", {"t": ["Email"]}, {"t": {"email"}})


@given(TABLES, TABLES)
def test_error_names_exactly_what_is_missing(inputs, requires):
    missing = {
        t: sorted(c - inputs.get(t, frozenset())) for t, c in requires.items() if t not in inputs or c - inputs[t]
    }
    if not missing:
        check_required_columns("m", inputs, requires)
        return
    with pytest.raises(RequiredColumnsError) as caught:
        check_required_columns("m", inputs, requires)
    assert caught.value.missing == missing
