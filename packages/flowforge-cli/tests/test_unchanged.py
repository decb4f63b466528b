"""Whatever a model's SQL is made from: a change of it is seen, also when the model's text was known before."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

MACROS = """
{% macro plus(x) %}{{ x }} + {{ twice(1) }}{% endmacro %}
{% macro twice(x) %}2 * {{ x }}{% endmacro %}
"""
FILES = {
    "project.yml": "name: shop\nvars: {start: {1: one, two: 2}}\n",
    "profiles.yml": "default: {engine: sqlite, sqlite: {path: shop.sqlite}}\n",
    "macros/sums.sql": MACROS,
    "models/base.ff.sql": "select 1 as id",
    "models/inner.ff.sql": "{{ config(materialized='ephemeral') }}select {{ plus('id') }} as id from {{ ref('base') }}",
    "models/seen.ff.sql": "{{ config(materialized='view') }}\nselect id from {{ ref('base') }}",
    "models/top.ff.sql": "select id, {{ var('start')['two'] }} as n from {{ ref('inner') }}",
    "models/beside.ff.sql": "select count(*) as n from {{ ref('seen') }}",
    "models/place.ff.sql": "select '{{ env_var('REGION') }}' as region",
}


@pytest.fixture
def shop(tmp_path, flowforge, monkeypatch):
    monkeypatch.setenv("REGION", "north")
    for file, text in FILES.items():
        path = tmp_path / file
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    # The second run finds that nothing has changed, and what it learns the third one trusts.
    for expected in ({"base", "seen", "top", "beside", "place"}, set(), set()):
        assert built(flowforge("run", tmp_path)) == expected
    return tmp_path


def built(answer):
    assert answer.code == 0, f"{answer.out}{answer.err}"
    return {line.split()[1] for line in answer.out.splitlines() if line.startswith("✓")} - {"built:"}


@pytest.mark.parametrize(
    ("file", "old", "new", "due"),
    [
        ("macros/sums.sql", "2 * ", "3 * ", {"top"}),
        ("macros/sums.sql", " + ", " - ", {"top"}),
        ("models/inner.ff.sql", "as id from", "as id, 2 as m from", {"top"}),
        ("models/seen.ff.sql", "select id", "select id + 1 as id", {"seen", "beside"}),
        ("models/base.ff.sql", "1", "2", {"base", "seen", "top", "beside"}),
        ("project.yml", "two: 2", "two: 3", {"top"}),
    ],
)
def test_an_edit_is_seen(shop, flowforge, file, old, new, due):
    text = FILES[file].replace(old, new)
    assert text != FILES[file]
    (shop / file).write_text(text, encoding="utf-8")
    assert built(flowforge("run", shop)) == due
    assert built(flowforge("run", shop)) == set()
    # And back: what was known of the older text is no proof for the newer one.
    (shop / file).write_text(FILES[file], encoding="utf-8")
    assert built(flowforge("run", shop)) == due


def test_the_environment_is_seen(shop, flowforge, monkeypatch):
    monkeypatch.setenv("REGION", "south")
    assert built(flowforge("run", shop)) == {"place"}


def test_what_makes_a_view_volatile_is_seen_through_it(shop, flowforge):
    (shop / "models/seen.ff.sql").write_text(FILES["models/seen.ff.sql"].replace("select id", "select random() as id"))
    for _ in range(2):
        assert built(flowforge("run", shop)) == {"seen", "beside"}


def test_a_damaged_note_costs_time_only(shop, flowforge):
    for note in (shop / ".flowforge/cache").glob("stable-*.json"):
        note.write_text('{"base": ["x"], "top": 3, "seen": ["a", "b"]')
    assert built(flowforge("run", shop)) == set()


@pytest.mark.parametrize("call", ["julianday()", "changes()", "total_changes()", "hex(randomblob(4))"])
def test_what_the_engine_calls_volatile_is_built_each_time(shop, flowforge, call):
    (shop / "models/place.ff.sql").write_text(f"select {call} as a", encoding="utf-8")
    for _ in range(2):
        assert built(flowforge("run", shop)) == {"place"}


def test_a_table_is_no_query_of_with_that_bears_its_name(shop, flowforge):
    text = "select id from (with seen as (select 1 as id) select id from seen) x join seen using (id)"
    (shop / "models/place.ff.sql").write_text(text, encoding="utf-8")
    for _ in range(2):
        assert built(flowforge("run", shop)) == {"place"}


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("import pandas as pd; at = str(pd.Timestamp('now'))", "'now' (models/p.ff.py:3)"),
        ("import pandas as pd; at = 1 if True else pd.read_fwf('n.txt')", "read_fwf (models/p.ff.py:3)"),
        ("import helpers; at = helpers.at", "module duckdb (helpers.py:1)"),
        ("at = list({'x', 'y'})", "the order of a set (models/p.ff.py:3)"),
        ("at = sorted({'x', 'y'})", ""),
        ("import math, json; at = math.floor(json.loads('1.5'))", ""),
    ],
)
def test_a_python_model_is_left_as_it_is_only_where_all_it_uses_is_known(shop, flowforge, line, named):
    (shop / "helpers.py").write_text("import duckdb\nat = 1\n", encoding="utf-8")
    head = "from flowforge import model\nfrom flowforge_testkit.sqlite.frames import Frame\n"
    body = "\n@model()\ndef p():\n    return Frame(('at',), [{'at': str(at)}])\n"
    (shop / "models/p.ff.py").write_text(f"{head}{line}\n{body}", encoding="utf-8")
    assert built(flowforge("run", shop)) == {"p"}
    assert built(flowforge("run", shop)) == ({"p"} if named else set())
    assert named in flowforge("why", "p", shop).out


def test_a_module_that_changed_is_named(shop, flowforge):
    (shop / "rates.py").write_text("RATE = 1\n", encoding="utf-8")
    head = "from flowforge import model\nfrom flowforge_testkit.sqlite.frames import Frame\nfrom rates import RATE\n"
    code = "\n@model()\ndef p():\n    return Frame(('rate',), [{'rate': RATE}])\n"
    (shop / "models/p.ff.py").write_text(head + code, encoding="utf-8")
    assert built(flowforge("run", shop)) == {"p"}
    (shop / "rates.py").write_text("RATE = 2  # more\n", encoding="utf-8")
    assert flowforge("why", "p", shop).lines[:2] == ["p would be built:", "  · the module rates.py changed"]
    (shop / "models/p.ff.py").write_text(head + code.replace("'rate'", "'r'"), encoding="utf-8")
    assert "its text changed" in flowforge("why", "p", shop).out


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("json_set(state, '$.version', 99)", "was written by a newer FlowForge, in version 99 of its form."),
        ("json_set(state, '$.rows', 'x')", "is not written as this version of FlowForge writes it."),
        ("json_set(state, '$.inputs', 'x')", "is not written as this version of FlowForge writes it."),
        ("json_set(state, '$.more', 1)", "is not written as this version of FlowForge writes it."),
        ("json_remove(state, '$.data_version')", "is not written as this version of FlowForge writes it."),
        ("'[1]'", "is not written as this version of FlowForge writes it."),
        ("'no json'", "is not written as this version of FlowForge writes it."),
    ],
)
def test_a_state_row_that_is_not_ours_is_named(shop, flowforge, state, said):
    with closing(sqlite3.connect(shop / "shop.sqlite")) as target, target:
        target.execute(f"update _flowforge_state set state = {state} where relation = 'top'")
    answer = flowforge("run", shop)
    assert answer.code == 1
    assert "The row of 'top' by the run " in answer.err and said in answer.err
    assert "or delete the row: it only tells what FlowForge built last." in answer.err


@pytest.mark.parametrize("inputs", ['{"upstream": "x"}', '{"origin": {"planet mars": "1"}}', '{"text": 3}'])
def test_inputs_that_nobody_can_read_prove_nothing(shop, flowforge, inputs):
    with closing(sqlite3.connect(shop / "shop.sqlite")) as target, target:
        changed = "json_set(state, '$.fingerprint', 'other', '$.inputs', json(?))"
        target.execute(f"update _flowforge_state set state = {changed} where relation = 'top'", [inputs])
    assert built(flowforge("run", shop)) == {"top"}
