"""R7 on PostgreSQL: malformed input that reaches the server ends with one message, and leaves nothing in the database.

FUZZ_SEED and FUZZ_COUNT choose other inputs; those that once went wrong are in `fuzz/regressions`, for ever.
"""

from __future__ import annotations

import shutil
from itertools import islice

import postgres_server
import psycopg
import pytest
from counts import POSTGRES_INPUTS
from fuzz.cases import cases
from fuzz.ground import files, fingerprints, write
from fuzz.judge import complaints, left_behind, reported
from fuzz.known import known
from psycopg.conninfo import conninfo_to_dict
from test_fuzz import SEED
from warm import Command, Ended

PARTS = 4
# With its first value pyarrow reserves a gigabyte of addresses, which the limit counts; what is used, the judge sees.
MEGABYTES = 2 * 1024
# The database that inputs are tried on, and the one of the same content that nobody touches.
SHOP, KEPT = "shop", "shop_kept"
OBJECTS = """
select format('%I.%I', nspname, relname), c.oid::text, relkind in ('r', 'p', 'm')
from pg_class c join pg_namespace n on n.oid = relnamespace
where relkind not in ('i', 't') and nspname !~ '^pg_(catalog|toast)' and nspname <> 'information_schema'
union all
select 'function ' || p.oid::regprocedure, md5(prosrc), false
from pg_proc p join pg_namespace n on n.oid = pronamespace where nspname not in ('pg_catalog', 'information_schema')
"""
ROWS = "select '{0}', md5(coalesce(string_agg(t::text, ',' order by t::text), '')) from {0} t"


def copied(database, to):
    postgres_server.run(f"drop database if exists {to} with (force)")
    postgres_server.run(f"create database {to} template {database} strategy file_copy")


def relations():
    """Return what each relation of the database is: the same object, with the same rows."""
    with psycopg.connect(postgres_server.server().get_uri(database=SHOP), autocommit=True) as connection:
        found = connection.execute(OBJECTS).fetchall()
        asked = " union all ".join(ROWS.format(name) for name, _, has_rows in found if has_rows)
        rows = dict(connection.execute(asked).fetchall()) if asked else {}
    return {name: f"{identity} {rows.get(name, '')}" for name, identity, _ in found}


@pytest.fixture(scope="module")
def flowforge(flowforge):
    return flowforge.within(MEGABYTES)


@pytest.fixture(scope="module")
def environment():
    """The variables that say where the database is, so that no file of the project does."""
    copied("template1", SHOP)
    said = conninfo_to_dict(postgres_server.server().get_uri())
    yield {"PGHOST": said["host"], "PGUSER": said["user"], "PGDATABASE": SHOP}
    for name in (SHOP, KEPT):
        postgres_server.run(f"drop database if exists {name} with (force)")


@pytest.fixture(scope="module")
def ground(flowforge, environment, tmp_path_factory):
    """The project as it should be, seeded and run; all that its commands left behind is what they know of its files."""
    root = tmp_path_factory.mktemp("ground") / "shop"
    write(root, files("postgres"))
    for command in ("seed", "run", "test"):
        (ended,) = flowforge.run_all([Command([command], root, environment)])
        assert ended.code == 0, ended.said
    copied(SHOP, KEPT)
    for folder in (root / ".flowforge").iterdir():
        if folder.name != "cache":
            shutil.rmtree(folder) if folder.is_dir() else folder.unlink()
    return root


@pytest.fixture
def tried(flowforge, ground, environment, tmp_path):
    """Try one input, put the database back, and return how it ended, what is wrong with that, and in which folder."""
    was = relations()

    def tried(case, number=0, mutated=None):
        root = shutil.copytree(ground, tmp_path / str(number) / "shop")
        write(root, case.changed)
        before = fingerprints(root)
        (ended,) = flowforge.run_all([Command(case.arguments, root, environment | case.environment)], seconds=20)
        now = relations()
        named = case.mutated if mutated is None else mutated
        wrong = [*complaints(ended, before, fingerprints(root), named), *left_behind(ended, was, now)]
        if now != was:
            copied(KEPT, SHOP)
        return ended, wrong, root

    return tried


@pytest.mark.parametrize("part", range(PARTS))
def test_malformed_inputs_are_refused_in_one_message(part, tried, record_property):
    inputs = enumerate(cases(SEED, files("postgres"), "postgres"))
    opening = ((number, case) for number, case in inputs if case.opens_an_engine)
    chosen = list(islice(opening, part, POSTGRES_INPUTS, PARTS))
    record_property("seed", SEED)
    record_property("trials", len(chosen))
    found = []
    for number, case in chosen:
        ended, wrong, root = tried(case, number)
        if wrong:
            found.append(reported(root, SEED, number, wrong, ended, case.arguments))
        else:
            shutil.rmtree(root.parent)
    assert not found, "\n\n".join([f"{len(found)} of {len(chosen)} went wrong", *found[:20]])


@pytest.mark.parametrize("once", known("postgres"), ids=lambda once: once.name)
def test_what_once_went_wrong_does_not_again(once, tried):
    ended, wrong, _ = tried(once.case, mutated=once.mutated)
    assert ended.code == once.code, ended.said
    assert once.says in ended.said
    assert wrong == []


@pytest.mark.usefixtures("ground")
@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("delete from users where id = 2", "public.users"),
        ("drop table mart", "public.mart"),
        ("create table more as select 1 as a", "public.more"),
        ("create table _flowforge_seed (a int)", "public._flowforge_seed"),
        ("alter table users rename to other; create table users as select * from other", "public.users"),
        ("create function public.f() returns int language sql as 'select 1'", "function f()"),
    ],
)
def test_the_judge_sees_what_a_refused_command_leaves(statement, named):
    before = relations()
    postgres_server.run(statement, postgres_server.server().get_uri(database=SHOP))
    after = relations()
    copied(KEPT, SHOP)
    refused = Ended(1, "", "✗ seeds/s.csv:1: No.\nMend it.\n", 0.1, 100)
    assert named in " ".join(left_behind(refused, before, after))
    assert not list(left_behind(refused, before, relations()))
