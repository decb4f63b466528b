"""Spark's SQL, as far as the core must know it: with tables of parquet, and with those of Delta or Iceberg."""

from __future__ import annotations

from dataclasses import replace

from flowforge_domain.dialect import VOLATILE, Dialect, quote_relation

# Hive's metastore and Spark's own catalog take plain names for tables; Hive's, none that is longer.
_TABLE_NAMES = r"[A-Za-z0-9_]{1,128}"

# https://spark.apache.org/docs/latest/api/sql/ and Databricks' list of functions: what reads the clock, chance, the
# session, the place of a row or other computers.
_VOLATILE = VOLATILE | {
    "unix_timestamp()", "curdate()", "randn()", "randstr()", "uniform()", "shuffle()",
    "monotonically_increasing_id()", "spark_partition_id()", "input_file_name()", "input_file_block_length()",
    "input_file_block_start()", "user", "current_catalog", "current_database", "current_schema",
    "current_timezone()", "current_version()", "version()", "getdate()", "reflect()", "try_reflect()",
    "java_method()", "is_member()", "is_account_group_member()", "secret()", "try_secret()", "http_request()",
    "ai_*()", "current_metastore", "current_recipient()", "read_files()",
}  # fmt: skip
SPARK = Dialect(
    name="databricks_spark",
    version="select version()",
    types={
        "text": "string",
        "bigint": "bigint",
        "double": "double",
        "boolean": "boolean",
        "timestamp": "timestamp_ntz",
        "date": "date",
        "timestamptz": "timestamp",
        "decimal": "decimal(38, 9)",
        "binary": "binary",
        "list": "array<bigint>",
        "struct": "struct<a: bigint, b: string>",
    },
    # A timestamp without zone is taken in the zone of the session, which is UTC.
    age_minutes="(unix_micros(current_timestamp()) - unix_micros(cast({column} as timestamp))) / 60000000",
    quote="`",
    replaces=frozenset({"view"}),
    schemas=True,
    swaps=True,
    backslash_escapes=True,
    table_names=_TABLE_NAMES,
    deletes=False,
    gathers_state=True,
    merges=False,
    create_temporary="create table",
    drops="",
    retype="",
    # Of a partitioned table; sessions overwrite only the partitions that the new rows have.
    overwrites="insert overwrite {table} partition ({partitions}) ({columns})",
    partitions=" partitioned by ({})",
    volatile=_VOLATILE,
)
# Each statement is a commit of the table, and rows can be changed; of Delta, `delete` knows no subquery.
SPARK_COMMITS = replace(
    SPARK,
    replaces=frozenset({"table", "view"}),
    deletes=True,
    deletes_by_merge=True,
    merges=True,
    create_temporary="create or replace table",
    drops="alter table {table} drop column {column}",
    retype="alter table {table} alter column {column} type {type}",
)


def last_metadata(relation: str) -> str:
    """Return the query of how many entries the metadata log of an Iceberg table has, and of its last one."""
    last = "max(struct(timestamp, file, latest_snapshot_id))"
    return f"select count(*), cast({last} as string) from {quote_relation(relation, SPARK)}.metadata_log_entries"
