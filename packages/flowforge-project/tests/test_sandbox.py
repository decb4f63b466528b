"""Hostile templates: none runs anything, each is refused with file and line; and what an error of Jinja becomes."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowforge_domain.errors import TemplateError
from flowforge_project.sandbox import error_at, sandbox

HOSTILE = [
    line
    for line in (Path(__file__).parent / "data" / "hostile_templates.txt").read_text("utf-8").splitlines()
    if not line.startswith("# ")
]


def test_there_are_many():
    assert len(set(HOSTILE)) == len(HOSTILE) > 100


@pytest.mark.parametrize("template", HOSTILE)
def test_a_hostile_template_is_refused_where_it_stands(template, project, monkeypatch):
    monkeypatch.chdir(project.root)
    project.environment.update(DB_PASSWORD="hunter2", my_secret="hunter2")
    project.write({"models/a.ff.sql": f"select 1,\n{template}\n"})
    with pytest.raises(TemplateError) as caught:
        project.compiled()
    assert str(caught.value.where) == "models/a.ff.sql:2"
    message = str(caught.value)
    assert len(message.splitlines()) <= 4
    assert "hunter2" not in message
    assert caught.value.hint
    assert not (project.root / "HACKED").exists()


def test_the_environment_holds_nothing_that_is_not_deterministic():
    environment = sandbox()
    assert sorted(environment.globals) == ["dict", "namespace", "range"]
    assert not {"attr", "random", "pprint", "xmlattr"} & environment.filters.keys()
    assert environment.sandboxed


@pytest.mark.parametrize(
    ("line", "name", "snippet"),
    [
        (1, "b", "    1 | a {{ b }}\n             ^"),
        (1, "", "    1 | a {{ b }}\n          ^"),
        (1, "zzz", "    1 | a {{ b }}\n          ^"),
        (2, "", "    2 |   c\n          ^"),
        (3, "", "    3 | "),
        (9, "", ""),
        (0, "", ""),
    ],
)
def test_the_caret_stands_below_what_is_meant(line, name, snippet):
    error = error_at("a {{ b }}\n  c\n", "x.ff.sql", line, "It failed", "Mend it.", name)
    assert error.snippet == snippet
    assert error.message == "It failed."
