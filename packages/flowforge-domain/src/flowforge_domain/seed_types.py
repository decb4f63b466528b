"""Types for the columns of a CSV seed: the narrowest that every value fits, found in at most two scans.

The engine scans; a fit is whatever the adapter means by a type and the test of a text against it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

Fit = TypeVar("Fit")
# For each column how many values it has, then for each fit asked about a value that breaks it, or None.
Survey = Callable[[Mapping[str, Sequence[Fit]]], Mapping[str, Sequence[Any]]]


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


def first_fit(ladder: Sequence[Fit], surveyed: Sequence[Any]) -> Fit:
    """Return the first fit of `ladder` that no value of a surveyed column breaks."""
    return next(fit for fit, misfit in zip(ladder, surveyed[1:], strict=True) if misfit is None)
