"""PostgreSQL's SQL, as far as the core must know it."""

from __future__ import annotations

from flowforge_domain.dialect import VOLATILE, Dialect

# What pg_proc calls volatile or stable, but for what only the formats of the session decide: a cast depends on those
# as well (test_dialect.py names them).
_VOLATILE = VOLATILE | {
    "age()", "user", "system_user", "current_catalog", "current_schema", "current_schemas()",
    "current_database()", "current_query()", "random_normal()", "setval()", "set_config()", "pg_*()",
    "has_*_privilege()", "row_security_active()", "inet_*()", "to_reg*()", "*_description()", "format_type()",
    "oidvectortypes()", "txid_*()", "mxid_age()", "getpgusername()", "getdatabaseencoding()",
    "get_current_ts_config()", "version()", "array_sample()", "array_shuffle()", "database_to_xml*()",
    "schema_to_xml*()", "table_to_xml*()", "query_to_xml*()", "cursor_to_xml*()", "enum_first()", "enum_last()",
    "enum_range()", "ts_stat()", "ts_rewrite()", "ts_debug()", "ts_parse()", "ts_token_type()", "aclexplode()",
    "lo_*()", "loread()", "lowrite()", "binary_upgrade_*()", "brin_*()", "gin_*()", "currtid2()", "amvalidate()",
    "dblink*()", "uuid_generate_*()", "gen_salt()", "gen_random_bytes()",
}  # fmt: skip
# Of one relation what the catalog asks of all (catalog.py).
_IDENTITY = """(
select case when c.relkind = 'v' then md5(pg_get_viewdef(c.oid)) else c.oid || ':' || c.relfilenode end
from pg_catalog.pg_class c where c.oid = to_regclass({relation}))"""
POSTGRES = Dialect(
    name="postgres",
    version="select current_setting('server_version')",
    types={
        "text": "text",
        "bigint": "bigint",
        "double": "double precision",
        "boolean": "boolean",
        "timestamp": "timestamp",
        "date": "date",
        "timestamptz": "timestamp with time zone",
        "decimal": "numeric(38, 9)",
        "binary": "bytea",
        "json": "jsonb",
        "list": "bigint[]",
        "struct": "jsonb",
    },
    # A timestamp without zone is taken as UTC; the clock is the server's, and not the transaction's.
    age_minutes="((extract(epoch from clock_timestamp()) - extract(epoch from {column})) / 60)::double precision",
    replaces=frozenset(),
    longest_name=63,
    names_in_bytes=True,
    schemas=True,
    swaps=True,
    compared_as_text=frozenset({"json", "xml", "point", "box", "circle", "line", "lseg", "path", "polygon"}),
    retype="alter table {table} alter column {column} type {type} using {column}::{type}",
    retype_empty="alter table {table} alter column {column} type {type} using null",
    identity=_IDENTITY,
    volatile=_VOLATILE,
)
