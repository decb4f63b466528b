"""Seed files: CSV and Parquet by COPY, SQL as it is.

A CSV file is copied into a table of texts and cast column by column on the server. Types are chosen from every value,
and only where the cast loses nothing: `00712`, `+49` and integers beyond 64 bits stay text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flowforge_domain.ddl import Target, find_target, is_blank, one_statement
from flowforge_domain.dialect import quote_name, quote_relation, quote_text
from flowforge_domain.errors import EngineError, ErrorKind, SeedError, TemplateError
from flowforge_domain.materialize import built_as
from flowforge_domain.model import Seed
from flowforge_domain.relation import relation_parts, same_relation
from flowforge_domain.text import Location, caret, did_you_mean, line_of
from flowforge_postgres.catalog import PostgresReplacer
from flowforge_postgres.csv_text import CsvText, chunks, line_of_value, read_csv, seed_error
from flowforge_postgres.dialect import POSTGRES
from flowforge_postgres.session import PostgresSession, atomic

_STAGING = "_flowforge_seed"
_SAMPLE = 2_000
_INPUT_IS_VALID = 160_000
_BATCH = 1 << 16


@dataclass(frozen=True, slots=True)
class Fit:
    """A type, and the condition under which the text `{c}` loses nothing when it is cast to it."""

    type: str
    condition: str

    def misfit(self, column: str, valid: str) -> str:
        """Return an aggregate that gives a value which does not fit, NULL when all do."""
        holds = self.condition.replace("{c}", column)
        kind = quote_text(self.type, POSTGRES)
        return f"min({column}) filter (where not ({holds} and {valid}({column}, {kind})))"


_DAY = r"\d{4}-\d\d-\d\d"
_CLOCK = r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d([.]\d{1,6})?)?"
_NUMBER = r"-?(0|[1-9]\d*)?([.]\d*)?([eE][+-]?\d+)?|[nN][aA][nN]|-?[iI][nN][fF]"
_EXACT_IN_DOUBLE = r"({c} !~ '^-?\d+$' or length({c}) < 16 or abs({c}::numeric) <= 9007199254740992)"
_TEXT = Fit("text", "true")
# From the narrowest on: a column gets the first type that fits all of its values.
_LADDER = (
    Fit("boolean", "lower({c}) in ('true', 'false')"),
    Fit("bigint", r"{c} ~ '^(0|-?[1-9]\d*)$'"),
    Fit("double precision", f"case when {{c}} ~ '^({_NUMBER})$' then {_EXACT_IN_DOUBLE} else false end"),
    Fit("date", f"{{c}} ~ '^{_DAY}$'"),
    Fit("timestamp", f"{{c}} ~ '^{_DAY}([ T]{_CLOCK})?$'"),
    Fit("timestamptz", rf"{{c}} ~ '^{_DAY}[ T]{_CLOCK}(Z|[+-]\d\d(:?\d\d)?)$'"),
    Fit("time", f"{{c}} ~ '^{_CLOCK}$'"),
)
# What a declared type may look like; only this is ever written into a statement.
_DECLARED = re.compile(r"[A-Za-z_][\w ]*(\(\s*\d+(\s*,\s*\d+)?\s*\))?( with(out)? time zone)?( *\[\])?", re.ASCII)
# Before PostgreSQL 16 a cast can only be tried where its failure is caught.
_TRY = """
create or replace function pg_temp.flowforge_is_valid(value text, kind text) returns boolean language plpgsql as '
begin if value is not null then execute format(''select %L::%s'', value, kind); end if; return true;
exception when others then return false; end'
"""


@dataclass(frozen=True)
class PostgresSeeds:
    """Loads seeds through one session."""

    session: PostgresSession
    replacer: PostgresReplacer

    def load(self, seed: Seed, relation: str) -> int:
        if not seed.path.is_file():
            raise seed_error(seed, "The seed's file does not exist.", hint=f"Put it at {seed.path}.")
        loaders = {"csv": self._csv, "parquet": self._parquet, "sql": self._sql}
        return loaders[seed.kind](seed, relation)

    def _csv(self, seed: Seed, relation: str) -> int:
        text = read_csv(seed)
        declared = self._declared(seed, text.columns)
        for column in text.columns:
            quote_name(column, POSTGRES)
        try:
            with atomic(self.session):
                self._stage(text)
                types = self._types(text, declared)
                casts = ", ".join(
                    f"cast(c{i} as {types[c]}) as {quote_name(c, POSTGRES)}" for i, c in enumerate(text.columns)
                )
                with self.replacer.replacing(relation, "table") as into:
                    rows = self.session.execute(
                        f"create table {quote_relation(into, POSTGRES)} as select {casts} from pg_temp.{_STAGING}"
                    )
                self.session.execute(f"drop table pg_temp.{_STAGING}")
        except EngineError as error:
            raise _refused(seed, error) from error
        return int(rows or 0)

    def _stage(self, text: CsvText) -> None:
        """Copy the file as it is into a table of texts that only this session sees."""
        columns = [f"c{i}" for i in range(len(text.columns))]
        self.session.execute(f"create temp table {_STAGING} ({', '.join(f'{c} text' for c in columns)}) on commit drop")
        signs = {"delimiter": text.delimiter, "quote": text.quote, "null": text.seed.options.null}
        said = ", ".join(f"{name} {quote_text(sign, POSTGRES)}" for name, sign in signs.items())
        forced = f"force_null ({', '.join(columns)})"
        query = f"copy pg_temp.{_STAGING} from stdin (format csv, header true, encoding 'utf8', {said}, {forced})"
        with self.session.reading() as cursor:
            with cursor.copy(query) as copy:
                for chunk in chunks(text):
                    copy.write(chunk)
            copied = cursor.rowcount
        if copied != text.rows:
            raise seed_error(text.seed, f"{text.rows} rows were sent, {copied} arrived.", hint="Quote its values.")

    def _parquet(self, seed: Seed, relation: str) -> int:
        import pyarrow as pa
        from pyarrow import parquet

        from flowforge_postgres.frames import store

        try:
            with parquet.ParquetFile(seed.path) as file, self.replacer.replacing(relation, "table") as into:
                declared = self._declared(seed, file.schema_arrow.names)
                types = {column: fit.type for column, fit in declared.items()}
                return store(self.session, into, file.schema_arrow, file.iter_batches(_BATCH), types)
        except (pa.ArrowException, OSError) as error:
            reason = str(error).splitlines()[0]
            raise seed_error(seed, f"The file is no Parquet: {reason}", hint="Write it again.") from error
        except EngineError as error:
            raise _refused(seed, error) from error

    def _sql(self, seed: Seed, relation: str) -> int:
        sql, target = _query(seed, relation)
        head = f"create table {quote_relation(relation, POSTGRES)}"
        statement = f"{sql[: target.start]}{head}{sql[target.end :]}" if target else f"{head} as\n{sql}"
        try:
            with self.replacer.replacing(relation, "table") as into:
                return int(self.session.execute(built_as(statement, into, POSTGRES)) or 0)
        except EngineError as error:
            raise _sql_error(seed, sql, target, error) from error

    def _declared(self, seed: Seed, columns: Sequence[str]) -> dict[str, Fit]:
        declared: dict[str, Fit] = {}
        for column, wanted in seed.options.column_types.items():
            if column not in columns:
                message = f"`column_types` names the column {column!r}, which the file lacks."
                raise seed_error(seed, message, hint=did_you_mean(column, columns))
            kind = self._type(wanted)
            if kind is None:
                message = f"{wanted!r}, declared for column {column!r}, is no type of PostgreSQL."
                hint = "Use one like bigint, double precision, numeric(18, 2), text, date or timestamp."
                raise seed_error(seed, message, hint=hint)
            declared[column] = _declared_fit(kind)
        return declared

    def _type(self, wanted: str) -> str | None:
        """Return a declared type as it is written into statements, None when there is none of that name."""
        types: Mapping[str, str] = POSTGRES.types  # type: ignore[assignment]
        kind = types.get(wanted.strip().casefold(), wanted.strip())
        if not _DECLARED.fullmatch(kind):
            return None
        found = self.session.query(f"select to_regtype({quote_text(kind, POSTGRES)})::text").rows[0][0]
        return None if found is None else kind

    def _types(self, text: CsvText, declared: Mapping[str, Fit]) -> dict[str, str]:
        """Return the type of each column: guess from a sample, then hold the guesses against every value."""
        ladders: dict[str, Sequence[Fit]] = {c: _LADDER for c in text.columns if c not in declared}
        sample = self._survey(text, f"(select * from pg_temp.{_STAGING} limit {_SAMPLE}) as sample", ladders)
        guesses = {c: _first(ladder, sample[c]) for c, ladder in ladders.items()}
        table = f"pg_temp.{_STAGING}"
        whole = self._survey(text, table, {c: [fit] for c, fit in {**guesses, **declared}.items()})
        for column, fit in declared.items():
            if (value := whole[column][1]) is not None:
                raise _wrong_cell(text, column, value, fit.type)
        wrong = {c: _after(fit) for c, fit in guesses.items() if whole[c][1] is not None}
        again = self._survey(text, table, wrong)
        guesses |= {c: _first(ladder, again[c]) for c, ladder in wrong.items()}
        empty = {c: _TEXT for c in ladders if not whole[c][0]}
        return {c: fit.type for c, fit in {**guesses, **empty, **declared}.items()}

    def _survey(self, text: CsvText, source: str, ladders: Mapping[str, Sequence[Fit]]) -> dict[str, list[Any]]:
        """Return for each column the number of its values, and for each fit a value that breaks it or None."""
        if not ladders:
            return {}
        valid = self._valid()
        at = {c: f"c{i}" for i, c in enumerate(text.columns)}
        asked = {c: [f"count({at[c]})", *(fit.misfit(at[c], valid) for fit in fits)] for c, fits in ladders.items()}
        (row,) = self.session.query(f"select {', '.join(e for es in asked.values() for e in es)} from {source}").rows
        answers = iter(row)
        return {c: [next(answers) for _ in expressions] for c, expressions in asked.items()}

    def _valid(self) -> str:
        if self.session.connection.info.server_version >= _INPUT_IS_VALID:
            return "pg_input_is_valid"
        self.session.execute(_TRY)
        return "pg_temp.flowforge_is_valid"


def _declared_fit(kind: str) -> Fit:
    said = kind.casefold()
    if re.fullmatch(r"(small|big)?int(eger|[248])?", said):
        return Fit(kind, r"{c} ~ '^\s*[+-]?\d+\s*$'")
    if decimal := re.fullmatch(r"(?:decimal|numeric)\s*\(\s*\d+\s*(?:,\s*(\d+)\s*)?\)", said):
        return Fit(kind, rf"{{c}} ~ '^\s*[+-]?\d*([.]\d{{0,{decimal[1] or 0}}}0*)?\s*$'")
    if said == "date":
        return Fit(kind, rf"{{c}} ~ '^\s*{_DAY}\s*$'")
    return Fit(kind, "true")


def _first(ladder: Sequence[Fit], surveyed: Sequence[Any]) -> Fit:
    return next((fit for fit, misfit in zip(ladder, surveyed[1:], strict=True) if misfit is None), _TEXT)


def _after(fit: Fit) -> Sequence[Fit]:
    return _LADDER[_LADDER.index(fit) + 1 :]


def _query(seed: Seed, relation: str) -> tuple[str, Target | None]:
    """Return the statement of a SQL seed and, where it is a `create`, its head."""
    try:
        sql = one_statement(seed.path.read_text("utf-8-sig"), seed.file, POSTGRES)
        target = find_target(sql, seed.file, POSTGRES)
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
    line = line_of_value(text, text.columns.index(column), value)
    hint = "Correct the value, or declare another type under `column_types`."
    return seed_error(text.seed, f"Column {column!r} holds {shown!r}, which is no {kind}.", line, hint)


def _refused(seed: Seed, error: EngineError) -> EngineError | SeedError:
    """Return an error about the file as one of the seed; one of the server stays what it is."""
    if error.kind in {ErrorKind.DATA, ErrorKind.SYNTAX, ErrorKind.DEPENDENTS}:
        return seed_error(seed, error.message[:300], hint=error.hint or "Correct the file, or load it as SQL.")
    return error
