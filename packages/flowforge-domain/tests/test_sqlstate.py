from __future__ import annotations

import pytest

from flowforge_domain.errors import ErrorKind
from flowforge_domain.sqlstate import SQLSTATES, kind_of_state


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("22012", ErrorKind.DATA),
        ("42501", ErrorKind.PERMISSION),
        ("42601", ErrorKind.SYNTAX),
        ("99999", None),
        ("4", None),
        ("", None),
    ],
)
def test_the_longest_beginning_counts(state, kind):
    assert kind_of_state(state, SQLSTATES) is kind


def test_an_engines_own_code_counts_before_its_class():
    assert kind_of_state("40002", {**SQLSTATES, "40002": ErrorKind.DATA}) is ErrorKind.DATA
