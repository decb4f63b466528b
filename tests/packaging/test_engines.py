"""Each engine from its wheels alone, in an empty venv: from `init` to the site, or to what `debug` says."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import postgres_server
import pytest
import spark_local

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


@pytest.fixture
def spark():
    """Java where PySpark looks for it, for in this environment nothing else tells where it is."""
    quick = spark_local.quick_commands()
    home = os.environ.get("JAVA_HOME") or str(Path(shutil.which("java")).resolve().parents[1])
    return {"JAVA_HOME": home, **quick}


# What Java and Spark say by themselves before anybody can tell them how much to say; no error is among it.
SPARK_SAYS = re.compile(
    r"Picked up JAVA_TOOL_OPTIONS: .*|WARNING: Using incubator modules: jdk\.incubator\.vector"
    r"|Using Spark's default log4j profile: .*|Setting (default|Spark) log level to \"(WARN|ERROR)\"\."
    r"|To adjust logging level use sc\.setLogLevel.*|\d\d/\d\d/\d\d \d\d:\d\d:\d\d WARN (Utils|NativeCodeLoader): .*"
)
NOTHING = re.compile("")


@dataclass(frozen=True)
class Local:
    """An engine that runs here: its distribution, the fixture that gives its variables, and its own lines on stderr.

    `made_by` are the commands that load, build and test: one where each starts a Java.
    """

    distribution: str
    settings: str = "no_server"
    says: re.Pattern[str] = NOTHING
    made_by: tuple[str, ...] = ("seed", "run", "test")


# One more engine is one more line.
LOCAL = {
    "duckdb": Local("flowforge-duckdb"),
    "postgres": Local("flowforge-postgres", "postgres"),
    "databricks_spark": Local("flowforge-databricks", "spark", SPARK_SAYS, ("build",)),
}


@pytest.mark.parametrize("engine", LOCAL)
def test_quickstart_runs_from_the_wheels(install, flowforge, tmp_path, request, engine):
    local = LOCAL[engine]
    venv, settings = install(local.distribution), request.getfixturevalue(local.settings)
    commands = (["init", "--engine", engine], ["debug"], *([made] for made in local.made_by), ["dag", "--html"])
    # Last what stands on every model and seed.
    for command in (*commands, ["show", "revenue_by_customer"]):
        answer = flowforge(venv, *command, "shop", **settings)
        assert_clean(answer, local.says)
        if command == ["debug"]:
            assert re.search(rf"^✓ server +{engine} v?\d", answer.stdout, re.MULTILINE)
    assert re.search(r"Acme Ltd +True +1 +1200", answer.stdout)
    assert (tmp_path / "shop/.flowforge/docs/index.html").is_file()
    assert_listed(flowforge(venv, "engines"), engine, local.distribution)


@dataclass(frozen=True)
class Cloud:
    """An engine of a cloud: its distribution, what its profile asks for, and how to mend that nobody has logged in."""

    distribution: str
    engine: str
    fix: str
    settings: dict[str, str] = field(default_factory=dict)


# Nothing is asked of a network: the machine of the tests may be one of Google's, and have an account.
BIGQUERY = {"FF_BQ_PROJECT": "shop", "NO_GCE_CHECK": "true"}
SNOWFLAKE = dict.fromkeys(("ACCOUNT", "USER", "PASSWORD", "WAREHOUSE", "DATABASE"), "shop") | {
    "HOST": "127.0.0.1",
    "PORT": "9",
    "PROTOCOL": "http",
}
LOG_IN = "Log in with `gcloud auth application-default login`, or give a keyfile in the profile."
CLOUDS = {
    "bigquery": Cloud("flowforge-bigquery", "bigquery", LOG_IN, BIGQUERY),
    "bigquery+bigframes": Cloud("flowforge-bigframes", "bigquery", LOG_IN, BIGQUERY | {"FF_BQ_USE_BIGFRAMES": "1"}),
    "snowflake_snowpark": Cloud(
        "flowforge-snowflake",
        "snowflake_snowpark",
        "Check account, host, warehouse and database of the profile.",
        {f"FF_SF_{name}": value for name, value in SNOWFLAKE.items()},
    ),
}


@pytest.mark.parametrize("name", CLOUDS)
def test_without_an_account_the_wheels_tell_what_is_missing(install, flowforge, name):
    cloud = CLOUDS[name]
    venv = install(cloud.distribution)
    for command in (["--version"], ["init", "--engine", cloud.engine, "shop"]):
        assert_clean(flowforge(venv, *command))
    assert_listed(flowforge(venv, "engines"), name, cloud.distribution)

    unset = found_wanting(flowforge(venv, "debug", "shop"))
    assert "✗ profile     profiles.yml:5: Profile 'default': The environment variable 'FF_" in unset
    assert "Set it in your shell or .env." in unset
    unreached = found_wanting(flowforge(venv, "debug", "shop", **cloud.settings))
    assert f"✓ profile     default, engine {name}\n" in unreached
    assert "✗ target" in unreached
    assert f"\n              {cloud.fix}\n" in unreached
    # What nobody has tried, and nothing of a target that was not reached.
    assert "\n              not proved: an account of " in unreached
    assert "guarantees" not in unreached


def assert_listed(answer, engine, distribution):
    assert_clean(answer)
    assert re.search(rf"^{re.escape(engine)} +{distribution} \d", answer.stdout, re.MULTILINE)


def assert_clean(answer, says=NOTHING):
    assert (answer.returncode, ours(answer, says)) == (0, []), f"{answer.args}\n{answer.stdout}\n{answer.stderr}"


def ours(answer, says):
    """Return the lines on stderr that are not what the engine says by itself."""
    return [line for line in answer.stderr.splitlines() if not says.fullmatch(line)]


def found_wanting(answer):
    """Return the checklist of a `debug` that found what the user can mend."""
    assert (answer.returncode, answer.stderr) == (1, ""), f"{answer.stdout}\n{answer.stderr}"
    assert "Traceback" not in answer.stdout
    return answer.stdout
