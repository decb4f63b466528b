"""What hangs on a relation outlives its replacement, or the replacement is refused with a list; readers see no gap."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from tempfile import TemporaryFile
from threading import Event
from time import sleep

import postgres_server
import psycopg
import pytest

from flowforge_domain.catalog import kinds
from flowforge_domain.errors import ConfigError, EngineError, ErrorKind
from flowforge_postgres.settings import PostgresProfile
from flowforge_testkit.conformance.ground import build, fails, rows, transaction
from flowforge_testkit.fakes import claim

READER = "ff_reader"


@pytest.fixture
def reader(admin):
    """A role of its own, for the time of the test: roles belong to the server and not to the database."""
    admin(f"do $$ begin if to_regrole('{READER}') is null then create role {READER}; end if; end $$")
    yield READER
    admin(f"drop owned by {READER}")


def test_views_are_made_again_in_their_order(engine):
    build(engine, "ff_t", "select 1 as a")
    build(engine, "ff_v", "select a from ff_t", "view")
    build(engine, "ff_w", "select v.a, t.a as b from ff_v v join ff_t t using (a)", "view")
    build(engine, "ff_t", "select 2 as a, 'x' as b")
    assert rows(engine, "select * from ff_w") == [(2, 2)]
    assert kinds(engine.catalog.relations()) == {"ff_t": "table", "ff_v": "view", "ff_w": "view"}


def test_views_follow_a_column_to_its_new_type(engine):
    build(engine, "ff_t", "select 1 as a")
    build(engine, "ff_v", "select a from ff_t", "view")
    build(engine, "ff_t", "select 'x' as a")
    assert rows(engine, "select a from ff_v") == [("x",)]
    assert engine.catalog.columns("ff_v") == [("a", "text")]


def test_view_of_a_lost_column_refuses_the_build(engine):
    build(engine, "ff_t", "select 1 as a, 2 as b")
    build(engine, "ff_v", "select b from ff_t", "view")
    with pytest.raises(EngineError) as caught:
        build(engine, "ff_t", "select 3 as a")
    assert caught.value.kind is ErrorKind.DEPENDENTS
    assert "view public.ff_v" in caught.value.message
    assert 'drop view "public"."ff_v"' in caught.value.hint
    assert rows(engine, "select a, b from ff_t") == [(1, 2)]
    assert rows(engine, "select b from ff_v") == [(2,)]


def test_views_of_other_schemas_and_with_odd_names_are_made_again(engine, admin):
    build(engine, "ff_t", "select 1 as a")
    admin('create schema "Else where"')
    admin('create view "Else where"."it""s; ""V" with (security_barrier) as select a as "A b" from public.ff_t')
    build(engine, "ff_t", "select 2 as a")
    assert admin('select "A b" from "Else where"."it""s; ""V"') == [(2,)]
    assert admin("select reloptions from pg_class where relname like 'it%'") == [(["security_barrier=true"],)]


def test_view_that_becomes_a_table_keeps_the_views_on_it(engine):
    build(engine, "ff_t", "select 1 as a", "view")
    build(engine, "ff_v", "select a from ff_t", "view")
    build(engine, "ff_t", "select 2 as a")
    build(engine, "ff_t", "select 3 as a", "view")
    assert rows(engine, "select a from ff_v") == [(3,)]


def test_indexes_and_constraints_are_made_again(engine, admin):
    admin("create table ff_kinds (a int primary key)")
    admin("insert into ff_kinds values (1), (2)")
    build(engine, "ff_t", "select 1 as a, 'x' as b, 1.5 as c")
    admin("alter table ff_t add constraint ff_key primary key (a)")
    admin("alter table ff_t add constraint ff_positive check (a > 0)")
    admin("alter table ff_t add foreign key (a) references ff_kinds (a)")
    admin("alter table ff_t alter c set not null")
    admin("alter table ff_t set (fillfactor = 70)")
    admin("""create unique index "odd; ""name" on ff_t (lower(b)) where b <> ''""")
    before = hanging(admin)
    build(engine, "ff_t", "select 2 as a, 'y' as b, 2.5 as c")
    assert hanging(admin) == before
    assert rows(engine, "select a, b from ff_t") == [(2, "y")]


SETTINGS = {
    "unlogged": "alter table ff_t set unlogged",
    "replica identity": "alter table ff_t replica identity full",
    "no replica identity": "alter table ff_t replica identity nothing",
    "replica identity by an index": 'create unique index "ff ""i" on ff_t (a); alter table ff_t alter a set not null; '
    'alter table ff_t replica identity using index "ff ""i"',
    "cluster": 'create index "ff ""i" on ff_t (a); alter table ff_t cluster on "ff ""i"',
    "statistics": 'alter table ff_t alter a set statistics 0, alter "ö ""b" set statistics 250',
    "distinct values": 'alter table ff_t alter "ö ""b" set (n_distinct = -0.5, n_distinct_inherited = 7)',
    "storage": 'alter table ff_t alter "ö ""b" set storage external',
    "comment on an index": "create index ff_i on ff_t (a); comment on index ff_i is 'it''s 100% \\ näive'",
    "comment on a key": "alter table ff_t add constraint ff_key primary key (a); comment on index ff_key is 'index'; "
    "comment on constraint ff_key on ff_t is 'key'",
    "comment on a check": 'alter table ff_t add constraint "ff c" check (a > 0); '
    "comment on constraint \"ff c\" on ff_t is 'above zero'",
}


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)
def test_settings_of_the_table_and_its_columns_survive(engine, admin, setting):
    build(engine, "ff_t", """select 1 as a, 'x' as "ö ""b\"""")
    plain = settings(admin)
    admin(setting)
    before = settings(admin)
    assert before != plain
    for number in (2, 3):
        build(engine, "ff_t", f"""select 'y' as "ö ""b", {number} as a""")
        assert settings(admin) == before
    assert rows(engine, "select a from ff_t") == [(3,)]


def test_settings_of_a_lost_column_go_with_it(engine, admin):
    build(engine, "ff_t", "select 1 as a, 'x' as b")
    plain = settings(admin)
    admin("alter table ff_t alter b set statistics 7, alter b set storage main, alter b set (n_distinct = 3)")
    build(engine, "ff_t", "select 2 as a")
    assert settings(admin) == plain


def test_storage_that_a_new_type_cannot_have_refuses_the_build(engine, admin):
    build(engine, "ff_t", "select 1 as a, 'x' as b")
    admin("alter table ff_t alter b set storage external")
    with pytest.raises(EngineError, match="cannot have a setting of b") as caught:
        build(engine, "ff_t", "select 2 as a, 2 as b")
    assert caught.value.kind is ErrorKind.DEPENDENTS
    assert rows(engine, "select a, b from ff_t") == [(1, "x")]
    admin(caught.value.hint.partition("or drop it: ")[2])
    build(engine, "ff_t", "select 2 as a, 2 as b")
    assert rows(engine, "select a, b from ff_t") == [(2, 2)]


def test_rows_that_break_a_constraint_refuse_the_build(engine, admin):
    build(engine, "ff_t", "select 1 as a")
    admin("alter table ff_t add constraint ff_positive check (a > 0)")
    with pytest.raises(EngineError, match="constraint ff_positive") as caught:
        build(engine, "ff_t", "select -1 as a")
    assert caught.value.kind is ErrorKind.DEPENDENTS
    assert 'alter table "public"."ff_t" drop constraint "ff_positive"' in caught.value.hint
    assert rows(engine, "select a from ff_t") == [(1,)]


def test_index_on_a_lost_column_refuses_the_build(engine, admin):
    build(engine, "ff_t", "select 1 as a, 2 as b")
    admin("create index ff_b on ff_t (b)")
    with pytest.raises(EngineError, match="index ff_b"):
        build(engine, "ff_t", "select 3 as a")
    assert rows(engine, "select a, b from ff_t") == [(1, 2)]


def test_rights_and_comments_survive(engine, admin, reader):
    build(engine, "ff_t", "select 1 as a, 2 as b")
    build(engine, "ff_v", "select a from ff_t", "view")
    admin(f"grant select on ff_t to {reader} with grant option")
    admin(f"grant update (b) on ff_t to {reader}")
    admin("grant select on ff_v to public")
    admin("comment on table ff_t is 'it''s; the \"table\"'")
    admin("comment on column ff_t.b is 'second'")
    admin("comment on view ff_v is 'view'")
    before = rights(admin)
    build(engine, "ff_t", "select 3 as b, 4 as a")
    assert rights(admin) == before
    assert len(before) == 6


def test_rights_on_a_lost_column_go_with_it(engine, admin, reader):
    build(engine, "ff_t", "select 1 as a, 2 as b")
    admin(f"grant update (b) on ff_t to {reader}")
    admin("comment on column ff_t.b is 'second'")
    build(engine, "ff_t", "select 3 as a")
    assert rights(admin) == []


def test_default_rights_do_not_come_back_once_revoked(engine, admin, reader):
    admin(f"alter default privileges grant select on tables to {reader}")
    build(engine, "ff_t", "select 1 as a")
    assert len(rights(admin)) == 1
    admin(f"revoke all on ff_t from {reader}")
    build(engine, "ff_t", "select 2 as a")
    assert rights(admin) == []


def test_owner_survives(engine, admin, reader):
    build(engine, "ff_t", "select 1 as a")
    build(engine, "ff_v", "select a from ff_t", "view")
    admin(f"alter table ff_t owner to {reader}")
    admin(f"alter view ff_v owner to {reader}")
    build(engine, "ff_t", "select 2 as a")
    owners = "select relname, pg_get_userbyid(relowner) from pg_class where relname in ('ff_t', 'ff_v') order by 1"
    assert admin(owners) == [("ff_t", reader), ("ff_v", reader)]


OBSTACLES = {
    "trigger": "create trigger ff_x before insert on ff_t for each row execute function "
    "suppress_redundant_updates_trigger()",
    "policy": "create policy ff_x on ff_t using (true)",
    "row security": "alter table ff_t enable row level security",
    "statistics": "create statistics ff_x on a, b from ff_t",
    "default": "alter table ff_t alter a set default 7",
    "publication": "create publication ff_x for table ff_t",
    "rule": "create rule ff_x as on insert to ff_t do also nothing",
    "sequence": "create sequence ff_x owned by ff_t.a",
    "materialized view": "create materialized view ff_x as select a from ff_t",
    "foreign key": "alter table ff_t add unique (a); create table ff_x (a int references ff_t (a))",
    "function": "create function ff_x() returns bigint begin atomic select count(*) from ff_t; end",
    "child": "create table ff_x () inherits (ff_t)",
    "row type": "create table ff_x (t ff_t)",
}


@pytest.mark.parametrize("obstacle", OBSTACLES.values(), ids=OBSTACLES)
def test_what_cannot_be_carried_over_refuses_the_build_and_is_listed(engine, admin, obstacle):
    build(engine, "ff_t", "select 1 as a, 2 as b")
    admin(obstacle)
    with pytest.raises(EngineError) as caught:
        build(engine, "ff_t", "select 3 as a, 4 as b")
    assert caught.value.kind is ErrorKind.DEPENDENTS
    assert "ff_x" in caught.value.message or "ff_t" in caught.value.message.partition(":")[2], caught.value.message
    assert "cascade" not in str(caught.value).casefold()
    assert rows(engine, "select a, b from ff_t") == [(1, 2)]
    engine.session.rollback()


def test_materialized_view_in_the_place_of_a_model_is_refused(engine, admin):
    admin("create materialized view ff_t as select 1 as a")
    with fails(ErrorKind.DEPENDENTS):
        build(engine, "ff_t", "select 2 as a")
    assert admin("select a from ff_t") == [(1,)]


def test_usual_swap_is_one_round_trip(engine):
    for _ in range(2):
        build(engine, "ff_t", "select 1 as a")
    with TemporaryFile("w+") as told:
        engine.session.connection.pgconn.trace(told.fileno())
        build(engine, "ff_t", "select 2 as a")
        engine.session.connection.pgconn.untrace()
        told.seek(0)
        sent = [line for line in told if "\tQuery\t" in line]
    words = "create table", "drop table", "execute", "commit"
    said = [next(word for word in words if word in line) for line in sent]
    assert said == ["create table", "execute", "drop table", "commit"]


MEANWHILE = {
    "an index": ("create index ff_i on ff_t (a)", "select indexname from pg_indexes where tablename = 'ff_t'", "ff_i"),
    "a comment": ("comment on table ff_t is 'new'", "select obj_description('ff_t'::regclass)", "new"),
    "a view": ("create view ff_v as select a from ff_t", "select a from ff_v", 2),
    "its drop": ("drop table ff_t", "select a from ff_t", 2),
    "another kind": ("drop table ff_t; create view ff_t as select 3 as a", "select a from ff_t", 2),
}


@pytest.mark.parametrize(("done", "asked", "told"), MEANWHILE.values(), ids=MEANWHILE)
def test_what_others_do_right_before_a_swap_is_kept(engine, dsn, admin, done, asked, told):
    build(engine, "ff_t", "select 1 as a")
    with psycopg.connect(dsn) as other, ThreadPoolExecutor(1) as pool:
        # Nobody sees it yet, and it keeps the swap waiting for its lock.
        other.execute(f"lock table ff_t in share update exclusive mode; {done}")
        building = pool.submit(build, engine, "ff_t", "select 2 as a")
        while not admin("select 1 from pg_locks where not granted") and not building.done():
            sleep(0.01)
        assert not building.done()
        other.commit()
        building.result()
    assert rows(engine, "select a from ff_t") == [(2,)]
    assert admin(asked) == [(told,)]


def test_table_that_others_made_during_a_build_is_replaced(engine, admin):
    with transaction(engine), engine.replacer.replacing("ff_t", "table") as into:
        engine.session.execute(f'create table "{into}" as select 2 as a')
        admin("create table ff_t (a int)")
    assert rows(engine, "select a from ff_t") == [(2,)]


def test_model_may_read_what_it_replaces(engine):
    build(engine, "ff_t", "select 1 as a")
    for _ in range(3):
        build(engine, "ff_t", "select a + 1 as a from ff_t")
    assert rows(engine, "select a from ff_t") == [(4,)]


def test_nothing_is_left_beside(engine):
    for sql in ("select 1 as a", "select 2 as a", "select broken"):
        try:
            build(engine, "ff_t", sql)
        except EngineError:
            continue
    assert kinds(engine.catalog.relations()) == {"ff_t": "table"}


def test_long_build_keeps_no_reader_waiting(engine, dsn):
    build(engine, "ff_t", "select 1 as a")
    engine.session.begin()
    with engine.replacer.replacing("ff_t", "table") as into:
        engine.session.execute(f'create table "{into}" as select 2 as a')
        assert postgres_server.run("set statement_timeout = 500; select a from ff_t", dsn) in ([], [(1,)])
    engine.session.commit()


def test_readers_of_table_and_view_see_old_or_new(engine, dsn):
    build(engine, "ff_t", "select 0 as a union all select 0")
    build(engine, "ff_v", "select a from ff_t", "view")
    ended = Event()
    with ThreadPoolExecutor(2) as pool:
        watching = [pool.submit(poll, dsn, name, ended) for name in ("ff_t", "ff_v")]
        try:
            for number in range(40):
                build(engine, "ff_t", f"select {number} as a union all select {number}")
        finally:
            ended.set()
        assert all(each.result() > 0 for each in watching)


def poll(dsn, relation, ended):
    reads = 0
    with psycopg.connect(dsn, autocommit=True) as connection:
        while not ended.is_set():
            found = connection.execute(f"select a from {relation}").fetchall()
            assert len(found) == 2, f"a reader saw {found}"
            assert found[0] == found[1], f"a reader saw rows of two builds: {found}"
            reads += 1
    return reads


def test_names_are_as_written_and_unquoted_ones_are_small(engine):
    build(engine, "Users", "select 1 as a")
    assert rows(engine, 'select a from "Users"') == [(1,)]
    with fails(ErrorKind.MISSING_RELATION):
        engine.session.query("select a from Users")
    build(engine, "users", "select 2 as a")
    assert rows(engine, "select a from Users") == [(2,)]
    assert rows(engine, 'select a from "Users"') == [(1,)]


@pytest.mark.parametrize(("letter", "fits"), [("x", 63), ("ä", 31), ("🦆", 15)])
def test_names_have_63_bytes(engine, letter, fits):
    build(engine, letter * fits, "select 1 as a")
    build(engine, letter * fits, "select 2 as a")
    assert rows(engine, f'select a from "{letter * fits}"') == [(2,)]
    with pytest.raises(ConfigError, match="bytes"):
        build(engine, letter * (fits + 1), "select 1 as a")
    assert len(engine.catalog.relations()) == 1


DOMAINS = {
    "an integer": ("integer", "integer"),
    "bounded": ("numeric(12, 3)", "numeric(12,3)"),
    "a list": ("bigint[]", "bigint[]"),
    "of a domain": ("ff_outer", "numeric(5,2)"),
}


@pytest.mark.parametrize(("base", "told"), DOMAINS.values(), ids=DOMAINS)
def test_a_column_of_a_domain_is_one_of_the_type_it_stands_on(engine, base, told):
    engine.session.execute("create domain ff_inner as numeric(5, 2); create domain ff_outer as ff_inner")
    engine.session.execute(f"create domain ff_d as {base}; create table ff_t (a ff_d, b text)")
    assert engine.catalog.columns("ff_t") == [("a", told), ("b", "text")]


def test_a_frame_holds_the_numbers_of_a_domain(engine):
    engine.session.execute("create domain ff_qty as integer check (value > 0)")
    build(engine, "ff_t", "select a::ff_qty as a from generate_series(1, 3) a")
    assert engine.frames.read("ff_t")["a"].sum() == 6


def test_schema_that_exists_needs_no_right_to_create_one(engine, dsn, admin, tmp_path):
    from flowforge_postgres.engine import open_engine

    admin("do $$ begin if to_regrole('ff_writer') is null then create role ff_writer login; end if; end $$")
    try:
        admin("create schema stage authorization ff_writer")
        modest = dsn.replace("postgres:@", "ff_writer@")
        assert modest != dsn
        profile = {"engine": "postgres", "postgres": {"dsn": modest, "db_schema": "stage"}}
        opened = open_engine(PostgresProfile.model_validate(profile), tmp_path, claim())
        build(opened, "stage.ff_t", "select 1 as a")
        build(opened, "ff_t", "select 2 as a")
        assert kinds(opened.catalog.relations()) == {"ff_t": "table"}
        with fails(ErrorKind.PERMISSION):
            build(opened, "elsewhere.ff_t", "select 1 as a")
        opened.session.close()
    finally:
        admin("drop owned by ff_writer")


def test_profile_schema_is_made_and_searched(dsn, admin, tmp_path):
    from flowforge_postgres.engine import open_engine

    settings = {"dsn": dsn, "db_schema": 'My "stage"; --'}
    opened = open_engine(
        PostgresProfile.model_validate({"engine": "postgres", "postgres": settings}), tmp_path, claim()
    )
    build(opened, "ff_t", "select 1 as a")
    with transaction(opened):
        opened.frames.write("ff_t", opened.frames.read("ff_t"))
    assert kinds(opened.catalog.relations()) == {"ff_t": "table"}
    assert admin('select a from "My ""stage""; --".ff_t') == [(1,)]
    opened.session.close()


def hanging(admin):
    return (
        admin("select indexdef from pg_indexes where tablename = 'ff_t' order by 1")
        + admin(
            "select conname, pg_get_constraintdef(oid) from pg_constraint where conrelid = 'ff_t'::regclass "
            "and contype <> 'n' order by 1"
        )
        + admin("select attname from pg_attribute where attrelid = 'ff_t'::regclass and attnotnull and attnum > 0")
        + admin("select reloptions from pg_class where oid = 'ff_t'::regclass")
    )


def settings(admin):
    """Return what `alter table` and `comment` have said of a table, its columns, indexes and constraints."""
    return (
        admin("select relpersistence, relreplident from pg_class where oid = 'ff_t'::regclass")
        + admin(
            "select attname, coalesce(attstattarget, -1), attstorage, attoptions from pg_attribute where attrelid = "
            "'ff_t'::regclass and attnum > 0 and (attstattarget >= 0 or attoptions is not null or attstorage not in "
            "('p', 'x')) order by 1"
        )
        + admin(
            "select indexrelid::regclass::text, indisreplident, indisclustered, obj_description(indexrelid, "
            "'pg_class') from pg_index where indrelid = 'ff_t'::regclass order by 1"
        )
        + admin(
            "select conname, obj_description(oid, 'pg_constraint') from pg_constraint "
            "where conrelid = 'ff_t'::regclass order by 1"
        )
    )


def rights(admin):
    return admin(
        """
        select c.relname, '', g.grantee::regrole::text, g.privilege_type, g.is_grantable
        from pg_class c, aclexplode(c.relacl) g where c.relname in ('ff_t', 'ff_v') and g.grantee <> c.relowner
        union all
        select c.relname, a.attname, g.grantee::regrole::text, g.privilege_type, g.is_grantable
        from pg_class c join pg_attribute a on a.attrelid = c.oid, aclexplode(a.attacl) g where c.relname = 'ff_t'
        union all
        select c.relname, coalesce(a.attname, ''), d.description, '', true
        from pg_description d join pg_class c on c.oid = d.objoid and c.relname in ('ff_t', 'ff_v')
        left join pg_attribute a on a.attrelid = c.oid and a.attnum = d.objsubid and d.objsubid > 0
        order by 1, 2, 3, 4
        """
    )
