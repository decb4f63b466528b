"""Snowflake's SQL, as far as the core must know it.

Names. Snowflake takes an unquoted `users` for `USERS`, and `"users"` in quotes for another table. The SQL that users
write is unquoted; what FlowForge writes is quoted. They meet in upper case: a name that is a plain word in lower case
is quoted as `"USERS"`, and what the catalog lists as `USERS` is known as `users`. So `ref('users')`, `from users`, a
check on `column: email` and a frame's `EMAIL` are all one name. Any other name (`Mixed`, `two words`) is taken as it is
written, in quotes, and must be quoted in SQL too. Out of reach is only what somebody else made in quotes and lower
case: that table is `"users"` to Snowflake, and no name of FlowForge's means it.
"""

from __future__ import annotations

from flowforge_domain.dialect import VOLATILE, Dialect

# https://docs.snowflake.com/en/sql-reference/functions-all: what reads the clock, chance, the session, the text of
# other objects or other computers.
_VOLATILE = VOLATILE | {
    "current_*()", "systimestamp()", "uuid_string()", "randstr()", "uniform()", "normal()", "zipf()", "seq1()",
    "seq2()", "seq4()", "seq8()", "last_query_id()", "last_transaction()", "invoker_role()", "invoker_share()",
    "is_*_in_session()", "is_granted_to_invoker_role()", "system$*()", "all_user_names()", "get_ddl()", "ai_*()",
    "complete()", "generator()", "get_presigned_url()", "build_scoped_file_url()", "get_stage_location()",
    "result_scan()",
}  # fmt: skip
SNOWFLAKE = Dialect(
    name="snowflake",
    version="select current_version()",
    types={
        "text": "varchar",
        "bigint": "bigint",
        "double": "double",
        "boolean": "boolean",
        "timestamp": "timestamp_ntz",
        "date": "date",
        "timestamptz": "timestamp_tz",
        "decimal": "number(38, 9)",
        "binary": "binary",
    },
    # Sessions run in UTC, so that a timestamp without zone is one of UTC; the clock is Snowflake's.
    age_minutes="datediff('microsecond', {column}::timestamp_ltz, current_timestamp()) / 60000000",
    schemas=True,
    swaps=True,
    backslash_escapes=True,
    line_comments=("--", "//"),
    folds_up=True,
    create_temporary="create or replace temporary table",
    retype="alter table {table} alter column {column} set data type {type}",
    clusters=" cluster by ({})",
    volatile=_VOLATILE,
)
# `create or replace` would otherwise take away the rights that others have on the relation.
KEEP_GRANTS = " copy grants"
