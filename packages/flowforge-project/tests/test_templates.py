"""Rendering: the fast path and Jinja behind one port."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flowforge_domain.errors import ConfigError, TemplateError
from flowforge_project.templates import FileTemplates, render_text


def test_both_paths_render_the_same(project):
    text = "{{ config(owner='x') }}\r\nselect * from {{ ref('b.ff') }} join {{ source('g', 't') }}\r\n"
    project.write(
        {
            "models/a.ff.sql": text,
            "models/c.ff.sql": "{# c #}" + text,
            "models/b.ff.sql": "create table s.b2 as select 1",
            "sources.yml": "g: {t: {schema: raw}}",
        }
    )
    manifest = project.manifest()
    texts = {name: project.rendered(manifest, manifest.nodes[name]) for name in "ac"}
    assert texts["a"] == texts["c"] == '\nselect * from "s"."b2" join "raw"."t"'


def test_everything_compiles_with_lines_kept(project):
    project.write(
        {
            "models/a.ff.sql": "-- c\ncreate or replace table t as\nselect {{ var('x') }};\n",
            "models/b.ff.sql": "{{ config(materialized='view') }}\nselect '{{ target.name }}' from {{ ref('a') }}",
            "project.yml": "vars: {x: 5}",
        }
    )
    assert project.compiled() == {
        "a": '-- c\ncreate or replace table "t" as\nselect 5',
        "b": 'create or replace view "b" as \nselect \'dev\' from "t"',
    }


@pytest.mark.parametrize("call", ["ref('b' ~ '')", "ref(['b'][0])", "[ref][0]('b')"])
def test_a_computed_reference_must_be_declared(project, call):
    project.write({"models/a.ff.sql": f"select\n{{{{ {call} }}}}", "models/b.ff.sql": "select 1"})
    with pytest.raises(TemplateError, match="is computed") as caught:
        project.compiled()
    assert str(caught.value.where) == "models/a.ff.sql:2"
    hint = caught.value.hint.removeprefix("Add a line: ")
    project.write({"models/a.ff.sql": f"{hint}\nselect\n{{{{ {call} }}}}"})
    assert project.compiled()["a"].endswith('select\n"b"')


@pytest.mark.parametrize("value", ["5", "none", "[1]", "{'a': 1}"])
def test_a_computed_reference_must_be_a_text(project, value):
    project.write({"models/a.ff.sql": f"{{% set x = {value} %}}select {{{{ ref(x) }}}}"})
    with pytest.raises(TemplateError, match="takes a name as text"):
        project.compiled()


def test_an_error_of_a_reference_on_the_fast_path_names_the_file(project):
    project.write({"models/a.ff.sql": "select * from {{ ref('b') }}", "models/b.ff.sql": "select 1"})
    manifest = project.manifest()
    node = manifest.nodes["a"]
    context = project.context(replace(manifest, nodes={"a": node}), node)
    with pytest.raises(TemplateError, match="b") as caught:
        render_text("select * from {{ ref('b') }}", node, context)
    assert str(caught.value.where) == "models/a.ff.sql"


def test_a_file_that_went_away_is_named(project):
    project.write({"models/a.ff.sql": "select 1"})
    manifest = project.manifest()
    manifest.nodes["a"].path.unlink()
    with pytest.raises(ConfigError, match="cannot be read"):
        FileTemplates(project.root).render(manifest.nodes["a"], project.context(manifest, manifest.nodes["a"]))


def test_blocks_too_deep_for_python_are_told_as_such(project):
    text = "{% for x in [1] %}\n" * 25 + "select 1\n" + "{% endfor %}" * 25
    project.write({"models/a.ff.sql": text})
    with pytest.raises(TemplateError) as caught:
        project.compiled()
    assert str(caught.value).startswith("models/a.ff.sql:27: This is nested too deeply.\n   27 | {% endfor %}")
