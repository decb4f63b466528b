"""Queries that the server plans once for each connection."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from typing import Any

from flowforge_domain.dialect import quote_text
from flowforge_postgres.dialect import POSTGRES
from flowforge_postgres.session import PostgresSession


def ask(
    session: PostgresSession, query: str, *values: str | int, before: str = "", after: str = ""
) -> Sequence[tuple[Any, ...]]:
    """Return the rows of a query with `$1`, `$2` for its values; what is said around it is in the same round trip."""
    names = _names(session)
    if query not in names:
        # In SQL, since the driver forgets what it has prepared with every `drop` that it sees, thus with every swap.
        name = f"flowforge_{len(names)}"
        session.execute(f"prepare {name} as {query}")
        names[query] = name
    said = ", ".join(quote_text(value, POSTGRES) if isinstance(value, str) else f"{value:d}" for value in values)
    return session.query(f"{before}execute {names[query]}{f'({said})' if said else ''}{after}").rows


def _names(session: PostgresSession) -> MutableMapping[str, str]:
    """Return what is prepared on a session's connection, which goes back to the pool and to another session."""
    _ = session.connection
    names: MutableMapping[str, str] = session.held.info.setdefault(__name__, {})
    return names
