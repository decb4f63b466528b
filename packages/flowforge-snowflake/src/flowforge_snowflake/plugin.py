"""Announces the engine; nothing here imports a driver."""

from __future__ import annotations

from flowforge_domain.capability import Capability
from flowforge_ports.engine import EngineSpec
from flowforge_ports.hooks import hookimpl
from flowforge_snowflake.dialect import SNOWFLAKE

_SETTINGS = (
    "account",
    "user",
    "password",
    "authenticator",
    "token",
    "private_key_file",
    "private_key_passphrase",
    "role",
    "warehouse",
    "database",
    "host",
    "port",
    "protocol",
    "query_tag",
)

SPEC = EngineSpec(
    name="snowflake_snowpark",
    distribution="flowforge-snowflake",
    dialect=SNOWFLAKE,
    # Every `create` commits by itself: neither state rows, nor seeds, nor stream offsets share a transaction with data.
    capabilities=frozenset(
        {
            Capability.ATOMIC_REPLACE,
            Capability.CONCURRENT_SESSIONS,
            Capability.VIEWS,
            Capability.PYTHON_MODELS,
            Capability.INCREMENTAL,
            Capability.ROW_CHANGES,
            Capability.CSV_SEEDS,
            Capability.PARQUET_SEEDS,
            Capability.SQL_SEEDS,
        }
    ),
    profile="flowforge_snowflake.settings:SnowflakeSnowparkProfile",
    open="flowforge_snowflake.engine:open_engine",
    environment={f"FF_SF_{name.upper()}": ("snowflake_snowpark", name) for name in _SETTINGS}
    | {"FF_SF_SCHEMA": ("snowflake_snowpark", "db_schema")},
    example={
        "account": "{{ env_var('FF_SF_ACCOUNT') }}",
        "user": "{{ env_var('FF_SF_USER') }}",
        "password": "{{ env_var('FF_SF_PASSWORD') }}",
        "warehouse": "{{ env_var('FF_SF_WAREHOUSE') }}",
        "database": "{{ env_var('FF_SF_DATABASE') }}",
        "db_schema": "PUBLIC",
    },
    unproved="an account of Snowflake's; the tests run against an emulator",
    schema=("snowflake_snowpark", "db_schema"),
)


@hookimpl
def flowforge_engines() -> list[EngineSpec]:
    """Announce Snowflake."""
    return [SPEC]
