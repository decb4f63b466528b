"""S3: a hostile name, wherever a project's files can hold one, comes back exactly, or is refused with its file.

Every engine's quoting is tried with the same names by the conformance suite; here they come in by the files of a
project. By day each place is tried with some of them, by night with all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

import counts
import duckdb
import postgres_server
import pytest

from flowforge import Project
from flowforge.errors import FlowForgeError
from flowforge_domain.results import Status
from flowforge_testkit.conformance.names import NAMES

NUMBER = "select 1 as a"


@dataclass(frozen=True)
class Place:
    """Where a name may stand: the files of a project in which it does, and what the name then is a name of.

    `made` is "table", "schema" or "column", or "" for what the target never hears of.
    """

    files: Callable[[str, str], dict[str, str]]
    made: str


def literal(name):
    """Return a text as Jinja and YAML both read it."""
    return json.dumps(name, ensure_ascii=False)


def in_yaml(name):
    """Return a text as YAML reads it: none of its characters by itself, of which some end a line there."""
    return '"' + "".join(f"\\U{ord(character):08x}" for character in name) + '"'


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def sql(model, config, query):
    return {f"models/{model}.ff.sql": f"{{{{ config({config}) }}}}\n{query}" if config else query}


def growing(model, name):
    config = f"materialized='incremental', unique_key={literal(name)}"
    return sql(model, config, f"select 1 as {quoted(name)}")


PLACES = {
    "a file": Place(lambda model, name: sql(name, "", NUMBER), "table"),
    "an alias": Place(lambda model, name: sql(model, f"alias={literal(name)}", NUMBER), "table"),
    "a target": Place(lambda model, name: sql(model, "", f"create table {quoted(name)} as {NUMBER}"), "table"),
    "a schema": Place(lambda model, name: sql(model, f"schema={literal(name)}", NUMBER), "schema"),
    "a unique key": Place(growing, "column"),
    "a tested column": Place(
        lambda model, name: {
            **sql(model, "", f"select 1 as {quoted(name)}"),
            f"models/{model}.yml": f"tests:\n  - {{type: not_null, table: {model}, column: {json.dumps(name)}}}\n",
        },
        "column",
    ),
    "a tag": Place(lambda model, name: sql(model, f"tags=[{literal(name)}]", NUMBER), ""),
    "a variable": Place(lambda model, name: sql(model, "", f"select {{{{ var({literal(name)}, 1) }}}} as a"), ""),
}
SOURCE = Place(
    lambda model, name: {
        **sql(model, "", f"select a from {{{{ source('theirs', {literal(name)}) }}}}"),
        "sources.yml": f"theirs:\n  {in_yaml(name)}: {{}}\n",
    },
    "",
)


class Target:
    """A project's target, and a connection of somebody else to it."""

    def __init__(self, profile, longest, query):
        self.profile, self.longest, self.query = profile, longest, query
        query("create table ff_tripwire as select 42 as a")

    def found(self):
        """Return the tables with their schemas and columns, without those of FlowForge and the tripwire."""
        asked = (
            "select table_schema, table_name, column_name from information_schema.columns "
            "where table_schema not in ('information_schema', 'pg_catalog')"
        )
        assert self.query("select a from ff_tripwire") == [(42,)]
        return {row for row in self.query(asked) if row[1] not in ("_flowforge_state", "ff_tripwire")}


def asked_of_duckdb(path):
    def query(statement):
        with duckdb.connect(str(path)) as connection:
            return connection.execute(statement).fetchall()

    return query


@pytest.fixture(params=["duckdb", "postgres"])
def target(request, tmp_path):
    if request.param == "duckdb":
        path = tmp_path / "names.duckdb"
        yield Target(f"{{engine: duckdb, duckdb: {{path: {path}}}}}", 255, asked_of_duckdb(path))
        return
    dsn = postgres_server.new_database()
    yield Target(f"{{engine: postgres, postgres: {{dsn: '{dsn}'}}}}", 63, lambda said: postgres_server.run(said, dsn))
    postgres_server.drop_database(dsn)


def write(root, profile, content):
    """Write a project; return whether its files can have these names."""
    for name, text in {"project.yml": "name: names\n", "profiles.yml": f"default: {profile}\n", **content}.items():
        try:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")
        except (OSError, ValueError):
            return False
    return True


def refusal(root):
    """Return why a project cannot be loaded or compiled, None where it can; one that cannot is not run either."""
    try:
        with Project.load(root) as project:
            project.compile()
    except FlowForgeError as error:
        with pytest.raises(type(error), match=re.escape(error.message)), Project.load(root) as project:
            project.run()
        return error
    return None


def chosen(place, longest, made):
    """Return the names to try, of two that differ in case only one."""
    # No name is the same as none; a line end within the text of a file is one, however it is written.
    distinct = {name.casefold(): name for name in NAMES if name and "\r" not in name}
    names = list(distinct.values())
    if place == "a file":
        # One that begins with a dot is hidden, and not read.
        names = [name for name in names if "/" not in name and not name.startswith(".")]
    if place == "a schema":
        # DuckDB's own databases: the engine refuses these for schemas, with what to do.
        names = [name for name in names if name not in ("temp", "system", "names")]
    if made == "column":
        # In a user's own SQL PostgreSQL cuts a longer one off.
        names = [name for name in names if len(name.encode()) <= longest]
    return names[:: max(1, len(names) // (counts.NAMES or len(names)))]


def those_not_refused(names, place, target, tmp_path):
    """Return the names that a project can have there; every other is refused with its file and with what to do."""
    held = []
    for number, name in enumerate(names):
        root = tmp_path / "one" / str(number)
        # What would be built before.
        write(root, target.profile, sql("ff_first", "", NUMBER))
        if not write(root, target.profile, place.files("m", name)):
            continue
        if error := refusal(root):
            require_told(error, name)
        else:
            held.append(name)
    assert len(held) > len(names) / 2
    assert target.found() == set()
    return held


def require_told(error, name):
    assert error.where, (name, error)
    assert len(str(error).splitlines()) <= 15
    assert error.hint


@pytest.mark.parametrize("place", PLACES)
def test_a_name_comes_back_or_is_refused_with_its_file(place, target, tmp_path, record_property):
    names = chosen(place, target.longest, PLACES[place].made)
    record_property("trials", len(names))
    held = those_not_refused(names, PLACES[place], target, tmp_path)
    root = tmp_path / "all"
    models = {f"m{number}": name for number, name in enumerate(held)}
    for model, name in models.items():
        write(root, target.profile, PLACES[place].files(model, name))
    with Project.load(root) as project:
        for _ in range(2):
            reserved = refused_by_the_engine(project.run(no_cache=True))
        checks = project.test()
    wrong = [(str(check.check), check.failure, check.error) for check in checks.results if check.failure or check.error]
    assert wrong == []
    assert_made(PLACES[place].made, {m: name for m, name in models.items() if m not in reserved}, target.found())


def test_a_source_of_any_name_is_read_or_refused_with_its_file(target, tmp_path, record_property):
    names = chosen("a source", target.longest, "table")
    record_property("trials", len(names))
    held = dict(enumerate(those_not_refused(names, SOURCE, target, tmp_path)))
    root = tmp_path / "all"
    for number, name in held.items():
        target.query(f"create table {quoted(name)} as select {number} as a")
        write(root, target.profile, SOURCE.files(f"m{number}", name))
    declared = "".join(f"  {in_yaml(name)}: {{}}\n" for name in held.values())
    write(root, target.profile, {"sources.yml": f"theirs:\n{declared}"})
    with Project.load(root) as project:
        report = project.run(no_cache=True)
    assert [str(result.error) for result in report.results if result.error] == []
    every = " union all ".join(f"select {number}, a from m{number}" for number in held)
    assert sorted(target.query(every)) == [(number, number) for number in held]
    # And nothing else has come or gone.
    expected = {*held.values(), *(f"m{number}" for number in held)}
    assert {table for _, table, _ in target.found()} == expected


def test_a_seeds_header_of_any_name_comes_back_or_is_refused_with_its_file(target, tmp_path, record_property):
    # A longer one is refused here too: nobody else has written it.
    names = chosen("a seed's header", 1_000, "column")[:: 1 if counts.NIGHT else 3]
    record_property("trials", len(names))
    held = {}
    for number, name in enumerate(names):
        root = tmp_path / str(number)
        header = quoted(name)
        write(root, target.profile, {f"seeds/s{number}.csv": f"ff_other,{header}\n1,2\n"})
        try:
            with Project.load(root) as project:
                project.seed()
        except FlowForgeError as error:
            require_told(error, name)
        else:
            held[f"s{number}"] = name
    assert len(held) > len(names) / 2
    expected = {(table, column) for table, name in held.items() for column in ("ff_other", name)}
    assert {(table, column) for _, table, column in target.found()} == expected


def refused_by_the_engine(report):
    """Return the models that the engine refused: it may keep names, such as `temp`, for itself. Those are few."""
    failed = {result.name: result.error for result in report.results if result.status is Status.FAILED}
    assert all(error.where and "syntax" not in str(error).casefold() for error in failed.values()), failed
    assert len(failed) <= 0.05 * len(report.results), failed
    return set(failed)


def assert_made(what, models, found):
    """Assert that there is exactly what the names of these models are names of."""
    position = {"schema": 0, "table": 1, "column": 2}.get(what)
    expected = set(models) if position is None else set(models.values())
    assert {row[1 if position is None else position] for row in found} == expected
    assert len(found) == len(models)
