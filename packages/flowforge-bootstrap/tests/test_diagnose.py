from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from flowforge_bootstrap.diagnose import diagnose
from flowforge_bootstrap.project import open_project
from flowforge_domain.errors import UnsupportedByEngineError


def found(folder, env=None, engine=None):
    return {finding.subject: finding for finding in diagnose(str(folder), env, engine)}


def test_all_is_well(shop):
    findings = found(shop)
    assert all(finding.ok for finding in findings.values())
    assert findings["project"].detail == "shop: 3 models, 2 seeds, 2 sources, 4 tests"
    assert findings["profile"].detail.startswith("default, engine sqlite")
    assert findings["target"].detail == ".local/data.sqlite opens, the schema main has 2 tables and views"
    assert "sqlite from flowforge-testkit 0.1.0" in findings["engines"].detail
    assert [findings[step].detail.partition(",")[0] for step in ("create", "replace")] == [
        "a table was created",
        "it was replaced as a model is",
    ]
    assert "atomic replace of a table" in findings["guarantees"].detail.splitlines()
    assert "views" in findings["can"].detail.splitlines()
    assert findings["cannot"].detail == "Parquet seeds"
    assert [subject for subject, finding in findings.items() if finding.lacking] == ["cannot"]


def test_the_drivers_version_is_named(shop):
    from importlib.metadata import version

    (shop / "profiles.yml").write_text("default: {engine: duckdb, duckdb: {path: x.duckdb}}\n")
    assert f"duckdb {version('duckdb')}" in found(shop)["profile"].detail


def test_the_servers_version_is_asked_of_the_server(shop):
    assert found(shop)["server"].detail == f"sqlite {sqlite3.sqlite_version}"


@pytest.mark.parametrize(
    ("profile", "subject", "says"),
    [
        ("default: {engine: oracle}", "profile", "There is no engine 'oracle'"),
        ("default: {engine: sqlite, sqlite: {pth: x}}", "profile", "Did you mean 'path'?"),
        ("default: {engine: sqlite, sqlite: {path: models}}", "target", "unable to open"),
        ("default: {engine: postgres, postgres: {dsn: 'postgresql://localhost:1/none'}}", "target", "refused"),
    ],
)
def test_what_is_wrong_is_said_with_the_rest(shop, profile, subject, says):
    (shop / "profiles.yml").write_text(profile)
    findings = found(shop)
    assert not findings[subject].ok
    assert says in findings[subject].detail
    assert findings["project"].ok
    # What a target does that nobody reached is not told as if it were so.
    assert not {"guarantees", "can", "cannot"} & findings.keys()


def test_what_the_tests_of_an_engine_never_ran_on_is_told(shop):
    assert "not proved" not in found(shop)["profile"].detail
    settings = "{dataset: d, project: p, anonymous: true, endpoint: 'http://localhost:1', retry_deadline: 0}"
    (shop / "profiles.yml").write_text(f"default: {{engine: bigquery, bigquery: {settings}}}")
    told = found(shop)["profile"].detail.splitlines()
    assert told[-1] == "not proved: an account of Google's; the tests run against an emulator"


def test_a_wrong_project_does_not_hide_the_profile(shop):
    (shop / "models" / "x.ff.sql").write_text("select * from {{ ref('nope') }}")
    findings = found(shop)
    assert "nope" in findings["project"].detail
    assert findings["target"].ok


def test_a_seed_that_the_engine_cannot_load_is_told_before_the_target_is_opened(shop):
    (shop / "seeds" / "more.parquet").write_bytes(b"")
    says = "seeds/more.parquet: Engine 'sqlite' does not support Parquet seeds.\nmore is a Parquet seed: save it as CSV"
    assert not found(shop)["models"].ok
    assert found(shop)["models"].detail == says
    with pytest.raises(UnsupportedByEngineError) as caught, open_project(shop) as project:
        project.seed()
    assert str(caught.value) == says


def test_columns_that_only_the_yaml_knows(shop):
    (shop / "models" / "x.ff.sql").write_text("select 1 as id")
    (shop / "models" / "x.yml").write_text("models: {x: {columns: {idd: {description: Which one.}}}}")
    assert "columns" not in found(shop)
    open_project(shop).run()
    assert found(shop)["columns"].detail == (
        "Model 'x' describes the column 'idd', and its table has none. Did you mean 'id'?"
    )


def test_no_project_at_all(tmp_path):
    assert not found(tmp_path / "nowhere")["project"].ok


def test_it_leaves_nothing_in_the_target(shop):
    before = found(shop)["target"].detail
    assert found(shop)["target"].detail == before


def test_a_broken_plugin_is_named(shop, install):
    install("bad-engine", "bad", "import no_such_driver_at_all\n")
    assert "bad of bad-engine 1.0 cannot be used: ModuleNotFoundError" in found(shop)["plugin"].detail


def test_what_an_open_target_lacks_is_told(shop):
    (shop / "profiles.yml").write_text("default: {engine: sqlite}")
    assert "a second session on the same target" in found(shop)["cannot"].detail


def test_a_target_that_is_locked_names_the_fix(shop):
    """Another writer holds the file: creating is what fails, with what to do about it."""
    (shop / "profiles.yml").write_text("default: {engine: sqlite, sqlite: {path: x.db, timeout: 0}}")
    assert found(shop)["create"].ok
    with closing(sqlite3.connect(shop / "x.db", isolation_level=None)) as other:
        other.execute("begin immediate")
        findings = found(shop)
    assert findings["target"].ok
    assert findings["create"].detail == "database is locked\nTry again in a while."
    assert "replace" not in findings


OPENER = """
from dataclasses import replace
from flowforge_ports.hooks import hookimpl
from flowforge_testkit.sqlite.plugin import SPEC

@hookimpl
def flowforge_engines():
    return [replace(SPEC, distribution="own-engine", open="own_engine_plugin:open_engine")]

def open_engine(profile, root, claim):
    {body}
"""


def without_sqlite(monkeypatch, install, body):
    """Let a plugin's engine take the place of the reference engine's."""
    from flowforge_bootstrap import plugins as loading

    found = loading.entry_points
    monkeypatch.setattr(loading, "entry_points", lambda group: [e for e in found(group=group) if e.name != "sqlite"])
    install("own-engine", "own", OPENER.format(body=body))


def test_what_was_found_is_told_before_an_opener_fails(monkeypatch, install, shop):
    without_sqlite(monkeypatch, install, "return 1 / 0")
    findings = diagnose(str(shop), None, None)
    assert [next(findings).subject for _ in range(4)] == ["flowforge", "engines", "project", "profile"]
    with pytest.raises(ZeroDivisionError):
        next(findings)


def test_a_driver_that_is_missing_is_no_bug(monkeypatch, install, shop):
    without_sqlite(monkeypatch, install, "import no_such_driver_at_all")
    target = found(shop)["target"]
    assert not target.ok
    assert target.detail == (
        "Engine 'sqlite' cannot be opened: No module named 'no_such_driver_at_all'\n"
        "Install the package that gives the module 'no_such_driver_at_all'."
    )
