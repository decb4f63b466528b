"""Seed files: CSV and Parquet, by COPY.

A CSV file is copied into a table of texts and cast column by column on the server. Types are chosen from every value,
and only where the cast loses nothing: `00712`, `+49` and integers beyond 64 bits stay text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from flowforge_domain.dialect import quote_name, quote_text
from flowforge_domain.errors import EngineError, ErrorKind, SeedError
from flowforge_domain.materialize import create_head
from flowforge_domain.model import Seed
from flowforge_domain.seed_csv import CsvText, line_of, read_csv, utf8_chunks
from flowforge_domain.seed_text import require_ascii, seed_error, wrong_value
from flowforge_domain.seed_types import NUMBER, ROUNDED, declared_fits, first_fit, settle_types
from flowforge_ports.failpoint import failpoint
from flowforge_ports.seed_files import seed_file
from flowforge_postgres.catalog import PostgresReplacer
from flowforge_postgres.dialect import POSTGRES
from flowforge_postgres.session import PostgresSession, atomic

_STAGING = "_flowforge_seed"
_SAMPLE = 2_000
_INPUT_IS_VALID = 160_000
_BATCH = 1 << 16
# Of columns at a time: PostgreSQL selects at most 1,664 expressions.
_SURVEYED = 150


@dataclass(frozen=True, slots=True)
class Fit:
    """A type, and the condition under which the text `{c}` loses nothing when it is cast to it."""

    type: str
    condition: str

    def misfit(self, column: str, valid: str) -> str:
        """Return an aggregate that gives a value which does not fit, NULL when all do."""
        if self == _TEXT:
            return "null"
        holds = self.condition.replace("{c}", column)
        kind = quote_text(self.type, POSTGRES)
        return f"min({column}) filter (where not ({holds} and {valid}({column}, {kind})))"


_DAY = r"\d{4}-\d\d-\d\d"
_CLOCK = r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d([.]\d{1,6})?)?"
_EXACT_IN_DOUBLE = (
    r"({c} !~ '^-?\d+$' or length({c}) < 16 or abs({c}::numeric) <= 9007199254740992)"
    f" and (length({{c}}) < 17 or {{c}} !~ '^{ROUNDED}$')"
)
_TEXT = Fit("text", "true")
# From the narrowest on: a column gets the first type that fits all of its values.
_LADDER = (
    Fit("boolean", "lower({c}) in ('true', 'false')"),
    Fit("bigint", r"{c} ~ '^(0|-?[1-9]\d*)$'"),
    Fit("double precision", f"case when {{c}} ~ '^({NUMBER})$' then {_EXACT_IN_DOUBLE} else false end"),
    Fit("date", f"{{c}} ~ '^{_DAY}$'"),
    Fit("timestamp", f"{{c}} ~ '^{_DAY}([ T]{_CLOCK})?$'"),
    Fit("timestamptz", rf"{{c}} ~ '^{_DAY}[ T]{_CLOCK}(Z|[+-]\d\d(:?\d\d)?)$'"),
    Fit("time", f"{{c}} ~ '^{_CLOCK}$'"),
    _TEXT,
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
        return {"csv": self._csv, "parquet": self._parquet}[seed.kind](seed, relation)

    def _csv(self, seed: Seed, relation: str) -> int:
        text = read_csv(seed, seed_file(seed.path))
        require_ascii(seed, text.delimiter, text.quote)
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
                    head = create_head("table", into, POSTGRES)
                    rows = self.session.execute(f"{head} as select {casts} from pg_temp.{_STAGING}")
                self.session.execute(f"drop table pg_temp.{_STAGING}")
        except EngineError as error:
            if refused := _refused(seed, error):
                raise refused from error
            raise
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
            failpoint("seed")
            with cursor.copy(query) as copy:
                for chunk in utf8_chunks(text):
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
            if refused := _refused(seed, error):
                raise refused from error
            raise

    def _declared(self, seed: Seed, columns: Sequence[str]) -> dict[str, Fit]:
        known = "bigint, double precision, numeric(18, 2), text, date or timestamp"
        return declared_fits(seed, columns, self._fit, "PostgreSQL", known)

    def _fit(self, wanted: str) -> Fit | None:
        """Return a declared type as it is written into statements, None when there is none of that name."""
        types: Mapping[str, str] = POSTGRES.types  # type: ignore[assignment]
        kind = types.get(wanted.strip().casefold(), wanted.strip())
        if not _DECLARED.fullmatch(kind):
            return None
        found = self.session.query(f"select to_regtype({quote_text(kind, POSTGRES)})::text").rows[0][0]
        return None if found is None else _declared_fit(kind)

    def _types(self, text: CsvText, declared: Mapping[str, Fit]) -> dict[str, str]:
        def wrong(column: str, value: str, fit: Fit) -> SeedError:
            return wrong_value(text.seed, line_of(text, column, value), column, value, fit.type)

        table = f"pg_temp.{_STAGING}"
        sample = f"(select * from {table} limit {_SAMPLE}) as sample"
        found = self._survey(text, sample, {c: _LADDER for c in text.columns if c not in declared})
        guesses = {c: first_fit(_LADDER, surveyed) for c, surveyed in found.items()}
        settled = settle_types(guesses, declared, _LADDER, partial(self._survey, text, table), wrong)
        return {column: fit.type for column, fit in settled.items()}

    def _survey(self, text: CsvText, source: str, ladders: Mapping[str, Sequence[Fit]]) -> dict[str, list[Any]]:
        """Return for each column the number of its values, and for each fit a value that breaks it or None."""
        valid = self._valid()
        at = {c: f"c{i}" for i, c in enumerate(text.columns)}
        asked = {c: [f"count({at[c]})", *(fit.misfit(at[c], valid) for fit in fits)] for c, fits in ladders.items()}
        columns, found = list(asked), {}
        for start in range(0, len(columns), _SURVEYED):
            some = columns[start : start + _SURVEYED]
            (row,) = self.session.query(f"select {', '.join(e for c in some for e in asked[c])} from {source}").rows
            answers = iter(row)
            found.update({c: [next(answers) for _ in asked[c]] for c in some})
        return found

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


def _refused(seed: Seed, error: EngineError) -> SeedError | None:
    """Return an error about the file as one of the seed, None for one of the server."""
    if error.kind in {ErrorKind.DATA, ErrorKind.SYNTAX, ErrorKind.DEPENDENTS}:
        return seed_error(seed, error.message[:300], hint=error.hint or "Correct the file, or load it as SQL.")
    return None
