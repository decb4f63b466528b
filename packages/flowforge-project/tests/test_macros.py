"""Macros: called without import, chosen by engine, followed for the graph, and told of with the way that led there."""

from __future__ import annotations

import pytest

from flowforge_domain.errors import ConfigError, FlowForgeError, TemplateError
from flowforge_domain.manifest import run_order

MONEY = """{% macro cents(column) -%}
  {{ scaled(column, 100) }}
{%- endmacro %}

{# Comments are welcome. #}
{% macro scaled(column, by=10) -%}
  ({{ column }} * {{ by }})
{%- endmacro %}
"""


def compiled(project, **files):
    found = project.write(files).compiled()
    return {name: sql.removeprefix(f'create or replace table "{name}" as ') for name, sql in found.items()}


def refusal(project, files, kind=TemplateError):
    with pytest.raises(FlowForgeError) as caught:
        project.write(files).compiled()
    assert isinstance(caught.value, kind)
    assert len(str(caught.value).splitlines()) <= 15
    assert caught.value.hint
    return str(caught.value)


class TestCalls:
    def test_from_every_model_and_from_each_other(self, project):
        project.write({"macros/money.sql": MONEY, "models/a.ff.sql": "select {{ cents('x') }} as x"})
        assert compiled(project, **{"models/b/b.ff.sql": "select {{ scaled('y') }} as y"}) == {
            "a": "select (x * 100) as x",
            "b": "select (y * 10) as y",
        }

    def test_in_any_folder_below_macros_and_any_order(self, project):
        files = {
            "macros/a/one.sql": "{% macro one() %}{{ two() }}{% endmacro %}",
            "macros/b/two.sql": "{% macro two() %}2{% endmacro %}",
            "models/a.ff.sql": "select {{ one() }} as x",
        }
        assert compiled(project, **files)["a"] == "select 2 as x"

    def test_they_see_what_the_model_sees(self, project):
        files = {
            "macros/m.sql": (
                "{% macro where() %}{{ this }} {{ target.engine }} {{ var('v') }} {{ env_var('E') }}{% endmacro %}"
            ),
            "models/a.ff.sql": "select '{{ where() }}' as x",
            "project.yml": "vars: {v: 1}",
        }
        project.environment["E"] = "e"
        assert compiled(project, **files)["a"] == """select '"a" plain 1 e' as x"""

    def test_call_blocks_keywords_and_private_names(self, project):
        files = {
            "macros/m.sql": "{% macro _in(a) %}({{ a }}: {{ caller() }}{{ kwargs.b }}){% endmacro %}",
            "models/a.ff.sql": "select '{% call _in(1, b=2) %}x{% endcall %}' as x",
        }
        assert compiled(project, **files)["a"] == "select '(1: x2)' as x"

    def test_a_models_own_macro_goes_first_there_and_only_there(self, project):
        files = {
            "macros/money.sql": MONEY,
            "models/a.ff.sql": "{% macro scaled(x, by) %}mine{% endmacro %}select {{ scaled('x') }}, {{ cents('x') }}",
        }
        assert compiled(project, **files)["a"].endswith("select mine, (x * 100)")

    def test_a_recursive_one(self, project):
        files = {
            "macros/m.sql": "{% macro down(n) %}{{ n }}{% if n %}{{ down(n - 1) }}{% endif %}{% endmacro %}",
            "models/a.ff.sql": "select {{ down(3) }} as x",
        }
        assert compiled(project, **files)["a"] == "select 3210 as x"

    def test_a_name_that_may_be_missing(self, project):
        files = {"models/a.ff.sql": "select {{ cents('x') if cents is defined else 0 }} as x"}
        assert compiled(project, **files)["a"] == "select 0 as x"
        assert compiled(project, **{"macros/money.sql": MONEY})["a"] == "select (x * 100) as x"


class TestEngines:
    @pytest.mark.parametrize(
        ("macros", "sql"),
        [
            (["plain__f", "default__f", "f"], "plain__f"),
            (["other__f", "default__f", "f"], "default__f"),
            (["other__f", "f"], "f"),
        ],
    )
    def test_the_engines_own_then_the_default_then_the_plain_one(self, project, macros, sql):
        text = "".join(f"{{% macro {name}() %}}{name}{{% endmacro %}}\n" for name in macros)
        text += "{% macro g() %}{{ f() }}{% endmacro %}"
        files = {"macros/m.sql": text, "models/a.ff.sql": "select {{ f() }}, {{ g() }}"}
        assert compiled(project, **files)["a"] == f"select {sql}, {sql}"

    def test_none_for_this_engine(self, project):
        files = {"macros/m.sql": "{% macro other__f() %}{% endmacro %}", "models/a.ff.sql": "select\n{{ f() }}"}
        assert refusal(project, files) == (
            "models/a.ff.sql:2: There is no macro 'f' for plain.\n"
            "    2 | {{ f() }}\n           ^\nAdd a macro default__f."
        )


GRAPH = {
    "macros/m.sql": (
        "{% macro users() %}select * from {{ ref('u') }}{% endmacro %}\n"
        "{% macro other__users() %}{{ raw() }}{% endmacro %}\n"
        "{% macro raw() %}{% if false %}{{ source('g', 't') }}{% endif %}{% endmacro %}\n"
        "{% macro unused() %}{{ ref('nowhere') }}{% endmacro %}\n"
    ),
    "models/a.ff.sql": "with x as (\n  {{ users() }})\nselect * from x, {{ ref('b') }}",
    "models/b.ff.sql": "select 1 as x",
    "models/u.ff.sql": "select 1 as x",
    "sources.yml": "g: {t: }",
}


class TestGraph:
    def test_what_a_macro_refers_to_is_what_its_model_depends_on(self, project):
        manifest = project.write(GRAPH).manifest()
        node = manifest.nodes["a"]
        assert (node.deps, node.sources) == (("b", "u"), (("g", "t"),))
        assert node.macros == ("other__users", "raw", "users")
        assert manifest.nodes["b"].macros == ()
        assert str(node.where("u")) == str(node.where("g.t")) == "models/a.ff.sql:2"
        assert run_order(manifest)[-1] == "a"
        assert 'from "u"' in project.compiled()["a"]

    def test_a_missing_model_is_told_where_the_macro_is_called(self, project):
        files = {**GRAPH, "models/a.ff.sql": "select 1,\n{{ unused() }}"}
        assert "models/a.ff.sql:2" in refusal(project, files, FlowForgeError)

    def test_a_missing_dependency_is_told_with_the_way_through_macros(self, project):
        files = {
            "macros/o.sql": "{% macro other__o() %}\n\n{{ ref('nope_.ff') }} {{ source('g', 'none') }}{% endmacro %}",
            "macros/p.sql": "{% macro p() %}\n{{ o() }} {{ p() }}{% endmacro %}",
            "macros/q.sql": "{% macro q() %}{{ p() }}{% endmacro %}",
            "sources.yml": "g: {t: {}}",
            "models/a.ff.sql": "select\n 1,\n {{ q() }}",
        }
        way = "macros/o.sql:3, called in macros/p.sql:2, called in macros/q.sql:1, called in models/a.ff.sql:3"
        assert f"\n  'g.none' stands in {way}\n" in refusal(project, files, FlowForgeError)
        files["sources.yml"] = "g: {none: {}}"
        said = refusal(project, files, FlowForgeError)
        assert said.startswith(f"Missing dependencies:\n  a: nope_ (models/a.ff.sql:3)\n  'nope_' stands in {way}\n")

    def test_a_macro_is_changed_when_its_code_is(self, project):
        def digests(text):
            return {m.name: m.digest for m in project.write({"macros/m.sql": text}).manifest().macros.values()}

        first = digests("{% macro f() %}1{% endmacro %}{% macro g() %}1{% endmacro %}")
        assert digests("\n\n{% macro g() %}1{% endmacro %}\n{# x #}{% macro f() -%} 1{% endmacro %}") == first
        changed = digests("{% macro f() %}2{% endmacro %}{% macro g() %}1{% endmacro %}")
        assert changed["g"] == first["g"]
        assert changed["f"] != first["f"]
        assert first["f"] != first["g"]

    def test_light_models_of_a_project_with_macros_need_no_jinja_to_render(self, project):
        node = project.write(GRAPH).manifest().nodes["b"]
        assert not node.macros


class TestErrors:
    def test_the_way_that_led_there(self, project):
        files = {
            "macros/deep/one.sql": "{% macro one(x) %}\n  {{ two(x) }}\n{% endmacro %}",
            "macros/two.sql": "{# … #}\n\n{% macro two(x) %}{{ 1 / x }}{% endmacro %}",
            "models/a.ff.sql": "select\n  {{ one(0) }}",
        }
        assert refusal(project, files) == (
            "macros/two.sql:3: Division by zero.\n"
            "    3 | {% macro two(x) %}{{ 1 / x }}{% endmacro %}\n"
            "        ^\n"
            "  called in macros/deep/one.sql:2\n"
            "  called in models/a.ff.sql:2\n"
            "Correct this expression."
        )

    def test_of_a_long_way_both_ends(self, project):
        files = {"macros/m.sql": "{% macro f() %}\n{{ f() }}{% endmacro %}", "models/a.ff.sql": "select {{ f() }}"}
        said = refusal(project, files)
        assert "This is nested too deeply" in said
        assert "more calls" not in said.splitlines()[-1]
        assert "  called in models/a.ff.sql:1" in said

    def test_ours_too(self, project):
        files = {
            "macros/m.sql": "{% macro f() %}\n{{ var('strat') }}{% endmacro %}",
            "models/a.ff.sql": "select {{ f() }}",
            "project.yml": "vars: {start: 1}",
        }
        said = refusal(project, files)
        assert said.startswith("macros/m.sql:2: There is no variable 'strat'.\n")
        assert said.endswith("\n  called in models/a.ff.sql:1\nDid you mean 'start'?")

    def test_a_computed_ref_must_be_declared_by_the_model(self, project):
        files = {
            "macros/m.sql": "{% macro all(names) %}{% for n in names %}{{ ref(n) }}{% endfor %}{% endmacro %}",
            "models/a.ff.sql": "select * from {{ all(['b']) }}",
            "models/b.ff.sql": "select 1 as x",
        }
        assert "ref('b') is computed" in refusal(project, files)
        files["models/a.ff.sql"] += "\n-- depends_on: {{ ref('b') }}"
        assert 'from "b"' in compiled(project, **files)["a"]

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            (
                "{% macro f() %}{% endmacro %}\nselect 1",
                "macros/m.sql:2: A macro file holds macros, and nothing beside them.\n    2 | select 1\n        ^\n",
            ),
            ("{% macro f() %}{% endmacro %}\n\n{% set x = 1 %}", "macros/m.sql:3: A macro file holds macros"),
            (
                "{% macro f() %}{% endmacro %} # x\n",
                "    1 | {% macro f() %}{% endmacro %} # x\n                                      ^\n",
            ),
            ("{% macro f() %}{% endmacro -%}\n\n# x", "macros/m.sql:3: A macro file holds macros"),
            ("\n{% macro ref(x) %}{% endmacro %}", "macros/m.sql:2: 'ref' is FlowForge's own."),
            ("{% macro range(x) %}{% endmacro %}", "macros/m.sql:1: 'range' is FlowForge's own."),
            (
                "{% macro f() %}\n{{ config(tags=['x']) }}{% endmacro %}",
                "macros/m.sql:2: A macro cannot call config()",
            ),
            ("{% macro f() %}\n{{ centss(1) }}{% endmacro %}", "macros/m.sql:2: 'centss' is undefined."),
            ("{% macro f() %}\n{{ 1 | uper }}{% endmacro %}", "macros/m.sql:2: There is no filter 'uper'."),
            ("{% macro f() %}\n{{ ref(1) }}{% endmacro %}", "macros/m.sql:2: ref() takes names as texts."),
            ("{% macro f() %}\n{{ 1", "macros/m.sql:2: Unexpected end of template"),
            ("{% macro f() %}\n", "macros/m.sql:1: 'macro' is never closed."),
            ("{% import 'x' as y %}", "macros/m.sql:1: A macro file holds macros"),
            ("{% macro f() %}{% include 'x' %}{% endmacro %}", "macros/m.sql:1: `include` is not available"),
        ],
    )
    def test_a_macro_file_that_is_wrong(self, project, text, said):
        files = {"macros/m.sql": text, "macros/money.sql": MONEY, "models/a.ff.sql": "select 1 as x"}
        assert said in refusal(project, files)

    def test_two_of_one_name_name_both_files(self, project):
        files = {"macros/a.sql": MONEY, "macros/b.sql": "\n" + MONEY, "models/a.ff.sql": "select 1 as x"}
        said = refusal(project, files, ConfigError)
        assert said.startswith("macros/b.sql:2: The macro 'cents' is given twice: here and in macros/a.sql:1.\n")

    def test_a_misspelt_call(self, project):
        files = {"macros/a.sql": MONEY, "models/a.ff.sql": "select\n{{ centss('x') }}"}
        assert refusal(project, files).splitlines() == [
            "models/a.ff.sql:2: 'centss' is undefined.",
            "    2 | {{ centss('x') }}",
            "           ^",
            "Did you mean 'cents'?",
        ]

    def test_a_macro_is_as_bounded_as_a_model(self, project):
        files = {
            "macros/m.sql": "{% macro f(n) %}{% for i in range(n) %}\n{{ 'x'.center(n) }}{% endfor %}{% endmacro %}",
            "models/a.ff.sql": "select {{ f(100000) }}",
        }
        assert "macros/m.sql:2: The width is too large" in refusal(project, files)
