"""BigQuery's SQL, as far as the core must know it."""

from __future__ import annotations

from flowforge_domain.dialect import VOLATILE, Dialect

# https://cloud.google.com/bigquery/docs/reference/standard-sql/functions-all: what reads the clock, chance, the
# session or a model.
_VOLATILE = VOLATILE | {
    "new_keyset()", "encrypt()", "external_query()", "predict()", "forecast()", "generate_text()",
    "generate_table()", "generate_embedding()", "generate()", "generate_bool()", "generate_int()",
    "generate_double()", "classify()", "score()",
}  # fmt: skip
BIGQUERY = Dialect(
    name="bigquery",
    # Lists are none of them: a NULL one, which BigQuery reads as empty, is refused.
    types={
        "text": "string",
        "bigint": "int64",
        "double": "float64",
        "boolean": "bool",
        "timestamp": "datetime",
        "date": "date",
        "timestamptz": "timestamp",
        "decimal": "numeric",
        "binary": "bytes",
        "json": "json",
        "struct": "struct<a int64, b string>",
    },
    # `timestamp` takes a date, a datetime (as UTC) or a timestamp.
    age_minutes="timestamp_diff(current_timestamp(), timestamp({column}), second) / 60",
    quote="`",
    # Views cannot be renamed, and a table's new name has no dataset.
    renames=frozenset(),
    # https://cloud.google.com/bigquery/docs/tables#table_naming; columns may hold some more signs, and 300 characters.
    longest_name=300,
    name_categories=frozenset({"L", "M", "N", "Pc", "Pd", "Zs"}),
    schemas=True,
    # https://cloud.google.com/bigquery/docs/reference/standard-sql/data-definition-language#create_view_statement
    qualifies=True,
    swaps=True,
    backslash_escapes=True,
    line_comments=("--", "#"),
    create_temporary="create or replace table",
    retype="alter table {table} alter column {column} set data type {type}",
    moment="cast(timestamp({text}) as {type})",
    partitions=" partition by {}",
    script="begin transaction;\n{};\ncommit transaction",
    clusters=" cluster by {}",
    volatile=_VOLATILE,
)
