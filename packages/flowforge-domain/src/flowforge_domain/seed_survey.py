"""Types for a CSV seed that lies in the engine as text: guessed from a sample, and held against every value by SQL.

What an engine's SQL must say for that is data, `TextTests`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from flowforge_domain.dialect import Dialect, quote_text
from flowforge_domain.errors import SeedError
from flowforge_domain.seed_csv import CsvText, line_of
from flowforge_domain.seed_text import wrong_value
from flowforge_domain.seed_types import Survey, TextFit, settle_types

Ladders = Mapping[str, Sequence[TextFit]]


@dataclass(frozen=True, slots=True)
class TextTests:
    """How an engine's SQL tells which text of the column `{c}` is no value of a type.

    `matches` holds for a text that the whole of `{pattern}` fits, a literal written as `whole` says; `casts` where the
    cast to `{type}` works; `misfit` is an aggregate that gives a text for which `{fits}` is false, NULL where all fit.
    """

    dialect: Dialect
    matches: str
    casts: str
    misfit: str
    whole: str = "{}"

    def broken_by(self, fit: TextFit, column: str) -> str:
        """Return the expression for a value of `column` that does not fit, NULL where all do."""
        text = self.dialect.types["text"]
        if fit.type.casefold() == text:
            return f"cast(null as {text})"
        pattern = quote_text(self.whole.replace("{}", fit.pattern), self.dialect)
        matches, casts = self.matches.replace("{pattern}", pattern), self.casts.replace("{type}", fit.type)
        # Not by `format`: patterns are full of braces.
        return self.misfit.replace("{fits}", f"{matches} and {fit.condition} and {casts}").replace("{c}", column)


def survey(
    ladders: Ladders, columns: Mapping[str, str], tests: TextTests, ask: Callable[[Sequence[str]], Iterable[Any]]
) -> dict[str, list[Any]]:
    """Return for each column the number of its values, and for each fit a value that breaks it or None.

    `columns` are their names in SQL; `ask` gives the values of expressions over all rows.
    """
    asked = {
        name: [f"count({columns[name]})", *(tests.broken_by(fit, columns[name]) for fit in ladder)]
        for name, ladder in ladders.items()
    }
    answers = iter(ask([expression for of_column in asked.values() for expression in of_column]))
    return {name: [next(answers) for _ in of_column] for name, of_column in asked.items()}


def guesses(
    columns: Sequence[str], sample: Sequence[Sequence[Any]], nulls: Set[Any], ladder: Sequence[TextFit]
) -> dict[str, TextFit]:
    """Return for each column the first fit that all texts of a sample look like; `nulls` stand for no value."""
    seen = {name: {record[at] for record in sample} - nulls for at, name in enumerate(columns)}
    return {name: next(fit for fit in ladder if fit.matches(texts)) for name, texts in seen.items()}


def column_types(
    text: CsvText, declared: Mapping[str, TextFit], ladder: Sequence[TextFit], scan: Survey[TextFit]
) -> dict[str, str]:
    """Return the type of each column of a seed; `scan` is `survey` of its rows.

    Raises `SeedError` with the line of a value that is not of its column's declared type.
    """

    def wrong(column: str, value: str, fit: TextFit) -> SeedError:
        return wrong_value(text.seed, line_of(text, column, value), column, value, fit.type)

    guessed = guesses(text.columns, text.sample, {"", text.seed.options.null}, ladder)
    settled = settle_types(guessed, declared, ladder, scan, wrong)
    return {column: settled[column].type for column in text.columns}
