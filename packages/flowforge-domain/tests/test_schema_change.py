"""What is refused when columns change, and which settings would allow it."""

from __future__ import annotations

import pytest

from flowforge_domain.dialect import Dialect
from flowforge_domain.errors import ConfigError
from flowforge_domain.schema_change import SchemaChange, alterations, holds, schema_change

STANDING = (("id", "integer"), ("name", "varchar"))
WITHOUT_NAME, RETYPED = (("id", "integer"),), (("id", "varchar"), ("name", "varchar"))
ALLOWING = "append_new_columns or sync_all_columns"


@pytest.mark.parametrize(
    ("rule", "given", "said", "allowed_by"),
    [
        ("append_new_columns", RETYPED, "id is now varchar", "sync_all_columns"),
        ("ignore", RETYPED, "id is now varchar", "sync_all_columns"),
        ("fail", RETYPED, "id is now varchar", "sync_all_columns"),
        ("ignore", WITHOUT_NAME, "name is gone", ALLOWING),
        ("fail", WITHOUT_NAME, "name is gone", ALLOWING),
        ("fail", (*STANDING, ("more", "integer")), "more is new", ALLOWING),
        ("fail", (("id", "bigint"), ("name", "varchar")), "id is now bigint", ALLOWING),
    ],
)
def test_the_message_names_what_would_allow_it(rule, given, said, allowed_by):
    with pytest.raises(ConfigError) as caught:
        schema_change("m", rule, STANDING, given)
    assert str(caught.value) == (
        f"The query gives other columns than the table has: {said}.\n"
        f"Set `on_schema_change` to {allowed_by}, or build it from scratch: flowforge run --full-refresh --select m"
    )
    for allowing in allowed_by.split(" or "):
        schema_change("m", allowing, STANDING, given)


def test_a_table_that_drops_no_column_is_left_alone():
    change = SchemaChange(added=(("age", "bigint"),), dropped=("name",))
    assert list(alterations("t", change, Dialect("any", {}, ""))) == [
        'alter table t add column "age" bigint',
        'alter table t drop column "name"',
    ]
    with pytest.raises(ConfigError, match=r"some drops no columns.* no name") as caught:
        next(alterations("t", change, Dialect("some", {}, "", drops="")))
    assert "--full-refresh" in caught.value.hint


def test_a_column_is_added_in_the_engines_words_or_refused():
    change = SchemaChange(added=(("age", "UInt8"),))
    nullable = Dialect("some", {}, "", adds="alter table {table} add column {column} Nullable({type})")
    assert list(alterations("t", change, nullable)) == ['alter table t add column "age" Nullable(UInt8)']
    with pytest.raises(ConfigError, match=r"some adds no columns, and the query gives age too") as caught:
        next(alterations("t", change, Dialect("some", {}, "", adds="")))
    assert "Use ignore" in caught.value.hint


def test_a_type_that_cannot_be_given_is_refused_before_any_column_is_added():
    change = SchemaChange(added=(("age", "bigint"),), widened=(("id", "bigint"),))
    assert list(alterations("t", change, Dialect("any", {}, ""))) == [
        'alter table t add column "age" bigint',
        'alter table t alter column "id" type bigint',
    ]
    with pytest.raises(ConfigError, match=r"some gives no column another type, and in the query id is now bigint"):
        next(alterations("t", change, Dialect("some", {}, "", retype="")))


@pytest.mark.parametrize("narrow", ["float", "FLOAT", "real", "float4"])
def test_double_holds_what_is_half_as_long(narrow):
    assert holds("DOUBLE", narrow)
    assert not holds(narrow, "DOUBLE")


def test_a_column_without_values_becomes_anything_but_where_nothing_may_change():
    standing, given = (("a", '"NULL"'), ("b", "date")), (("a", "date"), ("b", "null"))
    change = schema_change("m", "ignore", standing, given)
    assert change == SchemaChange(typed=(("a", "date"),))
    using = Dialect("any", {}, "", retype_empty="alter table {table} alter column {column} type {type} using null")
    assert list(alterations("t", change, using)) == ['alter table t alter column "a" type date using null']
    with pytest.raises(ConfigError, match="gives no column another type, and in the query a is now date"):
        next(alterations("t", change, Dialect("some", {}, "")))
    with pytest.raises(ConfigError, match="a is now date"):
        schema_change("m", "fail", standing, given)


def test_a_column_without_type_holds_all():
    assert holds("", "text")
    assert not holds("text", "")


def test_bits_of_another_length_are_other_bits():
    assert not holds("bit(5)", "bit(3)")
    assert holds("bit(3)", "bit(3)")
    assert holds("bit varying(5)", "bit varying(3)")
