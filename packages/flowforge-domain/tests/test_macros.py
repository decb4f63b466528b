"""Which macro a call means, and which ones it may reach."""

from __future__ import annotations

import pytest

from flowforge_domain.macros import Macro, by_call, called_as, chosen, reached


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("cents", "cents"),
        ("duckdb__cents", "cents"),
        ("default__to__cents", "to__cents"),
        ("__x", "__x"),
        ("x__", "x__"),
    ],
)
def test_the_name_a_macro_is_called_by(name, call):
    assert called_as(name) == call


@pytest.mark.parametrize(
    ("engine", "names", "found"),
    [
        ("duckdb", ["cents", "default__cents", "duckdb__cents"], "duckdb__cents"),
        ("postgres", ["cents", "default__cents", "duckdb__cents"], "default__cents"),
        ("postgres", ["cents", "duckdb__cents"], "cents"),
        ("postgres", ["duckdb__cents"], None),
        ("bigquery+bigframes", ["default__cents", "bigquery__cents"], "bigquery__cents"),
        ("bigquery+bigframes", ["bigquery_bigframes__cents", "bigquery__cents"], "bigquery_bigframes__cents"),
        ("my-engine", ["my_engine__cents", "cents"], "my_engine__cents"),
        ("", ["default__cents"], "default__cents"),
    ],
)
def test_a_call_means_the_engines_own_then_the_default_then_the_plain_one(engine, names, found):
    assert chosen("cents", engine, names) == found


def test_a_call_may_reach_every_engines_macro_and_what_those_call():
    macros = {
        name: Macro(name, "macros/m.sql", 1, uses)
        for name, uses in {
            "cents": ("cents", "nothing"),
            "duckdb__cents": ("helper",),
            "helper": ("cents",),
            "other": ("helper",),
        }.items()
    }
    meant = by_call(macros)
    assert reached(["cents"], macros, meant) == ("cents", "duckdb__cents", "helper")
    assert reached(["duckdb__cents"], macros, meant) == ("cents", "duckdb__cents", "helper")
    assert reached(["other", "nothing"], macros, meant) == ("cents", "duckdb__cents", "helper", "other")
    assert reached([], macros, meant) == ()
