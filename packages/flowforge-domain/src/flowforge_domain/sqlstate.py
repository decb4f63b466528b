"""SQLSTATEs: what the codes mean that databases give their errors, by the standard and by PostgreSQL's example."""

from __future__ import annotations

from collections.abc import Mapping

from flowforge_domain.errors import ErrorKind

SQLSTATES: Mapping[str, ErrorKind] = {
    "08": ErrorKind.UNREACHABLE,
    "21": ErrorKind.DATA,
    "22": ErrorKind.DATA,
    "23": ErrorKind.DATA,
    "28": ErrorKind.CREDENTIALS,
    "40": ErrorKind.TRANSIENT,
    "42": ErrorKind.SYNTAX,
    "42501": ErrorKind.PERMISSION,
    "42703": ErrorKind.MISSING_COLUMN,
    "42P01": ErrorKind.MISSING_RELATION,
    "42P06": ErrorKind.CONFLICT,
    "42P07": ErrorKind.CONFLICT,
}
"""Classes and codes, for an engine to add its own to."""


def kind_of_state(state: str, states: Mapping[str, ErrorKind]) -> ErrorKind | None:
    """Return what the longest beginning of a code means that a table has, None where it has none."""
    return next((states[state[:n]] for n in range(len(state), 1, -1) if state[:n] in states), None)
