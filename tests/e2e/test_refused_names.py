"""S3: a name that the engine cannot hold is refused before its target is opened, whatever a command was asked for."""

from __future__ import annotations

import json

import pytest

from flowforge_cli.main import main

LONG = "n" * 300
SQLITE = "{engine: sqlite, sqlite: {path: data.sqlite}}"
ORDERS = "models/orders.ff.sql"
PYTHON = "from flowforge import model, source\n\n@model(deps=[{}])\ndef last(df):\n    return df\n"


def configured(**settings):
    said = ", ".join(f"{name}={value!r}" for name, value in settings.items())
    return f"{{{{ config({said}) }}}}\nselect 1 as id\n"


def check(table, column):
    return "name: shop\ntests: " + json.dumps([{"type": "not_null", "table": table, "column": column}]) + "\n"


# The commands that need the name, and the files that hold it.
PLACES = {
    "an alias": (["run", "build", "compile", "show orders", "why orders"], {ORDERS: configured(alias=LONG)}),
    "a schema": (["run", "build", "compile", "show orders", "why orders"], {ORDERS: configured(schema=LONG)}),
    "a target": (["run", "build", "compile"], {ORDERS: f"create table {LONG} as select 1 as id\n"}),
    "a unique key": (["run", "build"], {ORDERS: configured(materialized="incremental", unique_key=LONG)}),
    "a column of a snapshot": (
        ["run", "build"],
        {ORDERS: configured(materialized="snapshot", unique_key="id", strategy="timestamp", updated_at=LONG)},
    ),
    "a source": (
        ["run", "build", "compile"],
        {
            ORDERS: "select *\nfrom {{ source('theirs', 'them') }}",
            "sources.yml": f"theirs: {{them: {{identifier: {LONG}}}}}",
        },
    ),
    "a source of a Python model": (
        ["run", "build"],
        {
            "models/last.ff.py": PYTHON.format("source('theirs', 'them')"),
            "sources.yml": f"theirs: {{them: {{identifier: {LONG}}}}}",
        },
    ),
    "an ephemeral model": (
        ["run", "build", "compile"],
        {
            f"models/{'e' * 245}.ff.sql": configured(materialized="ephemeral"),
            ORDERS: f"select * from {{{{ ref('{'e' * 245}') }}}}",
        },
    ),
    "a tested column": (["test", "build"], {"project.yml": check("first", LONG)}),
    "a tested table": (["test", "build"], {"project.yml": check(LONG, "id")}),
}


def write(root, profile, content):
    always = {
        "project.yml": "name: shop\n",
        "profiles.yml": f"default: {profile}\n",
        "models/first.ff.sql": "select 1 as id",
        "seeds/people.csv": "id\n1\n",
    }
    for name, text in {**always, **content}.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")


@pytest.fixture
def refusal(tmp_path, monkeypatch, capsys):
    """Return what a command says that refuses a name."""
    monkeypatch.chdir(tmp_path)

    def said(command):
        assert main(command.split()) == 1
        err = capsys.readouterr().err
        assert len(err.splitlines()) <= 15
        assert len(err.splitlines()) >= 2
        return err

    return said


@pytest.mark.parametrize(
    ("command", "place"), [(command, place) for place, (commands, _) in PLACES.items() for command in commands]
)
def test_a_name_is_refused_before_the_target_is_opened(command, place, refusal, tmp_path):
    content = PLACES[place][1]
    write(tmp_path, SQLITE, content)
    said = refusal(command)
    assert "characters; sqlite allows 255" in said
    assert any(f"{file}:" in said for file in content)
    assert not (tmp_path / "data.sqlite").exists()


def test_the_line_that_reads_a_source_is_told(refusal, tmp_path):
    write(tmp_path, SQLITE, PLACES["a source"][1])
    assert f"{ORDERS}:2: " in refusal("run")


def test_what_is_not_selected_is_not_refused(tmp_path, monkeypatch):
    write(tmp_path, SQLITE, PLACES["an alias"][1] | PLACES["a tested table"][1])
    monkeypatch.chdir(tmp_path)
    for command in ("run --select first", "build --select first --select people", "seed", "compile --exclude orders"):
        assert main([*command.split(), "-q"]) == 0


def test_a_name_that_only_another_engine_is_told_is_not_refused(tmp_path, monkeypatch):
    text = "select 1 as id{% if target.engine == 'bigquery' %} from {{ source('theirs', 'them') }}{% endif %}"
    write(tmp_path, SQLITE, {ORDERS: text, "sources.yml": PLACES["a source"][1]["sources.yml"]})
    monkeypatch.chdir(tmp_path)
    assert main(["run", "-q"]) == 0


# None of these targets can be reached: who is refused did not try.
ENGINES = {
    "duckdb": ("{path: /nowhere/at/all.duckdb}", {ORDERS: configured(alias=LONG)}),
    "postgres": ("{dsn: 'postgresql://localhost:1/none'}", {f"models/{'o' * 70}.ff.sql": "select 1 as id"}),
    "bigquery": (
        "{dataset: d, project: p, anonymous: true, endpoint: 'http://localhost:1'}",
        {"models/o$r.ff.sql": "select 1 as id"},
    ),
    "databricks_spark": ("{remote: 'sc://localhost:1'}", {"models/two words.ff.sql": "select 1 as id"}),
    "snowflake_snowpark": (
        "{account: a, user: u, password: p, database: d, host: localhost, port: 1}",
        {ORDERS: configured(schema=LONG)},
    ),
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("command", ["run", "build"])
def test_every_engine_s_names_are_refused_before_it_is_reached(engine, command, refusal, tmp_path):
    settings, content = ENGINES[engine]
    write(tmp_path, f"{{engine: {engine}, {engine}: {settings}}}", content)
    said = refusal(command)
    assert [file for file in content if f"{file}: " in said], said


def test_a_seed_s_name_is_refused_before_postgresql_is_reached(refusal, tmp_path):
    name = f"seeds/{'s' * 70}.csv"
    write(tmp_path, f"{{engine: postgres, postgres: {ENGINES['postgres'][0]}}}", {name: "id\n1\n"})
    for command in ("seed", "build"):
        assert f"{name}: The name 'sss" in refusal(command)
