"""What a file's content says, SQL or Python, checked against the format of settings."""

from __future__ import annotations

import pytest

from flowforge_domain.errors import FlowForgeError
from flowforge_project.folder import ProjectFile
from flowforge_project.scan import scan_model


def scan(text, name="models/a.ff.sql"):
    return scan_model(ProjectFile("", name), text if isinstance(text, bytes) else text.encode())


@pytest.mark.parametrize(
    ("text", "creates"),
    [
        ("select 1", None),
        ("create table t as select 1", ("table", "t")),
        ("CREATE OR REPLACE VIEW s.t AS\nselect 1", ("view", "s.t")),
        ("-- c\n/* d */ {{ config(owner='x') }}\ncreate table \"my t\" as select 1", ("table", '"my t"')),
        ("{# c #}{% set x = 1 %}\ncreate table t as select {{ x }}", ("table", "t")),
        ("with a as (select 1) select * from a", None),
    ],
)
def test_the_target_is_read_on_both_paths(text, creates):
    assert scan(text)[0].creates == creates


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_make_no_difference(end):
    text = end.join(["-- a", "select *", "from {{ ref('b') }}", ""])
    assert scan(text)[0].refs == (("b", 3),)


def test_a_byte_order_mark_makes_no_difference():
    assert scan("\ufeffcreate table t as select 1")[0].creates == ("table", "t")


def test_settings_become_what_json_can_hold():
    facts = scan("{{ config(tags=('a',), meta={'x': (1, 2)}) }}select 1")[0]
    assert facts.settings == {"tags": ["a"], "meta": {"x": [1, 2]}}


def test_a_python_file_may_hold_several_models():
    text = "from flowforge import model\n@model(name='a')\ndef f(): ...\n@model(name='b', deps=['a'])\ndef g(x): ...\n"
    assert [facts.name for facts in scan(text, "models/x.ff.py")] == ["a", "b"]


@pytest.mark.parametrize("name", ["a\\nb", "a\\tb", "\\ud800", "\\u202e", " a", "a "])
def test_names_that_cannot_be_shown_are_refused(name):
    for text, file in (
        (f'select 1 from {{{{ ref("{name}") }}}}', "models/a.ff.sql"),
        (f'select 1 from {{{{ source("g", "{name}") }}}}', "models/a.ff.sql"),
        (f'@model(deps=["{name}"])\ndef f(x): ...', "models/a.ff.py"),
        (f'@model(name="{name}")\ndef f(): ...', "models/a.ff.py"),
    ):
        if "\\" not in name and "source" in text and name == " a":
            continue  # `g. a` is one text with a space inside
        with pytest.raises(FlowForgeError) as caught:
            scan(text, file)
        str(caught.value).encode()
        assert str(caught.value.where) == f"{file}:1"


def test_semicolons_in_literals_and_comments_end_nothing():
    scan("select ';' as a, \"b;\" -- ; c\n/* ; */ from t;\n-- end\n")
    scan("select '{{ ref('a') }};' from t")
