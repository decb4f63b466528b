from __future__ import annotations

import pytest

from flowforge_bootstrap.diagnose import diagnose


def found(folder, env=None, engine=None):
    return {finding.subject: finding for finding in diagnose(str(folder), env, engine)}


def test_all_is_well(shop):
    findings = found(shop)
    assert all(finding.ok for finding in findings.values())
    assert findings["project"].detail == "shop: 3 models, 2 seeds, 2 sources, 4 tests"
    assert findings["profile"].detail.startswith("default, engine sqlite")
    assert findings["target"].detail == ".local/data.sqlite opens, 2 tables and views"
    assert "sqlite from flowforge-testkit 0.1.0" in findings["engines"].detail
    assert "views" in findings["can"].detail.splitlines()
    assert findings["cannot"].detail == "Parquet seeds"


def test_the_drivers_version_is_named(shop):
    from importlib.metadata import version

    (shop / "profiles.yml").write_text("default: {engine: duckdb, duckdb: {path: x.duckdb}}\n")
    assert f"duckdb {version('duckdb')}" in found(shop)["profile"].detail


@pytest.mark.parametrize(
    ("profile", "subject", "says"),
    [
        ("default: {engine: oracle}", "profile", "There is no engine 'oracle'"),
        ("default: {engine: sqlite, sqlite: {pth: x}}", "profile", "Did you mean 'path'?"),
        ("default: {engine: sqlite, sqlite: {path: models}}", "target", "unable to open"),
    ],
)
def test_what_is_wrong_is_said_with_the_rest(shop, profile, subject, says):
    (shop / "profiles.yml").write_text(profile)
    findings = found(shop)
    assert not findings[subject].ok
    assert says in findings[subject].detail
    assert findings["project"].ok


def test_a_wrong_project_does_not_hide_the_profile(shop):
    (shop / "models" / "x.ff.sql").write_text("select * from {{ ref('nope') }}")
    findings = found(shop)
    assert "nope" in findings["project"].detail
    assert findings["target"].ok


def test_no_project_at_all(tmp_path):
    assert not found(tmp_path / "nowhere")["project"].ok


def test_a_broken_plugin_is_named(shop, install):
    install("bad-engine", "bad", "import no_such_driver_at_all\n")
    assert "bad cannot be loaded" in found(shop)["plugin"].detail
