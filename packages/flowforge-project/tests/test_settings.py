"""Settings of models from all their places, and what is said about those of nothing."""

from __future__ import annotations

import pytest

from flowforge_domain.config import ColumnConfig, ModelConfig
from flowforge_domain.errors import ConfigError


def config(project, own="", entry="", folder="", defaults="", kind="sql"):
    """Return the settings of models/marts/daily/a, given at each place."""
    body = f"{{{{ config({own}) }}}}\nselect 1\n" if kind == "sql" else f"@model({own})\ndef f(): ...\n"
    project.write(
        {
            f"models/marts/daily/a.ff.{'sql' if kind == 'sql' else 'py'}": body,
            "project.yml": f"defaults: {{{defaults}}}\nfolders:\n  marts: {{{folder}}}\n  marts/daily/: {{}}\n",
            "models/marts/a.yml": f"models:\n  a: {{{entry}}}\n",
        }
    )
    return project.manifest().nodes["a"].config


def refusal(project, files):
    with pytest.raises(ConfigError) as caught:
        project.write({"models/marts/users.ff.sql": "select 1", **files}).manifest()
    return caught.value


def test_without_settings_a_model_has_the_defaults(project):
    assert config(project) == ModelConfig()


@pytest.mark.parametrize(
    ("places", "owner"),
    [
        ({"own": "owner='1'", "entry": "owner: '2'", "folder": "owner: '3'", "defaults": "owner: '4'"}, "1"),
        ({"entry": "owner: '2'", "folder": "owner: '3'", "defaults": "owner: '4'"}, "2"),
        ({"folder": "owner: '3'", "defaults": "owner: '4'"}, "3"),
        ({"defaults": "owner: '4'"}, "4"),
        ({"own": "owner=''", "defaults": "owner: '4'"}, ""),
    ],
)
@pytest.mark.parametrize("kind", ["sql", "python"])
def test_the_nearest_place_wins(project, places, owner, kind):
    assert config(project, **places, kind=kind).owner == owner


def test_an_inner_folder_wins_over_an_outer_one(project):
    text = "folders:\n  marts/daily: {owner: inner, tags: [b]}\n  marts: {owner: outer, tags: [a]}\n"
    project.write({"models/marts/daily/a.ff.sql": "select 1", "models/marts/b.ff.sql": "select 1", "project.yml": text})
    nodes = project.manifest().nodes
    assert (nodes["a"].config.owner, nodes["a"].config.tags) == ("inner", ("a", "b"))
    assert (nodes["b"].config.owner, nodes["b"].config.tags) == ("outer", ("a",))


def test_tags_add_up_from_outside_in_each_once(project):
    found = config(project, "tags=['d', 'a']", "tags: [c, b]", "tags: [b]", "tags: [a]")
    assert found.tags == ("a", "b", "c", "d")


def test_meta_merges_key_by_key(project):
    found = config(project, "meta={'d': 1, 'a': 9}", "meta: {c: 1, b: 9}", "meta: {b: 1}", "meta: {a: 1}")
    assert found.meta == {"a": 9, "b": 9, "c": 1, "d": 1}


def test_columns_merge_as_models_do(project):
    found = config(
        project,
        entry="columns: {id: {tags: [b], meta: {y: 2}}, name: {description: N}}",
        defaults="columns: {id: {description: The id, tags: [a], meta: {x: 1}}}",
    )
    assert found.columns == {
        "id": ColumnConfig(description="The id", tags=("a", "b"), meta={"x": 1, "y": 2}),
        "name": ColumnConfig(description="N"),
    }


def test_a_plain_select_is_materialized_by_its_settings(project):
    assert config(project, "materialized='view'").materialized == "view"
    assert config(project, folder="materialized: view").materialized == "view"


@pytest.mark.parametrize(
    ("name", "text", "settled"),
    [
        ("a.ff.sql", "create table t as select 1", "table"),
        ("a.ff.sql", "create view t as select 1", "view"),
        ("a.ff.py", "@model()\ndef f(): ...", "table"),
    ],
)
def test_what_the_text_settles_is_not_overruled_by_defaults_of_many(project, name, text, settled):
    other = {"table": "view", "view": "table"}[settled]
    project.write({f"models/marts/{name}": text, "project.yml": f"folders: {{marts: {{materialized: {other}}}}}"})
    assert project.manifest().nodes["a"].config.materialized == settled
    project.write({"project.yml": f"models:\n  a: {{materialized: {other}}}"})
    with pytest.raises(ConfigError, match=f"Model 'a' is a {settled}") as caught:
        project.manifest()
    assert str(caught.value.where) == "project.yml:2"
    project.write({"project.yml": f"models:\n  a: {{materialized: {settled}}}"})
    assert project.manifest().nodes["a"].config.materialized == settled


@pytest.mark.parametrize("spelling", ["users", "users.ff", "users.ff.sql"])
def test_every_spelling_of_a_model_is_its_name(project, spelling):
    project.write({"models/users.ff.sql": "select 1", "project.yml": f"models: {{{spelling}: {{owner: x}}}}"})
    assert project.manifest().nodes["users"].config.owner == "x"


@pytest.mark.parametrize(
    ("files", "where", "message", "hint"),
    [
        (
            {"project.yml": "models:\n  user: {}"},
            "project.yml:2",
            "There is no model 'user'.",
            "Did you mean 'users'?",
        ),
        (
            {"models/x.yml": "models:\n\n  zzz: {}"},
            "models/x.yml:3",
            "There is no model 'zzz'.",
            "Known: users.",
        ),
        (
            {"project.yml": "folders:\n  mart: {}"},
            "project.yml:2",
            "There are no models in 'mart'.",
            "Did you mean 'marts'?",
        ),
        (
            {"project.yml": "folders:\n  models/marts: {}"},
            "project.yml:2",
            "There are no models in 'models/marts'.",
            "Did you mean 'marts'?",
        ),
        (
            {"project.yml": "seeds:\n  seed: {}", "seeds/seeds.csv": "a\n"},
            "project.yml:2",
            "There is no seed 'seed'.",
            "Did you mean 'seeds'?",
        ),
        (
            {"project.yml": "seeds:\n  seed: {}"},
            "project.yml:2",
            "There is no seed 'seed'.",
            "Put its file into seeds/.",
        ),
        (
            {"project.yml": "models:\n  users: {}", "models/a.yml": "models: {users.ff: {}}"},
            "models/a.yml:1",
            "Model 'users' has settings here and in project.yml:2.",
            "Keep one.",
        ),
        (
            {"models/b/b.yaml": "models: {users: {}}", "models/a.yml": "models: {users: {}}"},
            "models/b/b.yaml:1",
            "Model 'users' has settings here and in models/a.yml:1.",
            "Keep one.",
        ),
        (
            {"project.yml": "models: {users: {}}\n", "models/a.yml": "models:\n  users.ff: {}\n"},
            "models/a.yml:2",
            "Model 'users' has settings here and in project.yml:1.",
            "Keep one.",
        ),
        (
            {"project.yml": "folders:\n  marts: {}\n  marts/: {}\n"},
            "project.yml:3",
            "Folder 'marts' has settings here and in project.yml:2.",
            "Keep one.",
        ),
    ],
)
def test_settings_of_nothing_and_settings_said_twice_are_refused(project, files, where, message, hint):
    error = refusal(project, files)
    assert (str(error.where), error.message, error.hint) == (where, message, hint)


def test_schema_and_alias_say_where_a_query_is_written(project):
    project.write(
        {
            "models/marts/a.ff.sql": "{{ config(alias='b') }} select 1",
            "models/marts/c.ff.sql": "create table d as select 1",
            "project.yml": "folders: {marts: {schema: my marts}}",
        }
    )
    nodes = project.manifest().nodes
    assert nodes["a"].relation == '"my marts".b'
    assert nodes["c"].relation == "d"


def test_one_name_stands_for_a_list(project):
    found = config(project, "materialized='incremental', unique_key='id', pre_hook='select 1'")
    assert (found.unique_key, found.pre_hook) == (("id",), ("select 1",))
