"""What DuckDB says, in FlowForge's words, with the place in the statement."""

from __future__ import annotations

import duckdb
import pytest

from flowforge_domain.errors import EngineError, ErrorKind
from flowforge_duckdb.errors import translated

LONG = ", ".join(f"a as column_number_{i}" for i in range(60))


@pytest.fixture
def failure(engine):
    """Run a statement that fails and return its error."""
    engine.session.execute("create table users (a int, name varchar)")
    engine.session.execute("create table keyed (id int primary key, amount decimal(4, 1) not null)")

    def run(sql):
        with pytest.raises(EngineError) as caught:
            engine.session.execute(sql)
        assert isinstance(caught.value.__cause__, duckdb.Error)
        return caught.value

    return run


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("select * from nowhere", ErrorKind.MISSING_RELATION),
        ("select * from nowhere.users", ErrorKind.MISSING_RELATION),
        ("create table nowhere.t (a int)", ErrorKind.MISSING_RELATION),
        ("drop table nowhere", ErrorKind.MISSING_RELATION),
        ("select u.a from users as v", ErrorKind.MISSING_RELATION),
        ("select b from users", ErrorKind.MISSING_COLUMN),
        ("select b", ErrorKind.MISSING_COLUMN),
        ("select * exclude (b) from users", ErrorKind.MISSING_COLUMN),
        ("insert into users (b) values (1)", ErrorKind.MISSING_COLUMN),
        ("update users set b = 1", ErrorKind.MISSING_COLUMN),
        ("selec 1", ErrorKind.SYNTAX),
        ("select 1 from", ErrorKind.SYNTAX),
        ("select 'x'::int", ErrorKind.DATA),
        ("select 2147483647::int + 1::int", ErrorKind.DATA),
        ("select '{'::json", ErrorKind.DATA),
        ("select error('stop')", ErrorKind.DATA),
        ("insert into keyed values (1, 1), (1, 2)", ErrorKind.DATA),
        ("insert into keyed values (1, null)", ErrorKind.DATA),
        ("insert into keyed values (1, 99999)", ErrorKind.DATA),
        ("select no_such_function(a) from users", ErrorKind.UNKNOWN),
        ("create table users (a int)", ErrorKind.UNKNOWN),
        ("select * from read_csv('/no/such.csv')", ErrorKind.UNKNOWN),
        ("commit", ErrorKind.UNKNOWN),
    ],
)
def test_kinds(failure, sql, kind):
    assert failure(sql).kind is kind


@pytest.mark.parametrize(
    ("sql", "line", "column"),
    [
        ("select b from users", 1, 8),
        ("select a,\n  b\nfrom users", 2, 3),
        ("select a,\r\n  b\r\nfrom users", 2, 3),
        ("\tselect\tb\tfrom users", 1, 9),
        ("select 'é😀ü' as x, b from users", 1, 20),
        ("-- é😀\nselect 'é😀' as x,\n\tb from users", 3, 2),
        (f"select {LONG}, b, {LONG} from users", 1, 10 + len(LONG)),
        (f"select a,\n{LONG},\n b, {LONG} from users", 3, 2),
        ('select "B" from users', 1, 8),
        ("select a\nfrom users\nwhere lower(b) = 'x'", 3, 13),
        ("select a from\n\n  nowhere", 3, 3),
        ("select a from main.nowhere", 1, 15),
        ("select a from users\nwhere where", 2, 7),
        ("select 1, cast('x' as int)", 1, 11),
        ("select u.b from users as u", 1, 8),
        ('select a + "main"."users".b from main.users', 1, 12),
        ("select b+a from users", 1, 8),
        ("create table t as\nselect a, b from users", 2, 11),
    ],
)
def test_place_in_the_statement(failure, sql, line, column):
    error = failure(sql)
    assert (error.line, error.column) == (line, column)


def test_place_inside_a_view_is_none_of_ours(engine, failure):
    engine.session.execute("create view v as select a from users")
    engine.session.execute("alter table users drop column a")
    error = failure(f"select * from v where {' and '.join(['name is null'] * 20)}")
    assert (error.kind, error.line, error.column) == (ErrorKind.MISSING_COLUMN, 0, 0)


def test_statement_without_a_place(failure):
    error = failure("select 2147483647::int + 1::int")
    assert (error.line, error.column) == (0, 0)


@pytest.mark.parametrize(
    ("sql", "message", "hint"),
    [
        ("select nme from users", 'Referenced column "nme" not found in FROM clause!', 'Candidate bindings: "name"'),
        ("select * from from", 'syntax error at or near "from"', ""),
        ("select * from userz", "Table with name userz does not exist!", 'Did you mean "users"?'),
        ("select * from nosuch", "Table with name nosuch does not exist!", ""),
        ("select * from pg_tabels", "Table with name pg_tabels does not exist!", 'Did you mean "pg_tables"?'),
        ("insert into users (nam) values (1)", 'Table "users" does not have a column with name "nam"', "Did you mean"),
        ("select error('one\ntwo {\"a\": 1}')", 'one\ntwo {"a": 1}', ""),
    ],
)
def test_message_and_hint_are_duckdbs_without_its_noise(failure, sql, message, hint):
    error = failure(sql)
    assert error.message == message
    assert error.hint.startswith(hint)
    assert bool(error.hint) == bool(hint)


def test_long_lists_of_candidates_are_cut(failure):
    error = failure("select date_trunc(a, a, a) from users")
    assert len(error.hint.splitlines()) <= 6
    assert len(str(error).splitlines()) <= 15


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            duckdb.CatalogException("Catalog Error: Table with name t does not exist!\n\nLINE 1: from t"),
            "Table with name",
        ),
        (duckdb.InvalidInputException('Invalid Input Error: {"a": 1}'), '{"a": 1}'),
        (duckdb.Error("no class"), "no class"),
        (RuntimeError("Error: std::bad_cast"), "Error: std"),
    ],
    ids=["plain", "json-that-is-none", "bare", "runtime"],
)
def test_errors_that_are_plain_text(error, message):
    with pytest.raises(EngineError) as caught, translated("from t"):
        raise error
    assert caught.value.message.startswith(message)
    assert "LINE" not in caught.value.message
    assert caught.value.__cause__ is error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (duckdb.TransactionException("TransactionContext Error: Conflict on update!"), ErrorKind.TRANSIENT),
        (duckdb.TransactionException("Catalog write-write conflict on alter"), ErrorKind.TRANSIENT),
        (duckdb.TransactionException("Failed to commit: PRIMARY KEY constraint violated"), ErrorKind.DATA),
        (duckdb.ConnectionException("Connection already closed!"), ErrorKind.UNREACHABLE),
        (duckdb.OutOfMemoryException("Out of Memory Error: could not allocate"), ErrorKind.UNKNOWN),
    ],
)
def test_kinds_of_what_is_hard_to_provoke(error, kind):
    with pytest.raises(EngineError) as caught, translated():
        raise error
    assert caught.value.kind is kind


def test_what_is_not_duckdbs_passes():
    with pytest.raises(KeyError), translated():
        raise KeyError("a")


def test_a_schema_that_is_called_as_a_database_is_told_with_a_way_out(engine, failure):
    engine.session.execute("create schema memory")
    error = failure("create table memory.t (a int)")
    assert error.message.startswith('Ambiguous reference to catalog or schema "memory"')
    assert "choose another schema, or another file" in error.hint
