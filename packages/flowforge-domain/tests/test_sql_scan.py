"""What a cheap look at SQL must not miss."""

from __future__ import annotations

import pytest

from flowforge_domain.dialect import VOLATILE, Dialect
from flowforge_domain.sql_scan import volatile_word

PLAIN = Dialect("plain", {}, "", volatile=VOLATILE | {"my_clock()", "my_session", "our_*()"})


@pytest.mark.parametrize(
    ("sql", "word"),
    [
        ("select\nnow()", ("now", 2)),
        ("select 'now'::date", ("now", 1)),
        ("select RANDOM /* a\nb */ -- c\n ()", ("random", 1)),
        ('select main."random"()', ("random", 1)),
        ("select current_date", ("current_date", 1)),
        ("select s.nextval", ("nextval", 1)),
        ("select my_clock(1)", ("my_clock", 1)),
        ("select my_session", ("my_session", 1)),
        ("select our_host()", ("our_host", 1)),
    ],
)
def test_volatile_words_are_found(sql, word):
    assert volatile_word(sql, PLAIN) == word


@pytest.mark.parametrize("sql", ["select random, uuid from t", "select my_clock", "select nowhere()", "select 1"])
def test_names_that_are_not_called_are_none(sql):
    assert volatile_word(sql, PLAIN) is None
