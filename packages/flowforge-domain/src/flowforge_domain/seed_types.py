"""Types for the columns of a CSV seed: the narrowest that every value fits, found in at most two scans.

The engine scans; a fit is whatever the adapter means by a type and the test of a text against it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from flowforge_domain.model import Seed
from flowforge_domain.schema_change import type_name
from flowforge_domain.seed_text import declared_types, no_type

Fit = TypeVar("Fit")
# For each column how many values it has, then for each fit asked about a value that breaks it, or None.
Survey = Callable[[Mapping[str, Sequence[Fit]]], Mapping[str, Sequence[Any]]]


@dataclass(frozen=True, slots=True)
class TextFit:
    """An engine's type, and what makes a text lose nothing when it is cast to it.

    That is a pattern, and a condition in the engine's SQL on the column `{c}`.
    """

    type: str
    pattern: str = ".*"
    condition: str = "true"

    def matches(self, texts: Iterable[str]) -> bool:
        """Tell whether `texts` look like it; only the engine knows whether they fit."""
        fits = re.compile(self.pattern, re.ASCII | re.DOTALL).fullmatch
        return all(fits(text) for text in texts)


# What texts look like that become a type and are written again as they were.
TRUTH = "[tT][rR][uU][eE]|[fF][aA][lL][sS][eE]"
DAY = r"\d{4}-\d\d-\d\d"
CLOCK = r"\d\d:\d\d(:\d\d([.]\d{1,6})?)?"
# Where the engine takes 24:00 too, and seconds of 60, which are another time than they say.
STRICT_CLOCK = r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d([.]\d{1,6})?)?"
ZONED = rf"{DAY}[ T]{CLOCK}(Z|[+-]\d\d(:?\d\d)?)"
WHOLE = r"0|-?[1-9]\d*"
# `12e5` may be a code, of which a number would not keep the letter: an exponent that a program writes has a sign, as in
# `1e-05` and `1E+16`, or a point before it, as in `1.5E10`.
NUMBER = r"-?(0|[1-9]\d*)?([.]\d*)?([eE][+-]\d+)?|-?\d[.]\d+[eE]\d+|[nN][aA][nN]|-?[iI][nN][fF]"

# Written without an exponent, such a number has more digits than a double keeps: 16 and more before the point, or more
# than 17 in all, which is as many as a double that was written out can need.
ROUNDED = r"-?([1-9][0-9]{15,}[.][0-9]*|[0.]*[1-9][.]?([0-9][.]?){16,}[1-9][.0]*)"


# Of each family of engine types, by the first word of their names: what no text of it looks otherwise than.
_LOOKS = {
    **dict.fromkeys(("boolean", "bool"), TRUTH),
    **dict.fromkeys(("smallint", "integer", "bigint", "hugeint"), WHOLE),
    **dict.fromkeys(("real", "double", "decimal"), NUMBER),
    "date": DAY,
    "timestamp": f"{DAY}([ T]{CLOCK})?|{ZONED}",
    "timestamptz": ZONED,
    "time": CLOCK,
}


def breaks(kind: str) -> Callable[[str], bool]:
    """Return what tells that a text cannot be of an engine type; of some that cannot, it does not tell."""
    family = type_name(kind).split("_")[0].split(" ")[0]
    fits = re.compile(_LOOKS.get(family, ".*"), re.ASCII | re.DOTALL).fullmatch
    of_days = family.startswith(("date", "timestamp"))
    return lambda text: fits(text) is None or (of_days and not _is_day(text[:10]))


def cast_fit(kind: str, *, whole: bool) -> TextFit:
    """Return what a declared type demands beyond a cast that rounds: a whole number, or no more digits than it has."""
    if whole:
        return TextFit(kind, r"\s*[+-]?\d+\s*")
    if decimal := re.fullmatch(r"(?:decimal|numeric)\s*\(\s*\d+\s*(?:,\s*(\d+)\s*)?\)", kind, re.IGNORECASE):
        return TextFit(kind, rf"\s*[+-]?\d*([.]\d{{0,{decimal[1] or 0}}}0*)?\s*")
    return TextFit(kind)


def settle_types(
    guesses: Mapping[str, Fit],
    declared: Mapping[str, Fit],
    ladder: Sequence[Fit],
    survey: Survey[Fit],
    wrong: Callable[[str, str, Fit], Exception],
) -> dict[str, Fit]:
    """Hold guesses from a sample, and declared types, against every value, and return what fits.

    `ladder` goes from the narrowest fit to one that takes every text, which a column without values gets as well.
    Raises what `wrong(column, value, fit)` gives for a value that breaks its declared type.
    """
    guesses = {column: fit for column, fit in guesses.items() if column not in declared}
    found = survey({column: [fit] for column, fit in {**guesses, **declared}.items()})
    for column, fit in declared.items():
        if (value := found[column][1]) is not None:
            raise wrong(column, value, fit)
    wider = {c: ladder[ladder.index(fit) + 1 :] for c, fit in guesses.items() if found[c][1] is not None}
    again = survey(wider) if wider else {}
    empty = {c: ladder[-1] for c in guesses if not found[c][0]}
    return {**guesses, **{c: first_fit(fits, again[c]) for c, fits in wider.items()}, **empty, **declared}


def declared_fits(
    seed: Seed, columns: Sequence[str], fit_of: Callable[[str], Fit | None], engine: str, examples: str
) -> dict[str, Fit]:
    """Return what the project's `column_types` mean to the engine; `fit_of` gives None for no type of its own.

    Raises `SeedError` for such a type, and for a column that the file lacks.
    """
    declared: dict[str, Fit] = {}
    for column, wanted in declared_types(seed, columns):
        fit = fit_of(wanted)
        if fit is None:
            raise no_type(seed, column, wanted, engine, examples)
        declared[column] = fit
    return declared


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def first_fit(ladder: Sequence[Fit], surveyed: Sequence[Any]) -> Fit:
    """Return the first fit of `ladder` that no value of a surveyed column breaks."""
    return next(fit for fit, misfit in zip(ladder, surveyed[1:], strict=True) if misfit is None)
