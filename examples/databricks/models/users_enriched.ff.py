from __future__ import annotations

from pyspark.sql import DataFrame

from flowforge import model


@model(name="users_enriched", deps=["users.ff"], requires={"users": {"id", "email"}})
def enrich(df: DataFrame) -> DataFrame:
    """Tell who writes from a Gmail address."""
    return df.withColumn("is_gmail", df["email"].endswith("@gmail.com"))
