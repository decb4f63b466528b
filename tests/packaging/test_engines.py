"""Each engine from its wheels alone, in an empty venv: from `init` to the site."""

from __future__ import annotations

import postgres_server
import pytest

pytestmark = pytest.mark.packaging


@pytest.fixture
def no_server():
    """An engine that needs no server needs no settings either."""
    return {}


@pytest.fixture
def postgres():
    dsn = postgres_server.new_database()
    yield {"FF_PG_DSN": dsn}
    postgres_server.drop_database(dsn)


# One more engine is one more line: its name, and the fixture that gives its variables.
ENGINES = {"duckdb": "no_server", "postgres": "postgres"}


@pytest.mark.parametrize("engine", ENGINES)
def test_quickstart_runs_from_the_wheels(install, flowforge, tmp_path, request, engine):
    venv = install(f"flowforge-{engine}")
    settings = request.getfixturevalue(ENGINES[engine])
    commands = (["init", "--engine", engine], ["debug"], ["seed"], ["run"], ["test"], ["dag", "--html"])
    for command in commands:
        assert_clean(flowforge(venv, *command, "shop", **settings))
    assert (tmp_path / "shop/.flowforge/docs/index.html").is_file()
    models = sorted((tmp_path / "shop/models").rglob("*.ff.*"))
    assert models
    for model in models:
        shown = flowforge(venv, "show", model.name.partition(".ff.")[0], "shop", **settings)
        assert_clean(shown)
        assert shown.stdout.strip()
    listed = flowforge(venv, "engines").stdout
    assert f"{engine:<13} flowforge-{engine} " in listed


def assert_clean(answer):
    assert (answer.returncode, answer.stderr) == (0, ""), f"{answer.args}\n{answer.stdout}\n{answer.stderr}"
