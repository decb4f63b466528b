"""What sqlglot says of one statement."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import sqlglot
from sqlglot import Token, TokenType, exp
from sqlglot.errors import SqlglotError

from flowforge_domain.sql_scan import volatile_forms
from flowforge_ports.sql import SqlFacts
from flowforge_sql.tables import makes_rows, table_name
from flowforge_sql.writing import writes

_GRAMMARS = {"databricks_spark": "spark", "snowflake_snowpark": "snowflake", "bigquery+bigframes": "bigquery"}
# In a text they mean a time, and there with a time of day or a zone, as in 'today 10:00'.
_MOMENTS = {"now", "today", "yesterday", "tomorrow"}
_LONGEST_MOMENT = 3
_TEXTS = {TokenType.STRING, TokenType.RAW_STRING, TokenType.NATIONAL_STRING, TokenType.UNICODE_STRING}
_EXACT = _TEXTS | {
    TokenType.IDENTIFIER, TokenType.BIT_STRING, TokenType.BYTE_STRING, TokenType.HEREDOC_STRING, TokenType.HEX_STRING,
}  # fmt: skip
_OPENING = {TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE}
_CLOSING = {TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE}
# Words that also name columns: what they do, they do in another form.
_NAMES = _MOMENTS | {"sample"}


def parsed(sql: str, grammar: str, volatile: frozenset[str]) -> SqlFacts | None:
    """Return the facts of a statement, None where sqlglot does not understand it."""
    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    try:
        dialect = sqlglot.Dialect.get_or_raise(_GRAMMARS.get(grammar, grammar))
        tokens = dialect.tokenize(sql)
        found = dialect.parser().parse(tokens, sql)
        tree = found[0]
        if len(found) != 1 or tree is None or isinstance(tree, exp.Command) or not _closed(tokens):
            return None
        meant = tree.sql(dialect=dialect, comments=False)
        target = _target(tree)
        reads, name = _reads(tree, target), table_name(target) if target else ""
        written = writes(tree)
    except (SqlglotError, ValueError, RecursionError):
        return None
    words = tuple(dict.fromkeys(_volatile(tokens, tree, volatile)))
    normalized = f"{meant}\n{_written(tokens)}"
    return SqlFacts(normalized, words, reads, name, _columns(tree), written)


def _written(tokens: list[Token]) -> str:
    """Return the words in small letters: a column that is given no name has that of its text, `ifnull(a, 0)`.

    To sqlglot that is `coalesce(a, 0)`. Texts and names in quotes stay as they are, which sqlglot may write otherwise.
    """
    words = (token for token in tokens if token.token_type != TokenType.SEMICOLON)
    return " ".join(word.text if word.token_type in _EXACT else _small(word.text) for word in words)


def _small(text: str) -> str:
    """Return a word, or several as in `order by`, in small letters."""
    return " ".join(text.casefold().split())


def _closed(tokens: list[Token]) -> bool:
    """Tell whether all brackets are closed: of functions, sqlglot does not mind one that is missing."""
    depth = 0
    for token in tokens:
        depth += (token.token_type in _OPENING) - (token.token_type in _CLOSING)
        if depth < 0:
            return False
    return not depth


def _target(tree: exp.Expr) -> exp.Table | None:
    if not isinstance(tree, exp.Create | exp.Insert | exp.Merge):
        return None
    made = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    return made if isinstance(made, exp.Table) else None


def _reads(tree: exp.Expr, target: exp.Table | None) -> tuple[str, ...]:
    """Return the tables that are read; the names of `with` queries are none where they stand alone."""
    tables = [table for table in tree.find_all(exp.Table) if table is not target and not makes_rows(table)]
    return tuple(dict.fromkeys(table_name(table) for table in tables if table.db or not _is_query(table)))


def _is_query(table: exp.Table) -> bool:
    """Tell whether a name is that of a query of `with` which counts where it stands."""
    place: exp.Expr | None = table
    own: exp.Expr | None = None
    while place is not None:
        own = place if isinstance(place, exp.CTE) else own
        queries = place.args.get("with_")
        if isinstance(queries, exp.With) and _plain(table.this) in _named(queries, own):
            return True
        place = place.parent
    return False


def _named(queries: exp.With, own: exp.Expr | None) -> set[str]:
    """Return the names of a `with` that the query `own` of it may use: all, or those that stand before it."""
    every = queries.expressions
    last = next((at for at, query in enumerate(every) if query is own), len(every))
    used = every if queries.args.get("recursive") else every[:last]
    return {_plain(query.args["alias"].this) for query in used}


def _plain(name: exp.Expr) -> str:
    """Return what is the same for the same name: in quotes and without them, it may be another one."""
    return f'"{name.name}"' if name.args.get("quoted") else name.name.casefold()


def _volatile(tokens: list[Token], tree: exp.Expr, volatile: frozenset[str]) -> Iterator[str]:
    """Yield the words that count where they stand; of functions the written name, whatever they are to sqlglot."""
    counts = volatile_forms(volatile).fullmatch
    for before, token, after in zip([None, *tokens], tokens, [*tokens[1:], None], strict=False):
        word = token.text.lower()
        if token.token_type in _TEXTS:
            yield from (moment for moment in _moments(word) if counts(moment))
        elif counts(_form(before, token, after)):
            yield word
    if tree.find(exp.TableSample) and counts("sample"):
        yield "sample"


def _form(before: Token | None, token: Token, after: Token | None) -> str:
    """Return a word as a dialect's list has it, "" where it only names something."""
    word, behind = token.text.lower(), before.token_type if before else None
    if after is not None and after.token_type == TokenType.L_PAREN:
        return f"{word}()"
    if behind == TokenType.DOT:
        return f".{word}"
    return "" if token.token_type == TokenType.IDENTIFIER or behind == TokenType.ALIAS or word in _NAMES else word


def _moments(text: str) -> set[str]:
    words = text.split()
    return _MOMENTS.intersection(words) if len(words) <= _LONGEST_MOMENT else set()


def _columns(tree: exp.Expr) -> tuple[str, ...]:
    relations = {table.alias_or_name: table_name(table) for table in tree.find_all(exp.Table)}
    named = ((relations.get(column.table, column.table), column.name) for column in tree.find_all(exp.Column))
    return tuple(dict.fromkeys(f"{table}.{name}" if table else name for table, name in named))
