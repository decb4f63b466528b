"""What is Snowflake's own: what it commits by itself, names that fold up, the lease, tags, and what opening costs."""

from __future__ import annotations

import subprocess
import sys
import threading
from dataclasses import replace

import pytest
import snowflake.connector
import snowflake_server

from flowforge_domain.catalog import kinds
from flowforge_domain.dialect import known_name, quote_name
from flowforge_domain.errors import EngineError, ErrorKind
from flowforge_domain.results import Rows
from flowforge_snowflake.dialect import SNOWFLAKE
from flowforge_snowflake.engine import open_engine
from flowforge_snowflake.lock import SnowflakeLock
from flowforge_snowflake.session import SnowflakeSession
from flowforge_snowflake.settings import SnowflakeSnowparkProfile
from flowforge_testkit.conformance.ground import build, fails, forked, rows
from flowforge_testkit.fakes import claim


def opened(settings, tmp_path, **other):
    given = {"engine": "snowflake_snowpark", "snowflake_snowpark": {**settings, **other}}
    return open_engine(SnowflakeSnowparkProfile.model_validate(given), tmp_path, claim())


@pytest.mark.parametrize(
    ("name", "quoted", "known"),
    [
        ("users", '"USERS"', "users"),
        ("USERS", '"USERS"', "users"),
        ("Users", '"Users"', "Users"),
        ("two words", '"two words"', "two words"),
        ('say "so"', '"say ""so"""', 'say "so"'),
        ("1st", '"1st"', "1st"),
        ("straße", '"straße"', "straße"),
        ("a$1", '"A$1"', "a$1"),
    ],
)
def test_a_plain_word_folds_up_and_comes_back(name, quoted, known):
    assert quote_name(name, SNOWFLAKE) == quoted
    assert known_name(quoted[1:-1].replace('""', '"'), SNOWFLAKE) == known


def test_opening_connects_to_nothing(tmp_path):
    engine = opened(snowflake_server.settings(), tmp_path, port=1)
    engine.session.label({"project": "p"})
    engine.session.rollback()
    engine.session.close()


def test_schema_of_the_profile_is_made(settings, tmp_path):
    engine = opened(settings, tmp_path, db_schema="fresh")
    build(engine, "ff_t", "select 1 as a")
    assert kinds(engine.catalog.relations()) == {"ff_t": "table"}
    assert snowflake_server.run("select a from fresh.ff_t", settings["database"]) == [(1,)]
    engine.session.close()


def test_parameters_that_flowforge_goes_by_are_set_whatever_the_account_says(settings, tmp_path, monkeypatch):
    given, connect = {}, snowflake.connector.connect

    def spied(**named):
        # A copy: the connector writes into it what the server answers.
        given.update(named["session_parameters"])
        return connect(**named)

    monkeypatch.setattr(snowflake.connector, "connect", spied)
    engine = opened(settings, tmp_path)
    assert rows(engine, "select 1") == [(1,)]
    engine.session.close()
    ours = {"TIMEZONE": "UTC", "AUTOCOMMIT": True, "QUOTED_IDENTIFIERS_IGNORE_CASE": False, "DATE_INPUT_FORMAT": "AUTO"}
    assert ours.items() <= given.items()


def test_parameters_that_others_set_are_part_of_the_proof(engine, monkeypatch):
    assert engine.formats() == {}
    told = [
        ("WEEK_START", "1", "0", "ACCOUNT", "", "NUMBER"),
        ("TIMESTAMP_TYPE_MAPPING", "TIMESTAMP_NTZ", "TIMESTAMP_NTZ", "", "", "STRING"),
        ("DATE_OUTPUT_FORMAT", "DD.MM.YYYY", "YYYY-MM-DD", "USER", "", "STRING"),
        ("LOCK_TIMEOUT", "5", "43200", "USER", "", "NUMBER"),
    ]
    columns = ("key", "value", "default", "level", "description", "type")
    monkeypatch.setattr(SnowflakeSession, "query", lambda *_: Rows(columns, told))
    assert engine.formats() == {"WEEK_START": "1", "DATE_OUTPUT_FORMAT": "DD.MM.YYYY"}


def test_the_profiles_schema_has_two_names(engine):
    build(engine, "ff_t", "select 1 as a", "view")
    build(engine, "public.ff_t", "select 2 as a")
    assert kinds(engine.catalog.relations()) == {"ff_t": "table"}


def test_schema_is_entered_as_it_is_written(settings, tmp_path):
    for schema, kept in (("mixed", "MIXED"), ("Mixed", "Mixed"), ("Mixed", "Mixed")):
        engine = opened(settings, tmp_path, db_schema=schema)
        assert rows(engine, "select current_schema()") == [(kept,)]
        engine.session.close()


def test_unquoted_sql_meets_what_flowforge_wrote(engine):
    build(engine, "ff_users", 'select 1 as id, 2 as "Mixed"')
    assert rows(engine, 'select ID, "Mixed" from FF_USERS') == [(1, 2)]
    assert [name for name, _ in engine.catalog.columns("FF_Users".lower())] == ["id", "Mixed"]


def test_create_ends_the_open_transaction(engine):
    build(engine, "ff_t", "select 1 as a")
    with forked(engine) as second:
        engine.session.begin()
        engine.session.execute("insert into ff_t select 2")
        engine.session.execute("create or replace table ff_other as select 1 as a")
        assert rows(second, "select a from ff_t") == [(1,), (2,)]
        engine.session.execute("-- a note\ninsert into ff_t select 3")
        engine.session.rollback()
        assert rows(engine, "select a from ff_t") == [(1,), (2,)]


def test_backslashes_are_texts_own(engine):
    build(engine, "ff_t", r"select 'a\\b' as a, 'it\'s; x' as b")
    assert rows(engine, "select a, b from ff_t") == [("a\\b", "it's; x")]


@pytest.mark.parametrize("copy_grants", [True, False])
def test_keeping_grants_is_optional(settings, tmp_path, copy_grants):
    engine = opened(settings, tmp_path, copy_grants=copy_grants)
    assert engine.dialect.after_name == (" copy grants" if copy_grants else "")
    for value in (1, 2):
        build(engine, "ff_t", f"create or replace table ff_t as select {value} as a")
    assert rows(engine, "select a from ff_t") == [(2,)]
    engine.session.close()


def test_labels_are_the_tag_of_each_statement(settings, tmp_path):
    engine = opened(settings, tmp_path, query_tag="shop")
    engine.session.label({"project": "p", "run": "r", "model": "m"})
    assert engine.session.tags == {"QUERY_TAG": '{"app": "shop", "project": "p", "run": "r", "model": "m"}'}
    assert rows(engine, "select 1 as a") == [(1,)]
    engine.session.close()


def test_no_tag_where_none_is_wanted(settings, tmp_path):
    engine = opened(settings, tmp_path, query_tag="")
    engine.session.label({"project": "p"})
    assert engine.session.tags == {}
    engine.session.close()


@pytest.fixture
def lock(profile, tmp_path):
    return SnowflakeLock(profile.snowflake_snowpark, tmp_path, "target", lease=30)


@pytest.fixture
def change(settings):
    """Change the lease as another session would."""
    return lambda what: snowflake_server.run(f"update _flowforge_lock set {what}", settings["database"])


def test_the_lease_of_who_was_killed_runs_out(lock, change):
    with lock.hold(claim(5)):
        pass
    change("holder = 'killed', ends = dateadd('second', -1, sysdate())")
    with lock.hold(claim(0.1)):
        pass


def test_who_holds_the_lease_is_named(lock, change):
    with lock.hold(claim(5)):
        pass
    change("holder = 'another', ends = dateadd('hour', 1, sysdate())")
    with pytest.raises(EngineError, match="another") as caught, lock.hold(claim(0.1)):
        pytest.fail("two hold the lease")
    assert caught.value.kind is ErrorKind.CONFLICT


def test_a_lease_that_was_lost_is_told_at_the_end(lock, change):
    with pytest.raises(EngineError, match="was lost"), lock.hold(claim(5)):
        change("holder = 'another'")


def test_a_lease_is_renewed_while_it_is_held(lock, settings):
    short = replace(lock, lease=0.3)
    ends = "select ends from _flowforge_lock"
    with short.hold(claim(5)):
        first = snowflake_server.run(ends, settings["database"])
        renewed = threading.Event()
        while snowflake_server.run(ends, settings["database"]) == first:
            assert not renewed.wait(0.05)


def test_closed_session_says_so(engine):
    engine.session.close()
    with fails(ErrorKind.UNREACHABLE):
        engine.session.query("select 1")


def test_an_unreachable_account_is_told_soon(settings, tmp_path):
    engine = opened(settings, tmp_path, port=1, login_timeout=2)
    with fails(ErrorKind.UNREACHABLE):
        engine.session.query("select 1 as a")


def test_a_key_file_that_is_none_is_told_without_its_passphrase(settings, tmp_path):
    (tmp_path / "key.p8").write_text("no key at all")
    engine = opened(settings, tmp_path, private_key_file="key.p8", private_key_passphrase="hunter22")
    with pytest.raises(EngineError, match=r"key\.p8") as caught:
        engine.session.query("select 1 as a")
    assert caught.value.kind is ErrorKind.CREDENTIALS
    assert "hunter22" not in f"{caught.value!r} {caught.value} {caught.value.__cause__!r}"


def test_the_plugin_imports_no_driver():
    code = "import sys, flowforge_snowflake.plugin as p; assert p.SPEC; print([m for m in sys.modules if m in {%s}])"
    drivers = "'snowflake.connector', 'snowflake.snowpark', 'pyarrow', 'pydantic', 'pandas'"
    done = subprocess.run([sys.executable, "-c", code % drivers], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_dialect_of_an_engine_is_the_specs_but_for_the_profile(engine):
    assert replace(engine.dialect, default_schema="", after_name="") == SNOWFLAKE
