"""`env_var()` in the names of schemas and tables in YAML: what differs from one profile to the other."""

from __future__ import annotations

import pytest

from flowforge_domain.errors import ConfigError
from flowforge_project.reader import FolderReader

PROJECT = """name: shop
defaults:
  schema: "{{ env_var('MARTS', 'marts') }}"
models:
  b: {alias: "b_{{ env_var('SUFFIX') }}"}
"""


@pytest.fixture
def read(project):
    root = project.write({"models/a.ff.sql": "select 1 as x", "models/b.ff.sql": "select 1 as x"}).root

    def manifest(files, target=dict, **environment):
        for name, text in files.items():
            (root / name).write_text(text, encoding="utf-8")
        return FolderReader(root).manifest(environment, target)

    return manifest


def test_schema_and_alias_follow_the_environment(read):
    before = read({"project.yml": PROJECT}, SUFFIX="1").nodes
    assert [node.relation for node in before.values()] == ["marts.a", "marts.b_1"]
    now = read({}, SUFFIX="2", MARTS="dev marts").nodes
    assert [node.relation for node in now.values()] == ['"dev marts".a', '"dev marts".b_2']
    assert now["a"].config.schema == "dev marts"


def test_sources_lie_where_the_environment_says(read):
    text = "raw:\n  users: {schema: \"{{ env_var('RAW', 'raw') }}\", identifier: \"u{{ env_var('N', '1') }}\"}\n"
    assert read({"sources.yml": text}, RAW="lake").sources["raw", "users"].relation == "lake.u1"


@pytest.mark.parametrize(
    ("schema", "message", "hint"),
    [
        ("{{ env_var('MARTS') }}", "The environment variable 'MARTS' is not set.", "Set it in your shell or .env."),
        ("{{ var('x') }}", "only env_var('NAME') or env_var('NAME', 'default'), or target.name, can stand in", "Write"),
        ("{{ target.name }}_x", "target.name is not known here, where no profile is chosen.", "Use env_var('NAME')"),
        ("{{ env_var('DB_PASSWORD', 'x') }}", "env_var('DB_PASSWORD') looks like a secret", "Use secrets in"),
    ],
)
def test_what_cannot_be_filled_is_refused_at_its_line(read, schema, message, hint):
    with pytest.raises(ConfigError) as caught:
        read({"project.yml": f'name: shop\ndefaults:\n  schema: "{schema}"\n'})
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert str(caught.value.where) == "project.yml:2"


def test_names_follow_the_profile_which_is_asked_once_and_only_then(read):
    asked = []

    def target():
        asked.append(1)
        return {"name": "dev", "engine": "duckdb", "schema": "main"}

    read({"project.yml": PROJECT}, target, SUFFIX="1")
    assert asked == []
    text = "{}:\n  {}: {{schema: \"{{{{ target.{} }}}}_x{{{{env_var('N', '')}}}}\"}}\n"
    found = read(
        {
            "project.yml": "name: shop\n" + text.format("models", "a", "name"),
            "sources.yml": text.format("raw", "users", "schema"),
            "models/b.ff.sql": '{{ config(alias="{{ target.engine }}_b") }} select 1 as x',
        },
        target,
    )
    assert [node.relation for node in found.nodes.values()] == ["dev_x.a", "duckdb_b"]
    assert found.sources["raw", "users"].relation == "main_x.users"
    assert found.sources["raw", "users"].written == "{{ target.schema }}_x{{env_var('N', '')}}.users"
    assert asked == [1]
    with pytest.raises(ConfigError, match=r"There is no target\.type on this profile") as caught:
        read({"project.yml": "name: shop\n" + text.format("models", "a", "type")}, target)
    assert (str(caught.value.where), caught.value.hint) == ("project.yml:3", "Known: engine, name, schema.")


def test_so_it_is_in_sources(read):
    with pytest.raises(ConfigError, match="is not set") as caught:
        read({"sources.yml": "raw:\n  users: {schema: \"{{ env_var('RAW') }}\"}\n"})
    assert str(caught.value.where) == "sources.yml:2"
