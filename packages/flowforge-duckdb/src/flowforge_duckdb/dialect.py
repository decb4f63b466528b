"""DuckDB's SQL, as far as the core must know it."""

from __future__ import annotations

from flowforge_domain.dialect import VOLATILE, Dialect

# What duckdb_functions() does not call consistent, and what of it reads the clock or the session all the same. `user`
# and its like are no words: there is one user.
_VOLATILE = VOLATILE | {
    "age()", "ago()", "current_localtimestamp()", "current_localtime()", "get_current_time()", "current_schema",
    "current_schemas()", "current_database()", "current_catalog", "current_query()", "current_query_id()",
    "current_connection_id()", "current_transaction_id()", "in_search_path()", "setval()", "stats()",
    "vector_type()", "write_log()", "error()", "sleep_ms()", "pg_*()", "has_*_privilege()", "inet_*()",
    "obj_description()", "col_description()", "shobj_description()", "format_type()",
}  # fmt: skip
DUCKDB = Dialect(
    name="duckdb",
    version="select version()",
    types={
        "text": "varchar",
        "bigint": "bigint",
        "double": "double",
        "boolean": "boolean",
        "timestamp": "timestamp",
        "date": "date",
        "timestamptz": "timestamp with time zone",
        "decimal": "decimal(38, 9)",
        "binary": "blob",
        "json": "json",
        "list": "bigint[]",
        "struct": "struct(a bigint, b varchar)",
    },
    # A timestamp without zone is taken as UTC: what a test says must not depend on the zone of the shell it runs in.
    age_minutes="(epoch(now()) - epoch({column})) / 60",
    schemas=True,
    default_schema="main",
    taken_schemas=frozenset({"temp", "system", "pg_catalog", "information_schema"}),
    shares_transactions=True,
    retype_empty="alter table {table} alter column {column} type {type} using null",
    streams_windows=True,
    volatile=_VOLATILE,
)
