from __future__ import annotations

from snowflake.snowpark import DataFrame
from snowflake.snowpark import functions as f

from flowforge import model


@model(name="users_enriched", deps=["users.ff"], requires={"users": {"id", "email"}})
def enrich(df: DataFrame) -> DataFrame:
    """Tell who writes from a Gmail address."""
    return df.with_column("is_gmail", f.endswith(df["email"], f.lit("@gmail.com")))
