"""Seed files: CSV and Parquet, by COPY.

A CSV file is copied into a table of texts and cast column by column on the server. Types are chosen from every value,
and only where the cast loses nothing: `00712`, `+49` and integers beyond 64 bits stay text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from flowforge_domain.dialect import quote_name, quote_text
from flowforge_domain.errors import ErrorKind
from flowforge_domain.materialize import create_head
from flowforge_domain.model import Seed
from flowforge_domain.seed_csv import CsvText, read_csv, require_all_rows, utf8_chunks
from flowforge_domain.seed_survey import Ladders, TextTests, column_types, survey
from flowforge_domain.seed_text import blamed_on_file, no_parquet, require_ascii
from flowforge_domain.seed_types import (
    DAY,
    NUMBER,
    ROUNDED,
    STRICT_CLOCK,
    TRUTH,
    WHOLE,
    TextFit,
    cast_fit,
    declared_fits,
)
from flowforge_ports.failpoint import failpoint
from flowforge_ports.seed_files import seed_file
from flowforge_postgres.catalog import PostgresReplacer
from flowforge_postgres.dialect import POSTGRES
from flowforge_postgres.session import PostgresSession, atomic

_STAGING = "_flowforge_seed"
_SAMPLE = 2_000
_INPUT_IS_VALID = 160_000
_BATCH = 1 << 16
_OF_THE_FILE = (ErrorKind.DATA, ErrorKind.SYNTAX, ErrorKind.DEPENDENTS)
# PostgreSQL selects at most 1,664 expressions.
_ASKED = 1_500
_EXACT_IN_DOUBLE = (
    r"case when {c} ~ '^-?\d+$' then length({c}) < 16 or abs({c}::numeric) <= 9007199254740992 else true end"
    f" and (length({{c}}) < 17 or {{c}} !~ '^{ROUNDED}$')"
)
# From the narrowest on: a column gets the first type that fits all of its values.
_LADDER = (
    TextFit("boolean", TRUTH),
    TextFit("bigint", WHOLE),
    TextFit("double precision", NUMBER, _EXACT_IN_DOUBLE),
    TextFit("date", DAY),
    TextFit("timestamp", f"{DAY}([ T]{STRICT_CLOCK})?"),
    TextFit("timestamptz", rf"{DAY}[ T]{STRICT_CLOCK}(Z|[+-]\d\d(:?\d\d)?)"),
    TextFit("time", STRICT_CLOCK),
    TextFit("text"),
)
_TESTS = TextTests(
    POSTGRES,
    matches="{c} ~ {pattern}",
    casts="pg_input_is_valid({c}, '{type}')",
    misfit="min({c}) filter (where not ({fits}))",
    whole="^({})$",
)
_INTEGER = r"(small|big)?int(eger|[248])?"
# What a declared type may look like; only this is ever written into a statement.
_DECLARED = re.compile(r"[A-Za-z_][\w ]*(\(\s*\d+(\s*,\s*\d+)?\s*\))?( with(out)? time zone)?( *\[\])?", re.ASCII)
# Before PostgreSQL 16 a cast can only be tried where its failure is caught.
_TRIED = "pg_temp.flowforge_is_valid({c}, '{type}')"
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
        text = read_csv(seed, seed_file(seed.path), _SAMPLE)
        require_ascii(seed, text.delimiter, text.quote)
        declared = self._declared(seed, text.columns)
        for column in text.columns:
            quote_name(column, POSTGRES)
        with blamed_on_file(seed, *_OF_THE_FILE), atomic(self.session):
            self._stage(text)
            types = column_types(text, declared, _LADDER, partial(self._scan, text))
            casts = ", ".join(
                f"cast(c{i} as {types[c]}) as {quote_name(c, POSTGRES)}" for i, c in enumerate(text.columns)
            )
            with self.replacer.replacing(relation, "table") as into:
                head = create_head("table", into, POSTGRES)
                rows = self.session.execute(f"{head} as select {casts} from pg_temp.{_STAGING}")
            self.session.execute(f"drop table pg_temp.{_STAGING}")
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
        require_all_rows(text, copied)

    def _parquet(self, seed: Seed, relation: str) -> int:
        import pyarrow as pa
        from pyarrow import parquet

        from flowforge_postgres.frames import store

        try:
            with (
                blamed_on_file(seed, *_OF_THE_FILE),
                parquet.ParquetFile(seed.path) as file,
                self.replacer.replacing(relation, "table") as into,
            ):
                declared = self._declared(seed, file.schema_arrow.names)
                types = {column: fit.type for column, fit in declared.items()}
                return store(self.session, into, file.schema_arrow, file.iter_batches(_BATCH), types)
        except (pa.ArrowException, OSError) as error:
            raise no_parquet(seed, error) from error

    def _declared(self, seed: Seed, columns: Sequence[str]) -> dict[str, TextFit]:
        known = "bigint, double precision, numeric(18, 2), text, date or timestamp"
        return declared_fits(seed, columns, self._fit, "PostgreSQL", known)

    def _fit(self, wanted: str) -> TextFit | None:
        """Return a declared type as it is written into statements, None when there is none of that name."""
        types: Mapping[str, str] = POSTGRES.types  # type: ignore[assignment]
        kind = types.get(wanted.strip().casefold(), wanted.strip())
        if not _DECLARED.fullmatch(kind):
            return None
        found = self.session.query(f"select to_regtype({quote_text(kind, POSTGRES)})::text").rows[0][0]
        return None if found is None else _declared_fit(kind)

    def _scan(self, text: CsvText, ladders: Ladders) -> dict[str, list[Any]]:
        def ask(expressions: Sequence[str]) -> Iterator[Any]:
            for start in range(0, len(expressions), _ASKED):
                some = ", ".join(expressions[start : start + _ASKED])
                yield from self.session.query(f"select {some} from pg_temp.{_STAGING}").rows[0]

        tests = _TESTS
        if self.session.connection.info.server_version < _INPUT_IS_VALID:
            self.session.execute(_TRY)
            tests = replace(_TESTS, casts=_TRIED)
        return survey(ladders, {c: f"c{i}" for i, c in enumerate(text.columns)}, tests, ask)


def _declared_fit(kind: str) -> TextFit:
    if kind.casefold() == "date":
        return TextFit(kind, rf"\s*{DAY}\s*")
    return cast_fit(kind, whole=re.fullmatch(_INTEGER, kind, re.IGNORECASE) is not None)
