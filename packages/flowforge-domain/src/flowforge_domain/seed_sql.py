"""SQL seeds: a file that holds one select, or one `create table … as`, which becomes the seed's table."""

from __future__ import annotations

from dataclasses import dataclass

from flowforge_domain.ddl import Target, find_target, first_line, is_blank, one_statement, require_reading
from flowforge_domain.dialect import Dialect
from flowforge_domain.errors import EngineError, ErrorKind, SeedError, TemplateError
from flowforge_domain.materialize import create_head
from flowforge_domain.model import Seed
from flowforge_domain.relation import relation_parts, same_relation
from flowforge_domain.seed_text import seed_error
from flowforge_domain.text import Location, caret, line_of


@dataclass(frozen=True, slots=True)
class SeedQuery:
    """The statement of a SQL seed and, where it is a `create`, its head."""

    seed: Seed
    sql: str
    target: Target | None


def seed_query(seed: Seed, content: bytes, relation: str, dialect: Dialect) -> SeedQuery:
    """Return what the seed's file says; raise `SeedError` where that cannot become the table `relation`."""
    try:
        sql = content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
        sql = one_statement(sql, seed.file, dialect, "seed")
        target = find_target(sql, seed.file, dialect, "seed")
        require_reading(sql, seed.file, dialect, "seed")
    except TemplateError as error:
        raise SeedError(error.message, where=error.where, hint=error.hint, snippet=error.snippet) from error
    except UnicodeDecodeError as error:
        raise seed_error(seed, "The file is not UTF-8 text.", hint="Save it as UTF-8.") from error
    if is_blank(sql):
        raise seed_error(seed, "The file holds no SQL.", hint="Write one select.")
    if target and (target.kind != "table" or not _same_table(target.relation, relation)):
        line = line_of(sql, target.start)
        message = f"The seed creates the {target.kind} {target.relation}, but it is loaded as table {relation}."
        raise seed_error(seed, message, line, "Name it after its file, or write only the select.")
    return SeedQuery(seed, sql, target)


def create_seed(query: SeedQuery, relation: str, dialect: Dialect) -> str:
    """Return the statement that makes the table `relation` from the seed, whatever name the file gives it."""
    head = create_head("table", relation, dialect)
    if query.target is None:
        return f"{head} as\n{query.sql}"
    return f"{query.sql[: query.target.start]}{head}{query.sql[query.target.end :]}"


def seed_query_error(query: SeedQuery, error: EngineError) -> SeedError:
    """Return an error of `create_seed`'s statement that points into the file, where the head moved lines or columns."""
    line, column = error.line, error.column
    if query.target is None:
        line = max(line - 1, 0)
    elif line == line_of(query.sql, query.target.end):
        column = 0
    if error.kind is ErrorKind.SYNTAX:
        line = line or first_line(query.sql)
    where = Location(query.seed.file or str(query.seed.path), line)
    return SeedError(
        error.message, where=where, hint=error.hint or "Correct the query.", snippet=caret(query.sql, line, column)
    )


def _same_table(written: str, relation: str) -> bool:
    return same_relation(relation_parts(written)[-1]) == same_relation(relation_parts(relation)[-1])
