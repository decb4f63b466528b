"""Hooks as a project writes them: where they come from, what they refer to, and that none is imported to be read."""

from __future__ import annotations

import pytest

from flowforge_bootstrap.project import Project
from flowforge_domain.errors import ConfigError, DependencyNotFoundError, FlowForgeError, ModuleLoadError, TemplateError
from flowforge_domain.results import Status

PROFILE = {"profiles.yml": "default: {engine: sqlite, sqlite: {path: data.sqlite}}"}


def hooks_of(project, files, name="a"):
    node = project.write(files).manifest().nodes[name]
    return [(hook.when, hook.text, str(hook.where)) for hook in node.hooks]


def refusal(project, files, kind):
    with pytest.raises(FlowForgeError) as caught:
        project.write(files).manifest()
    assert isinstance(caught.value, kind)
    assert caught.value.hint
    return str(caught.value)


class TestOfModels:
    def test_from_the_file_its_entry_its_folder_and_the_project(self, project):
        own = "{{ config(\n  pre_hook=\"delete from {{ ref('b') }}\",\n  post_hook=['select 1', 'select 2']) }}\n"
        files = {
            "models/f/a.ff.sql": f"{own}select 1 as x",
            "models/b.ff.sql": "select 1 as x",
            "models/f/c.ff.sql": "select 1 as x",
            "models/m.yml": "models:\n  b:\n    pre_hook: select 3\n",
            "project.yml": "defaults:\n  post_hook: [select 4]\nfolders:\n  f: {pre_hook: select 5}\n",
        }
        assert hooks_of(project, files) == [
            ("pre_hook", "delete from {{ ref('b') }}", "models/f/a.ff.sql:2"),
            ("post_hook", "select 1", "models/f/a.ff.sql:3"),
            ("post_hook", "select 2", "models/f/a.ff.sql:3"),
        ]
        assert hooks_of(project, {}, "b") == [
            ("pre_hook", "select 3", "models/m.yml:2"),
            ("post_hook", "select 4", "project.yml:1"),
        ]
        assert hooks_of(project, {}, "c")[0] == ("pre_hook", "select 5", "project.yml:4")

    def test_what_they_refer_to_is_what_the_model_depends_on(self, project):
        files = {
            "models/a.ff.sql": "{{ config(pre_hook=\"{{ f() }} {{ source('g', 't') }}\") }}\nselect 1 as x",
            "models/b.ff.sql": "select 1 as x",
            "macros/m.sql": "{% macro f() %}{{ ref('b') }}{% endmacro %}",
            "sources.yml": "g: {t: }",
        }
        node = project.write(files).manifest().nodes["a"]
        assert (node.deps, node.sources, node.macros) == (("b",), (("g", "t"),), ("f",))
        assert str(node.where("b")) == "models/a.ff.sql:1"

    def test_one_before_a_literal_create_keeps_it_one(self, project):
        text = "{{ config(post_hook=\"grant select on {{ ref('b') }} to x\") }}\ncreate table t as select 1 as x"
        files = {"models/a.ff.sql": text, "models/b.ff.sql": "select 1 as x"}
        assert project.write(files).manifest().nodes["a"].relation == "t"

    @pytest.mark.parametrize(
        ("hook", "said"),
        [
            ("{{ nope() }}", "models/m.yml:2: 'nope' is undefined."),
            ("{{ config(tags=['x']) }}", "models/m.yml:2: A pre_hook cannot call config()."),
            ("{{ ref( }}", "models/m.yml:2: Unexpected"),
        ],
    )
    def test_one_that_is_wrong_is_told_when_it_is_read(self, project, hook, said):
        files = {"models/a.ff.sql": "select 1 as x", "models/m.yml": f'models:\n  a: {{pre_hook: "{hook}"}}\n'}
        assert said in refusal(project, files, TemplateError)


class TestOfRuns:
    FILES = PROFILE | {
        "models/a.ff.sql": "select {{ var('x') }} as x",
        "macros/m.sql": "{% macro said(text) %}insert into log values ('{{ text }}'){% endmacro %}",
        "project.yml": (
            "vars: {x: 1}\n"
            "on_run_start:\n  - create table if not exists log (said text)\n  - \"{{ said('start') }}\"\n"
            "on_run_end: \"{% for r in results %}{{ said(r.name ~ ' ' ~ r.status ~ ' ' ~ r.rows) }}{% endfor %}\"\n"
        ),
    }

    def said(self, project):
        return [row[0] for row in Project.load(project.root).show("log").rows]

    def test_sql_sees_variables_macros_and_results(self, project):
        opened = Project.load(project.write(self.FILES).root)
        assert opened.run().ok
        assert self.said(project) == ["start", "a built 1"]
        assert opened.run().ok
        project.write({"models/a.ff.sql": "select nope"})
        assert not opened.run().ok
        assert self.said(project)[-1] == "a failed None"

    def test_this_means_nothing_there(self, project):
        files = {**self.FILES, "project.yml": "vars: {x: 1}\non_run_start:\n  - select 1\n  - delete from {{ this }}\n"}
        with pytest.raises(TemplateError, match="'this' is undefined") as caught:
            Project.load(project.write(files).root).run()
        assert str(caught.value.where) == "project.yml:4"

    def test_one_text_that_stands_for_a_list_is_told_by_its_line(self, project):
        files = {**self.FILES, "project.yml": "vars: {x: 1}\n\n\non_run_start: delete from {{ this }}\n"}
        with pytest.raises(TemplateError, match="'this' is undefined") as caught:
            Project.load(project.write(files).root).run()
        assert str(caught.value.where) == "project.yml:4"

    def test_a_missing_model_is_told_where(self, project):
        files = {**self.FILES, "project.yml": "vars: {x: 1}\non_run_start:\n  - delete from {{ ref('nope') }}\n"}
        with pytest.raises(FlowForgeError) as caught:
            Project.load(project.write(files).root).run()
        assert "nope" in str(caught.value)
        assert not isinstance(caught.value, DependencyNotFoundError)

    def test_a_macro_that_fails_tells_the_way(self, project):
        files = {
            **self.FILES,
            "macros/m.sql": "{% macro said(text) %}\n{{ 1 / 0 }}{% endmacro %}",
        }
        with pytest.raises(TemplateError) as caught:
            Project.load(project.write(files).root).run()
        assert str(caught.value.where) == "macros/m.sql:2"
        assert "called in project.yml:4" in str(caught.value)


PYTHON = """from helpers import SAY
from flowforge import hook


@hook("on_run_start")
def before(context):
    SAY(f"start {context.models} {context.target['engine']}")


@hook("on_run_end")
def after(context):
    SAY(f"end {[(r.name, r.status.value) for r in context.results]}")
"""
HELPERS = """from pathlib import Path

def SAY(text):
    with (Path(__file__).parent / "said.txt").open("a") as file:
        file.write(text + "\\n")
"""


class TestFunctions:
    FILES = PROFILE | {"models/a.ff.sql": "select 1 as x", "hooks/notify.py": PYTHON, "helpers.py": HELPERS}

    def test_they_run_around_the_models(self, project):
        assert Project.load(project.write(self.FILES).root).run().ok
        assert (project.root / "said.txt").read_text() == "start ('a',) sqlite\nend [('a', 'built')]\n"

    def test_an_error_names_file_and_line(self, project):
        files = {**self.FILES, "hooks/notify.py": PYTHON.replace("r.status.value", "r.nothing")}
        report = Project.load(project.write(files).root).run()
        assert report.results[0].status is Status.BUILT
        assert str(report.errors[0].where) == "hooks/notify.py:12"
        assert "AttributeError" in report.errors[0].message

    def test_one_that_cannot_be_imported(self, project):
        files = {**self.FILES, "hooks/notify.py": "import nothing_at_all\n" + PYTHON}
        with pytest.raises(ModuleLoadError, match="The hook 'before' cannot be imported") as caught:
            Project.load(project.write(files).root).run()
        assert str(caught.value.where) == "hooks/notify.py:1"

    def test_one_that_is_another_when_it_runs(self, project):
        text = "from helpers import hook\n@hook('on_run_start')\ndef f(context): ...\n"
        files = {**self.FILES, "hooks/notify.py": text, "helpers.py": "def hook(when): return lambda f: f\n"}
        with pytest.raises(ModuleLoadError, match="says something else"):
            Project.load(project.write(files).root).run()

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("@hook('on_run_strat')\ndef f(context): ...", "hooks/h.py:1: @hook marks a plain function"),
            ("when = 'x'\n@hook(when)\ndef f(context): ...", "hooks/h.py:2: @hook marks"),
            ("@hook\ndef f(context): ...", "hooks/h.py:1: @hook marks"),
            ("class A:\n    @flowforge.hook('on_run_end')\n    def f(context): ...", "hooks/h.py:2: @hook marks"),
            ("@hook('on_run_end')\nasync def f(context): ...", "hooks/h.py:1: @hook marks"),
            ("def (", "hooks/h.py:1: The file is not valid Python"),
        ],
    )
    def test_a_marker_that_is_wrong_is_told_when_it_is_read(self, project, text, said):
        assert said in refusal(project, {"models/a.ff.sql": "select 1", "hooks/h.py": text}, ModuleLoadError)

    def test_other_files_there_are_helpers(self, project):
        assert project.write({"models/a.ff.sql": "select 1", "hooks/h.py": "def f(): ..."}).manifest().hooks == ()


def test_unknown_words_are_told(project):
    said = refusal(project, {"models/a.ff.sql": "select 1", "project.yml": "on_run_strat: [select 1]"}, ConfigError)
    assert "Did you mean 'on_run_start'?" in said
