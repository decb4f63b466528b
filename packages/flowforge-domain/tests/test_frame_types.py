"""Which values are asked for where a frame's types differ from the table's, and what is made of the answer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from flowforge_domain.config import ModelConfig
from flowforge_domain.dialect import Dialect
from flowforge_domain.frame_types import typed_by_values, unlike, values_query
from flowforge_domain.model import Node
from flowforge_domain.plan import Situation

ANY = Dialect("any", {}, "", retype_empty="alter table {table} alter column {column} type {type} using null")
NODE = Node("m", "python", Path("m.ff.py"), relation="m", config=ModelConfig("incremental"), file="m.ff.py")


def situation(standing, given, dialect=ANY):
    return Situation(NODE, "new", tuple(given.items()), tuple(standing.items()), dialect, "2026-01-01")


@pytest.mark.parametrize(("stands", "given"), [("character varying", "text"), ("int8", "BIGINT"), ("", "")])
def test_nothing_is_asked_of_types_that_are_one(stands, given):
    assert not unlike(situation({"a": stands, "gone": "date"}, {"A": given, "more": "bigint"}))
    assert not unlike(replace(situation({}, {"a": "bigint"}), standing=None))


@pytest.mark.parametrize(
    ("stands", "given", "greatest"),
    [
        ("bigint", "double", 2**53),
        ("double", "bigint", 2**53),
        ("smallint", "double", 2**15 - 1),
        ("real", "int", 2**24),
    ],
)
def test_whole_numbers_are_asked_for_up_to_what_both_hold_exactly(stands, given, greatest):
    asked = situation({"a": stands}, {"a": given})
    assert f'"a" between -{greatest} and {greatest} and round("a") = "a"' in values_query(asked, unlike(asked))


def test_an_engine_that_can_give_no_type_is_not_asked_for_the_values_of_its_table():
    asked = situation({"a": "text"}, {"a": "date"}, replace(ANY, retype_empty=""))
    assert values_query(asked, unlike(asked)) == 'select count("a"), 0, 1 from "new" as source'


@pytest.mark.parametrize(
    ("found", "stands", "given", "source"),
    [
        ((0, 0, 1), "date", "date", '(select "id", cast(null as date) as "a" from "new")'),
        ((0, 0, 0), "date", "date", '(select "id", cast(null as date) as "a" from "new")'),
        ((5, 5, 1), "date", "date", '(select "id", cast("a" as date) as "a" from "new")'),
        ((5, 4, 1), "date", "text", '"new"'),
        ((5, 5, 0), "null", "text", '"new"'),
    ],
)
def test_what_has_no_values_takes_the_type_of_what_has(found, stands, given, source):
    asked = situation({"ID": "bigint", "A": "date"}, {"id": "bigint", "a": "text"})
    typed = typed_by_values(asked, unlike(asked), found)
    assert typed.standing == (("ID", "bigint"), ("A", stands))
    assert typed.columns == (("id", "bigint"), ("a", given))
    assert typed.source == source
