"""Statistics over rounds: what ran in the same round is compared, then the median is taken.

A neighbour's load raises both sides of a pair; medians of each side alone would compare a loud hour with a quiet one.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

Values = Sequence[float]


def differences(over: Values, under: Values) -> list[float]:
    """Return over - under, round by round."""
    return [a - b for a, b in zip(over, under, strict=True)]


def ratios(over: Values, under: Values) -> list[float]:
    """Return over / under, round by round; where noise left nothing to divide by, infinity."""
    return [a / b if b > 0 else math.inf for a, b in zip(over, under, strict=True)]


def median_difference(over: Values, under: Values) -> float:
    """Return the median of the paired differences."""
    return statistics.median(differences(over, under))


def median_ratio(over: Values, under: Values) -> float:
    """Return the median of the paired ratios."""
    return statistics.median(ratios(over, under))
