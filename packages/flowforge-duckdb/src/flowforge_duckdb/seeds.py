"""Seed files, loaded by DuckDB itself: CSV and Parquet.

A CSV file is read as text and cast column by column. Types are chosen from every value, and only where the cast
loses nothing: `00712`, `+49` and integers beyond 64 bits stay text. Nothing is padded, skipped or rounded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from flowforge_domain.dialect import quote_name, quote_text
from flowforge_domain.errors import EngineError, ErrorKind, SeedError
from flowforge_domain.materialize import create_head
from flowforge_domain.model import Seed
from flowforge_domain.seed_survey import TextTests, guesses, survey
from flowforge_domain.seed_text import seed_error, wrong_value
from flowforge_domain.seed_types import (
    CLOCK,
    DAY,
    NUMBER,
    ROUNDED,
    TRUTH,
    WHOLE,
    ZONED,
    TextFit,
    cast_fit,
    declared_fits,
    settle_types,
)
from flowforge_duckdb.connection import utf8_path
from flowforge_duckdb.csv_text import CsvText, fault, line_of, open_csv
from flowforge_duckdb.dialect import DUCKDB
from flowforge_duckdb.errors import translated
from flowforge_ports.failpoint import failpoint

_INTEGERS = {f"{u}{n}" for u in ("", "U") for n in ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")}
_SAMPLE = 1_000
# Decimals that DuckDB has no type for: it makes them doubles, and rounds.
_TOO_WIDE = "select name, precision, scale from parquet_schema({}) where precision > 38"
_WIDE = 100
# Small buffers: with DuckDB's own of 32 MB each, two million rows take twice the memory.
_BUFFER = 4_000_000


_EXACT_IN_DOUBLE = (
    r"(not regexp_full_match({c}, '-?\d+') or abs(try_cast({c} as double)) < 9007199254740992)"
    f" and not regexp_full_match({{c}}, '{ROUNDED}')"
)
# From the narrowest on: a column gets the first type that fits all of its values.
_LADDER = (
    TextFit("BOOLEAN", TRUTH),
    TextFit("BIGINT", WHOLE),
    TextFit("DOUBLE", NUMBER, _EXACT_IN_DOUBLE),
    TextFit("DATE", DAY),
    TextFit("TIMESTAMP", f"{DAY}([ T]{CLOCK})?"),
    TextFit("TIMESTAMP WITH TIME ZONE", ZONED),
    TextFit("TIME", CLOCK),
    TextFit("VARCHAR"),
)
_TESTS = TextTests(
    DUCKDB,
    matches="regexp_full_match({c}, {pattern}, 's')",
    casts="try_cast({c} as {type}) is not null",
    misfit="any_value({c}) filter (where not ({fits}))",
)


@dataclass(frozen=True)
class DuckDBSeeds:
    """Loads seeds through one session."""

    connection: duckdb.DuckDBPyConnection

    def load(self, seed: Seed, relation: str) -> int:
        failpoint("seed")
        return {"csv": self._csv, "parquet": self._parquet}[seed.kind](seed, relation)

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
            _require_narrow(seed, declared, self._rows(_TOO_WIDE.format(_path(seed.path))))
            casts = ", ".join(f"cast({_q(c)} as {fit.type}) as {_q(c)}" for c, fit in declared.items())
            return self._create(relation, f"select * {f'replace ({casts})' if casts else ''} from {source}")
        except EngineError as error:
            _require_a_fault_of_the_file(error)
            raise _refused(seed, error) from error

    def _declared(self, seed: Seed, columns: Sequence[str]) -> dict[str, TextFit]:
        known = "bigint, double, decimal(18, 2), varchar, date or timestamp"
        return declared_fits(seed, columns, partial(_fit, self.connection), "DuckDB", known)

    def _types(self, text: CsvText, declared: Mapping[str, TextFit]) -> dict[str, str]:
        def wrong(column: str, value: str, fit: TextFit) -> SeedError:
            return wrong_value(text.seed, line_of(text, column, value), column, value, fit.type)

        settled = settle_types(self._guesses(text), declared, _LADDER, partial(self._survey, text), wrong)
        return {column: fit.type for column, fit in settled.items()}

    def _guesses(self, text: CsvText) -> dict[str, TextFit]:
        sample = self._rows(f"select * from {_reader(text)} limit {_SAMPLE}")
        return guesses(text.columns, sample, {None}, _LADDER)

    def _survey(self, text: CsvText, ladders: Mapping[str, Sequence[TextFit]]) -> dict[str, list[Any]]:
        """Return for each column the number of its values, and for each fit a value that breaks it or None."""
        if len(ladders) > _WIDE:
            return self._survey_wide(text, ladders)

        def ask(expressions: Sequence[str]) -> tuple[Any, ...]:
            return self._rows(f"select {', '.join(expressions)} from {_reader(text)}")[0]

        return survey(ladders, {c: _q(c) for c in text.columns}, _TESTS, ask)

    def _survey_wide(self, text: CsvText, ladders: Mapping[str, Sequence[TextFit]]) -> dict[str, list[Any]]:
        """Survey by one statement for each fit: one that names 5,000 columns takes DuckDB minutes to plan."""
        columns_of: dict[TextFit, list[str]] = {}
        for column, ladder in ladders.items():
            for fit in ladder:
                columns_of.setdefault(fit, []).append(column)
        found = {fit: self._survey_of(text, fit, columns) for fit, columns in columns_of.items()}
        return {
            column: [found[ladder[0]].get(column, (0, None))[0]]
            + [found[fit].get(column, (0, None))[1] for fit in ladder]
            for column, ladder in ladders.items()
        }

    def _survey_of(self, text: CsvText, fit: TextFit, columns: Sequence[str]) -> dict[str, tuple[int, Any]]:
        names, values = ", ".join(map(_t, columns)), ", ".join(map(_q, columns))
        cells = f"select unnest([{names}]) as c, unnest([{values}]) as v from {_reader(text)}"
        rows = self._rows(f"select c, count(v), {_TESTS.broken_by(fit, 'v')} from ({cells}) group by c")
        return {column: (count, misfit) for column, count, misfit in rows}

    def _create(self, relation: str, query: str) -> int:
        with translated():
            head = create_head("table", relation, DUCKDB)
            return _count(self.connection.execute(f"{head} as {query}"))

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        with translated():
            return self.connection.execute(query).fetchall()


def _fit(connection: duckdb.DuckDBPyConnection, wanted: str) -> TextFit | None:
    try:
        # DuckDB's own spelling of the type: only this is ever written into a statement.
        kind = str(connection.sqltype(wanted))
    except duckdb.Error:
        return None
    return cast_fit(kind, whole=kind in _INTEGERS)


def _reader(text: CsvText) -> str:
    columns = ", ".join(f"{_t(c)}: 'VARCHAR'" for c in text.columns)
    quote = _t(text.quote)
    return (
        f"read_csv({_path(text.path)}, columns={{{columns}}}, auto_detect=false, header=true, "
        f"delim={_t(text.delimiter)}, quote={quote}, escape={quote}, "
        f"nullstr={_t(text.seed.options.null)}, buffer_size={_BUFFER})"
    )


def _require_a_fault_of_the_file(error: EngineError) -> None:
    """Let pass what is wrong with the statement, the session or the target."""
    if error.kind not in {ErrorKind.DATA, ErrorKind.UNKNOWN}:
        raise error


def _require_narrow(seed: Seed, declared: Mapping[str, TextFit], wide: Sequence[Sequence[Any]]) -> None:
    for column, precision, scale in wide:
        if column not in declared:
            message = f"Column {column!r} is decimal({precision}, {scale}): DuckDB holds 38 digits."
            hint = "Write it with fewer digits, or declare it `double` under `column_types` to have it rounded."
            raise seed_error(seed, message, hint=hint)


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
    return _t(re.sub(r"([*?[])", r"[\1]", utf8_path(path)))
