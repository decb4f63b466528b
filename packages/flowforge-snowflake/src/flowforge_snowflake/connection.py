"""Connections to Snowflake: what a profile says, in the connector's words, and the schema that is made when missing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import snowflake.connector

from flowforge_domain.dialect import quote_name, stored_name
from flowforge_domain.errors import EngineError, ErrorKind
from flowforge_snowflake.dialect import SNOWFLAKE
from flowforge_snowflake.errors import translated
from flowforge_snowflake.settings import SnowflakeSettings

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

# What the connector takes under the name that the settings have.
_AS_NAMED = (
    "account",
    "user",
    "authenticator",
    "role",
    "warehouse",
    "database",
    "host",
    "port",
    "protocol",
    "login_timeout",
    "network_timeout",
)

# What an account or a user may have set otherwise, and FlowForge goes by: what is written outside of a transaction is
# kept, names in quotes have their case, and a seed's dates are read as they were looked at.
_OURS: dict[str, Any] = {
    "TIMEZONE": "UTC",
    "AUTOCOMMIT": True,
    "ABORT_DETACHED_QUERY": True,
    "QUOTED_IDENTIFIERS_IGNORE_CASE": False,
    "DATE_INPUT_FORMAT": "AUTO",
    "TIME_INPUT_FORMAT": "AUTO",
    "TIMESTAMP_INPUT_FORMAT": "AUTO",
    "ROWS_PER_RESULTSET": 0,
}


def connect(settings: SnowflakeSettings, root: Path) -> SnowflakeConnection:
    """Return a new connection in the profile's schema; raise `EngineError` of kind UNREACHABLE or CREDENTIALS."""
    try:
        with translated():
            connection = snowflake.connector.connect(**_arguments(settings, root))
    except (OSError, TypeError, ValueError) as error:
        # The key file: missing, of another form, or encrypted with another passphrase, which the reason may quote.
        message = f"The key {settings.private_key_file!r} cannot be used: {type(error).__name__}."
        hint = "Check `private_key_file` and `private_key_passphrase`."
        raise EngineError(message, kind=ErrorKind.CREDENTIALS, hint=hint) from None
    try:
        _enter_schema(connection, settings)
    except BaseException:
        connection.close()
        raise
    return connection


def _arguments(settings: SnowflakeSettings, root: Path) -> dict[str, Any]:
    secrets = {
        "password": settings.password,
        "token": settings.token,
        "private_key_file_pwd": settings.private_key_passphrase,
    }
    given = {name: getattr(settings, name) for name in _AS_NAMED}
    given |= {name: secret.get_secret_value() for name, secret in secrets.items() if secret is not None}
    if settings.private_key_file:
        given["private_key_file"] = str(root / Path(settings.private_key_file).expanduser())
        # The connector would otherwise take the key only where it is told so.
        given["authenticator"] = settings.authenticator or "SNOWFLAKE_JWT"
    given["schema"] = settings.db_schema
    given["session_parameters"] = _parameters(settings)
    return {name: value for name, value in given.items() if value not in (None, "")} | {"application": "flowforge"}


def _parameters(settings: SnowflakeSettings) -> dict[str, Any]:
    parameters = dict(_OURS)
    if settings.query_tag:
        parameters["QUERY_TAG"] = settings.query_tag
    if settings.statement_timeout:
        parameters["STATEMENT_TIMEOUT_IN_SECONDS"] = settings.statement_timeout
    return parameters


def _enter_schema(connection: SnowflakeConnection, settings: SnowflakeSettings) -> None:
    """Make the schema if it is missing, for which even `if not exists` asks more rights."""
    with translated(), connection.cursor() as cursor:
        cursor.execute("select current_database(), current_schema()")
        database, schema = cursor.fetchone() or (None, None)
        if database is None:
            message = f"The database {settings.database} does not exist, or the role has no right to it."
            raise EngineError(message, kind=ErrorKind.UNREACHABLE, hint="Create it, or correct `database`.")
        # The log-in takes `Mixed` for MIXED; all other statements take it as it is written.
        if schema != stored_name(settings.db_schema, SNOWFLAKE):
            name = quote_name(settings.db_schema, SNOWFLAKE)
            cursor.execute(f"create schema if not exists {name}")
            cursor.execute(f"use schema {name}")
