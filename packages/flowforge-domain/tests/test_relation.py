"""Relations: printed and parsed back without loss, whatever their parts are."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowforge_domain.dialect import Dialect, known_name, quote_name, quote_relation, quote_text, stored_name
from flowforge_domain.errors import ConfigError
from flowforge_domain.relation import relation_name, relation_parts, same_relation, scan_relation

DOUBLE = Dialect("double", {}, "")
TICKS = Dialect("ticks", {}, "", quote="`", longest_name=63)
FOLDING = Dialect("folding", {}, "", folds_up=True)
ESCAPES = Dialect("escapes", {}, "", backslash_escapes=True)
WORDS = Dialect("words", {}, "", name_categories=frozenset({"L", "M", "N", "Pc", "Pd", "Zs"}))
PARTS = st.lists(st.text(min_size=1, max_size=20).filter(lambda t: "\0" not in t), min_size=1, max_size=3)


@given(PARTS)
def test_parts_survive_printing(parts):
    assert relation_parts(relation_name(*parts)) == tuple(parts)


@given(PARTS)
@pytest.mark.parametrize("dialect", [DOUBLE, TICKS])
def test_parts_survive_quoting_for_an_engine(dialect, parts):
    assert relation_parts(quote_relation(relation_name(*parts), dialect)) == tuple(parts)


@given(PARTS, st.sampled_from([" as select 1", "(a int)", ";", "\n", ",x", "--note", "/*note*/"]))
def test_relation_ends_where_it_ends(parts, rest):
    text = relation_name(*parts)
    assert scan_relation(f"x {text}{rest}", 2) == (tuple(parts), 2 + len(text))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("users", ("users",)),
        ("analytics.users", ("analytics", "users")),
        ('"my table"', ("my table",)),
        ("`my-project`.ds.`t`", ("my-project", "ds", "t")),
        ("my-project.ds.t", ("my-project", "ds", "t")),
        ('a."b.c"', ("a", "b.c")),
        ('"say ""so"""', ('say "so"',)),
        ("`a``b`", ("a`b",)),
        ("straße", ("straße",)),
        ("1st", ("1st",)),
    ],
)
def test_spellings_that_are_read(text, parts):
    assert relation_parts(text) == parts


@pytest.mark.parametrize(
    "text", ["", ".", "a.", ".a", "a..b", "a b", '"', '""', "``", "a;b", "a(b)", "{{ x }}", "a--b", "'a'"]
)
def test_what_is_no_relation_is_refused(text):
    with pytest.raises(ConfigError, match="not the name of a table"):
        relation_parts(text)


@pytest.mark.parametrize("name", ["plain", "_x", "Mixed", "ümlaut", "a1"])
def test_plain_names_stay_unquoted(name):
    assert relation_name(name) == name


def test_case_does_not_tell_relations_apart():
    assert same_relation("Analytics.USERS") == same_relation("analytics.users")


@given(st.text(min_size=1, max_size=63).filter(lambda t: "\0" not in t))
def test_quoted_name_has_one_way_out(name):
    inside = quote_name(name, TICKS)[1:-1]
    assert "`" not in inside.replace("``", "")


@pytest.mark.parametrize(("name", "reason"), [("", "identifier"), ("a\0b", "identifier"), ("x" * 64, "63")])
def test_names_no_engine_holds_are_refused(name, reason):
    with pytest.raises(ConfigError, match=reason):
        quote_name(name, TICKS)


@given(st.text().filter(lambda t: "\0" not in t))
def test_text_literal_has_one_way_out(text):
    literal = quote_text(text, DOUBLE)
    assert literal[1:-1].replace("''", "'") == text
    assert "'" not in literal[1:-1].replace("''", "")


@given(st.text(alphabet="a'\\\n\r\"`n;-") | st.text().filter(lambda t: "\0" not in t))
def test_text_literal_with_escapes_has_one_way_out(text):
    literal = quote_text(text, ESCAPES)
    assert re.fullmatch(r"'([^'\\\r\n]|\\['\\rn])*'", literal)
    plain = {"n": "\n", "r": "\r"}
    assert re.sub(r"\\(.)", lambda found: plain.get(found[1], found[1]), literal[1:-1]) == text


@pytest.mark.parametrize("dialect", [DOUBLE, ESCAPES])
def test_text_with_a_nul_is_refused(dialect):
    with pytest.raises(ConfigError, match="NUL"):
        quote_text("a\0b", dialect)


@pytest.mark.parametrize("name", ["plain", "with space", "日本語", "e\u0301", "a-b", "_1"])
def test_names_of_the_categories_that_a_dialect_takes(name):
    assert quote_name(name, WORDS) == f'"{name}"'


@pytest.mark.parametrize("name", ["a.b", "a`b", "tab\there", "🦆", "zero\u200bwidth", "a\\b", "it's"])
def test_names_of_other_categories_are_refused(name):
    with pytest.raises(ConfigError, match="which no name may hold in words"):
        quote_name(name, WORDS)


@pytest.mark.parametrize(
    ("name", "stored", "known"),
    [
        ("users", "USERS", "users"),
        ("USERS", "USERS", "users"),
        ("_a$1", "_A$1", "_a$1"),
        ("Users", "Users", "Users"),
        ("two words", "two words", "two words"),
        ("1st", "1st", "1st"),
        ("straße", "straße", "straße"),
    ],
)
def test_plain_words_fold_up_and_come_back(name, stored, known):
    assert (stored_name(name, FOLDING), known_name(stored, FOLDING)) == (stored, known)
    assert quote_name(name, FOLDING) == f'"{stored}"'


@given(st.text())
def test_a_name_that_came_back_stays_as_it_is(name):
    once = known_name(stored_name(name, FOLDING), FOLDING)
    assert known_name(stored_name(once, FOLDING), FOLDING) == once
    assert same_relation(once) == same_relation(name)


@given(st.text())
def test_names_stay_as_they_are_where_nothing_folds(name):
    assert known_name(stored_name(name, DOUBLE), DOUBLE) == name
