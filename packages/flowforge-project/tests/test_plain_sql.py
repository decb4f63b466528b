"""The fast path, by example; `test_plain_is_jinja.py` holds it against Jinja."""

from __future__ import annotations

from contextlib import suppress

import pytest

from flowforge_domain.errors import TemplateError
from flowforge_project.jinja_sql import jinja_facts
from flowforge_project.plain_sql import normalized, plain_facts, render_plain


@pytest.mark.parametrize(
    ("text", "normal"),
    [("a\r\nb\rc\n", "a\nb\nc"), ("a\n\n", "a\n"), ("\n", ""), ("", ""), ("\r", ""), ("a\n\r\n", "a\n")],
)
def test_line_ends_become_lf_and_one_final_newline_goes(text, normal):
    assert normalized(text) == normal


def test_facts_have_the_line_of_each_call():
    text = "-- {{ ref('a') }}\nselect *\nfrom {{ source( 'crm',\n 'users' ) }}, {{\n\nref(\"b.ff\") }}"
    facts = plain_facts(text)
    assert facts.refs == (("a", 1), ("b.ff", 6))
    assert facts.sources == (("crm", "users", 3),)


@pytest.mark.parametrize(
    ("arguments", "settings"),
    [
        ("", {}),
        (" \n", {}),
        ("materialized='view'", {"materialized": "view"}),
        ('\n  owner = "it\'s" ,\n  tags=[\'a\', "b",],\n', {"owner": "it's", "tags": ["a", "b"]}),
        ("a=true, b=False, c=none, d=-5, e=[]", {"a": True, "b": False, "c": None, "d": -5, "e": []}),
    ],
)
def test_literal_settings_are_read(arguments, settings):
    assert plain_facts("{{ config(" + arguments + ") }}select 1").settings == settings


def test_settings_have_their_lines():
    facts = plain_facts("\n{{ config(\n  owner='a',\n  tags=[\n  'b']) }}")
    assert facts.setting_lines == {"owner": 3, "tags": 4}


@pytest.mark.parametrize(
    "text",
    [
        "{% if x %}{% endif %}",
        "{# comment #}",
        "{{ this }}",
        "{{ ref(x) }}",
        "{{ ref('a', 'b') }}",
        "{{ ref('') }}",
        "{{ ref('a\\n') }}",
        "{{ ref('a' 'b') }}",
        "{{ ref ('a') }}",
        "{{ ref('a') | upper }}",
        "{{- ref('a') }}",
        "{{ ref('a') -}}",
        "{{{ ref('a') }}}",
        "{{ ref('a')",
        "{{ ref('{{') }}",
        "{{\u00a0ref('a') }}",
        "{{ config('view') }}",
        "{{ config(a=b) }}",
        "{{ config(a=[[1]]) }}",
        "{{ config(a=1.5) }}",
        "{{ config(a=007) }}",
        "{{ config(a=1 if true) }}",
        "{{ config(a='x' 'y') }}",
        "{{ config(a='x', a='y') }}",
        "{{ config(a='x') }}{{ config(a='y') }}",
        "{{ config(a='x' b='y') }}",
        "{{ config(a='x',,) }}",
        "{{ config(,) }}",
        "{{ config(a='\\x41') }}",
        "{{ config(a=b'x') }}",
        "{{ config(a='x' # c\n) }}",
        "{{ config(meta={'a': 1}) }}",
    ],
)
def test_anything_else_is_left_to_jinja(text):
    assert plain_facts(text) is None


def test_rendering_replaces_tags_and_leaves_the_rest():
    text = "{{ config(owner='a') }}select '}}' from {{ref('a')}} join {{ source('g','t') }}"
    assert plain_facts(text) is not None
    assert render_plain(text, lambda name: f"<{name}>", lambda g, t: f"<{g}|{t}>") == "select '}}' from <a> join <g|t>"


@pytest.mark.timeout(60)
@pytest.mark.parametrize("start", ["", "{{ config(", "{{ config(a=[1, ", "{{ ref('a'"])
@pytest.mark.parametrize("run", [" ", "\n", "{{", "{{ ", "{%", "'", '"', "a=1,", "1, ", "{{ config("])
def test_no_run_of_equal_pieces_takes_long(start, run):
    text = start + run * 10_000
    plain_facts(text)
    render_plain(text, str, lambda group, table: group + table)
    with suppress(TemplateError):
        jinja_facts(text, "m.ff.sql")
