"""A snapshot whose settings or columns no longer fit its history: told by line, with one fix, and nothing is lost."""

from __future__ import annotations

import duckdb
import postgres_server
import pytest

from flowforge import Project

SNAPSHOT = "{{{{ config(\n  materialized='snapshot',\n  {}\n) }}}}\nselect 1 as id, 2 as part, {} as v\n"
KEY = "unique_key='id', strategy='check'"
ZONED = "cast('2026-01-01' as timestamptz)"


@pytest.fixture
def run(in_shell, tmp_path):
    """Run a snapshot with these settings and this value."""
    (tmp_path / "models").mkdir()
    (tmp_path / "project.yml").write_text("name: shop\n", encoding="utf-8")
    (tmp_path / "profiles.yml").write_text("default: {engine: duckdb, duckdb: {path: x.duckdb}}\n", encoding="utf-8")

    def told(given, value):
        (tmp_path / "models" / "h.ff.sql").write_text(SNAPSHOT.format(given, value), encoding="utf-8")
        done = in_shell("flowforge run", tmp_path)
        return done.returncode, done.stdout + done.stderr

    return told


@pytest.mark.parametrize(
    ("given", "value", "said"),
    [
        ("unique_key='id', strategy='check', check_cols=['nope']", "'a'",
         ("h.ff.sql:3", "`check_cols` names 'nope'")),
        ("unique_key='id', strategy='timestamp', updated_at='v'", "cast(7 as bigint)",
         ("h.ff.sql:3", "`updated_at` v is BIGINT, which is no time", "Make a timestamp of it")),
        ("unique_key='id', strategy='timestamp', updated_at='v', hard_deletes='new_record'", "1.5",
         ("h.ff.sql:3", "`updated_at` v is DECIMAL(2,1), which is no time", "strategy='check'")),
    ],
)  # fmt: skip
def test_settings_with_which_no_history_could_go_on_begin_none(run, tmp_path, given, value, said):
    code, text = run(given, value)
    assert (code, [part for part in said if part not in text]) == (1, [])
    with duckdb.connect(str(tmp_path / "x.duckdb"), read_only=True) as connection:
        assert connection.sql("select * from duckdb_tables() where table_name = 'h'").fetchall() == []


@pytest.mark.parametrize(
    ("kind", "old", "new"),
    [
        ("json", '{"a": 1}', '{"a": 2}'),
        ("point", "(1,2)", "(2,1)"),
        # To PostgreSQL, these are equal where their areas are.
        ("box", "(1,1),(0,0)", "(2,2),(1,1)"),
        ("json[]", "{1}", "{2}"),
    ],
)
def test_values_that_postgres_cannot_compare_are_compared_as_text(new_project, monkeypatch, kind, old, new):
    settings = "materialized='snapshot', unique_key='id', strategy='check'"
    with postgres_server.lent_database() as dsn:
        monkeypatch.setenv("FF_PG_DSN", dsn)
        profile = "default: {engine: postgres, postgres: {dsn: \"{{ env_var('FF_PG_DSN') }}\"}}\n"
        folder = new_project({"profiles.yml": profile})
        for value in (old, old, new):
            query = f"{{{{ config({settings}) }}}} select 1 as id, cast('{value}' as {kind}) as v"
            (folder / "models").mkdir(exist_ok=True)
            (folder / "models" / "h.ff.sql").write_text(query, encoding="utf-8")
            with Project.load(folder) as project:
                assert [str(result.error or "") for result in project.run(no_cache=True).results] == [""]
        found = postgres_server.run("select v::text, valid_to is null from h order by valid_from", dsn)
    assert found == [(old, False), (new, True)]


def test_a_plain_null_fits_each_type_and_becomes_any(run, tmp_path):
    """DuckDB has a type for it."""
    for content in ("null", "'a'", "null", "'b'"):
        assert run(KEY, content)[0] == 0
    with duckdb.connect(str(tmp_path / "x.duckdb"), read_only=True) as connection:
        assert connection.sql("select v from h order by valid_from").fetchall() == [(None,), ("a",), (None,), ("b",)]


@pytest.mark.parametrize(
    ("given", "value", "said"),
    [
        (f"{KEY}, snapshot_meta_column_names={{'valid_to': 'vt'}}", "'b'",
         ("h.ff.sql:3", "no column vt, but valid_to,", 'rename column "valid_to" to "vt"')),
        ("unique_key='no', strategy='check'", "1 as no, 'b'",
         ("h.ff.sql:3", "`unique_key` names 'no'", "Take the setting back")),
        ("unique_key='none', strategy='check'", "'b'", ("h.ff.sql:3", "`unique_key` names 'none'", "part")),
        ("unique_key='id', strategy='timestamp', updated_at='at'", f"{ZONED} as at, 'b'",
         ("h.ff.sql:3", "`updated_at` at is TIMESTAMP WITH TIME ZONE", "Cast it in the query to TIMESTAMP.")),
        (KEY, "1.5", ("h.ff.sql", "v is now DECIMAL(2,1)", "Cast in the model v to VARCHAR")),
    ],
)  # fmt: skip
def test_what_does_not_fit_a_history_leaves_it_as_it_was(run, tmp_path, given, value, said):
    for content in ("'a'", "'b'"):
        assert run(KEY, content)[0] == 0
    code, text = run(given, value)
    assert (code, [part for part in said if part not in text]) == (1, [])
    assert run(KEY, "'c'")[0] == 0
    with duckdb.connect(str(tmp_path / "x.duckdb"), read_only=True) as connection:
        assert connection.sql("select v from h order by v").fetchall() == [("a",), ("b",), ("c",)]
