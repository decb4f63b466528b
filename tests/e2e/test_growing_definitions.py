"""What of a growing model says how its rows are made, and what says other things: only the first replaces rows."""

from __future__ import annotations

import json
import re

import duckdb
import pytest

PYTHON = """
from flowforge import model

@model(deps=["s"], materialized="incremental", unique_key="id")
def p(s, this=None):
    return s
"""
SQL = "{{ config(materialized='incremental', unique_key='id') }}\nselect id, v from {{ ref('s') }}"
NOTICE = "! p is built from scratch: {}; to keep its rows, set full_refresh: false"


class Shop:
    """A project whose source keeps one row, and a model `p` that keeps all that it has seen."""

    def __init__(self, root, in_shell):
        self.root, self.in_shell = root, in_shell

    def write(self, file, text):
        for other in self.root.glob(f"models/{re.split('[.]', file)[0]}.ff.*"):
            other.unlink()
        (self.root / "models" / file).write_text(text, encoding="utf-8")

    def source(self, row, name="s", settings=""):
        self.write(f"{name}.ff.sql", f"{settings}select {row} as id, {row * 10} as v")

    def run(self, code=0):
        done = self.in_shell("flowforge run", self.root, NO_COLOR="1")
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def why(self):
        return self.in_shell("flowforge why p", self.root, NO_COLOR="1").stdout

    def sql(self, statement):
        with duckdb.connect(str(self.root / "shop.duckdb")) as connection:
            return connection.execute(statement).fetchall()

    @property
    def rows(self):
        return self.sql("select id, v from p order by id, v")

    def forget_form(self, fingerprint):
        """Have the state row of `p` tell what made its rows as version 3 of its form did."""
        [(row,)] = self.sql("select state from _flowforge_state where relation = 'p'")
        state = json.loads(row)
        made_by = state["inputs"]["definition"]
        for name in ("query", "code", "reads"):
            made_by.pop(name, None)
        state |= {"version": 3, "inputs": state["inputs"] | {"definition": made_by | {"text": fingerprint}}}
        self.sql(f"update _flowforge_state set state = $${json.dumps(state)}$$ where relation = 'p'")

    def grown(self, file, text):
        """Grow by a row whose source is gone, and have another one come."""
        self.write(file, text)
        for row in (1, 2):
            self.source(row)
            self.run()
        assert self.rows == [(1, 10), (2, 20)]
        return self


@pytest.fixture
def shop(new_project, in_shell):
    root = new_project({})
    (root / "models").mkdir()
    return Shop(root, in_shell)


@pytest.mark.parametrize(
    "change",
    [
        ('"id")', '"id", tags=["nightly"], description="Twice.", owner="ann", meta={"a": 1})'),
        ('"id")', '"id", columns={"id": {"description": "The key."}}, requires={"s": {"id"}})'),
        ('"id")', '["id"], incremental_strategy="delete+insert", cluster_by=["v"])'),
        ("import model\n\n@model(", "import model as flow\n\n@flow("),
        ("import model\n\n@model(", "import model, source\n\n@model("),
        ("from flowforge import model\n\n@model(", "import flowforge\n\n@flowforge.model("),
        ('@model(deps=["s"]', '@model("p", ["s"]'),
        ('@model(deps=["s"]', '@model(name="p", deps=["s"]'),
        ("def p(s, this=None)", "def p(s: dict, this: object = None) -> object"),
        ("\n@model", '\n@model("q", deps=["s"])\ndef q(s):\n    return s\n\n@model'),
    ],
)
def test_what_a_marker_says_of_other_things_replaces_no_rows(shop, change):
    shop.grown("p.ff.py", PYTHON)
    assert change[0] in PYTHON
    shop.write("p.ff.py", PYTHON.replace(*change))
    assert "scratch" not in shop.why()
    assert "!" not in shop.run()
    assert shop.rows == [(1, 10), (2, 20)]


def test_a_function_of_another_name_and_a_file_in_another_folder_replace_no_rows(shop):
    shop.grown("p.ff.py", PYTHON)
    shop.write("p.ff.py", "")
    (shop.root / "models/p.ff.py").unlink()
    (shop.root / "models/marts").mkdir()
    text = PYTHON.replace("@model(", '@model(name="p", ').replace("def p(", "def seen(")
    (shop.root / "models/marts/seen.ff.py").write_text(text, encoding="utf-8")
    assert "!" not in shop.run()
    assert shop.rows == [(1, 10), (2, 20)]


def test_a_dependency_of_another_name_replaces_rows_where_its_relation_is_another(shop):
    shop.grown("p.ff.py", PYTHON)
    shop.source(2, "t", "{{ config(alias='s') }}")
    (shop.root / "models/s.ff.sql").unlink()
    shop.write("p.ff.py", PYTHON.replace('["s"]', '["t"]'))
    assert "scratch" not in shop.run()
    assert shop.rows == [(1, 10), (2, 20)]
    shop.source(3, "t")
    assert NOTICE.format("the setting reads changed: s became t") in shop.run()
    assert shop.rows == [(3, 30)]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("return s", "return s.assign(v=s.v * 2)"), "its text changed"),
        (("\n@model", "\nfrom decimal import Decimal as dict\n\n@model"), ""),
        (("\n@model", "\nrate = 2\n\n@model"), "its text changed"),
        (('="id"', '="v"'), 'the setting unique_key changed: ["id"] became ["v"]'),
    ],
)
def test_what_the_function_does_and_the_key_do(shop, change, told):
    shop.grown("p.ff.py", PYTHON)
    shop.write("p.ff.py", PYTHON.replace(*change))
    said = shop.run()
    assert (NOTICE.format(told) in said) if told else ("!" not in said)
    assert len(shop.rows) == (1 if told else 2)


def test_a_model_that_calls_another_one_of_its_file_follows_that(shop):
    other = '\n@model(name="q", deps=["s"])\ndef twice(s):\n    return s.assign(v=s.v * 2)\n'
    text = PYTHON.replace("\n@model", f"{other}\n@model").replace("return s\n", "return twice(s)\n")
    shop.write("p.ff.py", text)
    shop.source(1)
    shop.run()
    assert shop.rows == [(1, 20)]
    shop.write("p.ff.py", text.replace("* 2", "* 3"))
    assert NOTICE.format("its text changed") in shop.run()
    assert shop.rows == [(1, 30)]


FORMS = {"p.ff.py": PYTHON, "p.ff.sql": SQL.replace("v from", "v * 100 as v from")}


@pytest.mark.parametrize(("before", "now"), [("p.ff.py", "p.ff.sql"), ("p.ff.sql", "p.ff.py")])
class TestAnotherLanguage:
    def test_rows_are_replaced(self, shop, before, now):
        shop.write(before, FORMS[before])
        shop.source(1)
        shop.run()
        shop.source(2)
        shop.write(now, FORMS[now])
        assert "! from scratch, replacing the rows that it has: its text changed" in shop.why()
        assert NOTICE.format("its text changed") in shop.run()
        assert shop.rows == [(2, 20 if now == "p.ff.py" else 2000)]

    def test_rows_stay_where_that_is_said(self, shop, before, now):
        shop.write(before, FORMS[before])
        shop.source(1)
        shop.run()
        (shop.root / "project.yml").write_text("name: shop\ndefaults: {full_refresh: false}\n", encoding="utf-8")
        shop.source(2)
        shop.write(now, FORMS[now])
        assert "scratch" not in shop.run()
        assert [key for key, _ in shop.rows] == [1, 2]


WINDOW = f"{SQL}\n{{% if is_incremental() %}}where id >= 1{{% endif %}}"


def test_what_only_new_rows_are_chosen_by_replaces_no_rows(shop):
    shop.grown("p.ff.sql", WINDOW)
    shop.write("p.ff.sql", WINDOW.replace("1{", "2{"))
    assert "its text changed" in shop.why()
    assert "scratch" not in shop.run()
    assert shop.rows == [(1, 10), (2, 20)]
    shop.write("p.ff.sql", WINDOW.replace("v from", "v + 0 as v from"))
    assert NOTICE.format("its text changed") in shop.run()
    assert shop.rows == [(2, 20)]


# The fingerprints of these two as state rows of version 3 hold them.
EARLIER = {
    "p.ff.py": (PYTHON, "472e71e0a02de26b8e60630cd478ffa783873eac83462bfe2419472f366f2340"),
    "p.ff.sql": (WINDOW, "7c28096e3c59170a5db88e2bfabb128a428e0c657ec2e5f493ca737b7b43a569"),
}


@pytest.mark.parametrize("file", EARLIER)
class TestRowsOfAnEarlierVersion:
    """Their state tells what made them by the whole text: that for new rows, and what `@model` says, too."""

    @pytest.fixture
    def old(self, shop, file):
        text, fingerprint = EARLIER[file]
        shop.grown(file, text)
        shop.forget_form(fingerprint)
        return shop

    def test_they_stay_and_are_told_as_those_of_today_from_then_on(self, old, file):
        old.source(3)
        assert "scratch" not in old.run()
        assert old.rows == [(1, 10), (2, 20), (3, 30)]
        text = EARLIER[file][0]
        old.write(file, text.replace('"id")', '"id", tags=["x"])').replace("1{", "2{"))
        assert "scratch" not in old.run()
        assert old.rows == [(1, 10), (2, 20), (3, 30)]

    def test_another_text_replaces_them(self, old, file):
        text = EARLIER[file][0]
        old.write(file, text.replace("return s", "return s.assign(v=7)").replace("v from", "7 as v from"))
        assert NOTICE.format("its text changed") in old.run()
        assert old.rows == [(2, 7)]


DAYS = """{{{{ config(materialized='incremental', {}) }}}}
select {} as id, nth as v from {{{{ ref('s') }}}} cross join (values (1), (2)) as twice(nth)
"""
BY_ID = "incremental_strategy='delete+insert', unique_key='id'"


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("id", "`unique_key` id is the same in several of the new rows; nothing was written."),
        ("null", "`unique_key` id is NULL in some of the new rows; nothing was written."),
    ],
)
def test_a_key_that_is_none_is_told_by_what_it_is(shop, key, told):
    shop.source(1)
    shop.write("p.ff.sql", DAYS.format(BY_ID, key))
    assert f"models/p.ff.sql:1: Model 'p' failed: {told}" in shop.run(code=1)


def test_what_replaces_whole_days_is_told_and_does(shop):
    shop.source(1)
    shop.write("p.ff.sql", DAYS.format(BY_ID, "id"))
    told = (
        "Make the query give each key once; or, to replace all rows of each id, set"
        " incremental_strategy='insert_overwrite' and partition_by='id', and no `unique_key`."
    )
    assert told in shop.run(code=1)
    by_day = DAYS.format("incremental_strategy='insert_overwrite', partition_by='id'", "id")
    shop.write("p.ff.sql", by_day)
    for row in (1, 2, 2):
        shop.source(row)
        shop.run()
    assert shop.rows == [(1, 1), (1, 2), (2, 1), (2, 2)]
