"""Seed files, loaded by DuckDB itself: CSV, Parquet and SQL.

A CSV file is read as text and cast column by column. Types are chosen from every value, and only where the cast
loses nothing: `00712`, `+49` and integers beyond 64 bits stay text. Nothing is padded, skipped or rounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from flowforge_domain.ddl import Target, find_target, is_blank, one_statement
from flowforge_domain.dialect import quote_name, quote_relation, quote_text
from flowforge_domain.errors import EngineError, ErrorKind, SeedError, TemplateError
from flowforge_domain.model import Seed
from flowforge_domain.relation import relation_parts, same_relation
from flowforge_domain.text import Location, caret, did_you_mean, line_of
from flowforge_duckdb.csv_text import CsvText, fault, line_of_value, open_csv, seed_error
from flowforge_duckdb.dialect import DUCKDB
from flowforge_duckdb.errors import translated

_INTEGERS = {f"{u}{n}" for u in ("", "U") for n in ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")}
_SAMPLE = 1_000
# Small buffers: with DuckDB's own of 32 MB each, two million rows take twice the memory.
_BUFFER = 4_000_000


@dataclass(frozen=True, slots=True)
class Fit:
    """A type, and what makes a text lose nothing when it is cast to it: a pattern, and a condition on `{c}`."""

    type: str
    pattern: str = ".*"
    condition: str = "true"

    def matches(self, texts: Iterable[str]) -> bool:
        """Tell whether `texts` look like it; only DuckDB knows whether they fit."""
        fits = re.compile(self.pattern, re.ASCII | re.DOTALL).fullmatch
        return all(fits(text) for text in texts)

    def misfit(self, column: str) -> str:
        """Return an aggregate that gives a value which does not fit, NULL when all do."""
        if self == _TEXT:
            return "null"
        fits = f"regexp_full_match({{c}}, {quote_text(self.pattern, DUCKDB)}, 's') and {self.condition}"
        fits = f"{fits} and try_cast({{c}} as {self.type}) is not null"
        return f"any_value({{c}}) filter (where not ({fits}))".replace("{c}", column)


_DAY = r"\d{4}-\d\d-\d\d"
_CLOCK = r"\d\d:\d\d(:\d\d([.]\d{1,6})?)?"
_NUMBER = r"-?(0|[1-9]\d*)?([.]\d*)?([eE][+-]\d+)?|-?\d[.]\d+[eE]\d+|[nN][aA][nN]|-?[iI][nN][fF]"
_EXACT_IN_DOUBLE = r"(not regexp_full_match({c}, '-?\d+') or abs(try_cast({c} as double)) < 9007199254740992)"
_TEXT = Fit("VARCHAR")
# From the narrowest on: a column gets the first type that fits all of its values.
_LADDER = (
    Fit("BOOLEAN", "(?i)true|false"),
    Fit("BIGINT", r"0|-?[1-9]\d*"),
    Fit("DOUBLE", _NUMBER, _EXACT_IN_DOUBLE),
    Fit("DATE", _DAY),
    Fit("TIMESTAMP", f"{_DAY}([ T]{_CLOCK})?"),
    Fit("TIMESTAMP WITH TIME ZONE", rf"{_DAY}[ T]{_CLOCK}(Z|[+-]\d\d(:?\d\d)?)"),
    Fit("TIME", _CLOCK),
    _TEXT,
)


@dataclass(frozen=True)
class DuckDBSeeds:
    """Loads seeds through one session."""

    connection: duckdb.DuckDBPyConnection

    def load(self, seed: Seed, relation: str) -> int:
        if not seed.path.is_file():
            raise seed_error(seed, "The seed's file does not exist.", hint=f"Put it at {seed.path}.")
        loaders = {"csv": self._csv, "parquet": self._parquet, "sql": self._sql}
        return loaders[seed.kind](seed, relation)

    def _csv(self, seed: Seed, relation: str) -> int:
        with open_csv(seed) as text:
            try:
                types = self._types(text, self._declared(seed, text.columns))
                casts = ", ".join(f"cast({_q(c)} as {types[c]}) as {_q(c)}" for c in text.columns)
                return self._create(relation, f"select {casts} from {_reader(text)}")
            except EngineError as error:
                _require_a_fault_of_the_file(error)
                raise fault(text) or _refused(seed, error) from error

    def _parquet(self, seed: Seed, relation: str) -> int:
        source = f"read_parquet({_path(seed.path)})"
        try:
            columns = [row[0] for row in self._rows(f"describe select * from {source}")]
            declared = self._declared(seed, columns)
            casts = ", ".join(f"cast({_q(c)} as {fit.type}) as {_q(c)}" for c, fit in declared.items())
            return self._create(relation, f"select * {f'replace ({casts})' if casts else ''} from {source}")
        except EngineError as error:
            _require_a_fault_of_the_file(error)
            raise _refused(seed, error) from error

    def _sql(self, seed: Seed, relation: str) -> int:
        sql, target = _query(seed, relation)
        head = f"create or replace table {quote_relation(relation, DUCKDB)}"
        statement = f"{sql[: target.start]}{head}{sql[target.end :]}" if target else f"{head} as\n{sql}"
        try:
            with translated(statement):
                return _count(self.connection.execute(statement))
        except EngineError as error:
            raise _sql_error(seed, sql, target, error) from error

    def _declared(self, seed: Seed, columns: Sequence[str]) -> dict[str, Fit]:
        declared: dict[str, Fit] = {}
        for column, wanted in seed.options.column_types.items():
            if column not in columns:
                message = f"`column_types` names the column {column!r}, which the file lacks."
                raise seed_error(seed, message, hint=did_you_mean(column, columns))
            try:
                # DuckDB's own spelling of the type: only this is ever written into a statement.
                declared[column] = _declared_fit(str(self.connection.sqltype(wanted)))
            except duckdb.Error as error:
                message = f"{wanted!r}, declared for column {column!r}, is no type of DuckDB."
                hint = "Use one like bigint, double, decimal(18, 2), varchar, date or timestamp."
                raise seed_error(seed, message, hint=hint) from error
        return declared

    def _types(self, text: CsvText, declared: Mapping[str, Fit]) -> dict[str, str]:
        """Return the type of each column: guess from a sample, then hold the guesses against every value."""
        guesses = {**self._guesses(text), **declared}
        found = self._survey(text, {column: [fit] for column, fit in guesses.items()})
        for column, fit in declared.items():
            if (value := found[column][1]) is not None:
                raise _wrong_cell(text, column, value, fit.type)
        wider = {c: _LADDER[_LADDER.index(fit) + 1 :] for c, fit in guesses.items() if found[c][1] is not None}
        for column, (_, *misfits) in self._survey(text, wider).items():
            guesses[column] = wider[column][misfits.index(None)]
        empty = {c: _TEXT for c in text.columns if c not in declared and not found[c][0]}
        return {c: fit.type for c, fit in {**guesses, **empty}.items()}

    def _guesses(self, text: CsvText) -> dict[str, Fit]:
        sample = self._rows(f"select * from {_reader(text)} limit {_SAMPLE}")
        seen = {c: {row[i] for row in sample} - {None} for i, c in enumerate(text.columns)}
        return {c: next(fit for fit in _LADDER if fit.matches(values)) for c, values in seen.items()}

    def _survey(self, text: CsvText, ladders: Mapping[str, Sequence[Fit]]) -> dict[str, list[Any]]:
        """Return for each column the number of its values, and for each fit a value that breaks it or None."""
        asked = {c: [f"count({_q(c)})", *(fit.misfit(_q(c)) for fit in ladder)] for c, ladder in ladders.items()}
        if not asked:
            return {}
        expressions = ", ".join(expression for of_column in asked.values() for expression in of_column)
        (row,) = self._rows(f"select {expressions} from {_reader(text)}")
        answers = iter(row)
        return {c: [next(answers) for _ in of_column] for c, of_column in asked.items()}

    def _create(self, relation: str, query: str) -> int:
        with translated():
            statement = f"create or replace table {quote_relation(relation, DUCKDB)} as {query}"
            return _count(self.connection.execute(statement))

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        with translated():
            return self.connection.execute(query).fetchall()


def _declared_fit(kind: str) -> Fit:
    """Return what a declared type demands beyond DuckDB's cast, which rounds."""
    if kind in _INTEGERS:
        return Fit(kind, r"\s*[+-]?\d+\s*")
    if decimal := re.fullmatch(r"DECIMAL\(\d+,(\d+)\)", kind):
        return Fit(kind, rf"\s*[+-]?\d*([.]\d{{0,{decimal[1]}}}0*)?\s*")
    return Fit(kind)


def _reader(text: CsvText) -> str:
    columns = ", ".join(f"{_t(c)}: 'VARCHAR'" for c in text.columns)
    quote = _t(text.quote)
    return (
        f"read_csv({_path(text.path)}, columns={{{columns}}}, auto_detect=false, header=true, "
        f"delim={_t(text.delimiter)}, quote={quote}, escape={quote}, "
        f"nullstr={_t(text.seed.options.null)}, buffer_size={_BUFFER})"
    )


def _query(seed: Seed, relation: str) -> tuple[str, Target | None]:
    """Return the statement of a SQL seed and, where it is a `create`, its head."""
    try:
        sql = one_statement(seed.path.read_text("utf-8-sig"), seed.file, DUCKDB)
        target = find_target(sql, seed.file, DUCKDB)
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
    return sql, target


def _same_table(written: str, relation: str) -> bool:
    return same_relation(relation_parts(written)[-1]) == same_relation(relation_parts(relation)[-1])


def _sql_error(seed: Seed, sql: str, target: Target | None, error: EngineError) -> SeedError:
    """Point into the file: the head that was put before or into its text moved lines or columns."""
    line, column = error.line, error.column
    if target is None:
        line = max(line - 1, 0)
    elif line == line_of(sql, target.end):
        column = 0
    where = Location(seed.file or str(seed.path), line)
    return SeedError(error.message, where=where, hint=error.hint, snippet=caret(sql, line, column))


def _wrong_cell(text: CsvText, column: str, value: str, kind: str) -> SeedError:
    shown = value if len(value) <= 60 else f"{value[:60]}…"
    line = line_of_value(text, column, value)
    hint = "Correct the value, or declare another type under `column_types`."
    return seed_error(text.seed, f"Column {column!r} holds {shown!r}, which is no {kind}.", line, hint)


def _require_a_fault_of_the_file(error: EngineError) -> None:
    """Let pass what is wrong with the statement, the session or the target."""
    if error.kind not in {ErrorKind.DATA, ErrorKind.UNKNOWN}:
        raise error


def _refused(seed: Seed, error: EngineError) -> SeedError:
    said = [line for line in error.message.splitlines() if not line.startswith(("CSV Error on", "Original Line"))]
    return seed_error(seed, " ".join(said)[:300], hint="Correct the file, or load it as SQL.")


def _count(result: duckdb.DuckDBPyConnection) -> int:
    return int(result.fetchall()[0][0])


def _q(name: str) -> str:
    return quote_name(name, DUCKDB)


def _t(value: str) -> str:
    return quote_text(value, DUCKDB)


def _path(path: Path) -> str:
    """Return a path as a literal that no character of makes a pattern."""
    return _t(re.sub(r"([*?[])", r"[\1]", str(path)))
