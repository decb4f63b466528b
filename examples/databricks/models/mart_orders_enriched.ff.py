from __future__ import annotations

from pyspark.sql import DataFrame

from flowforge import model


@model(
    name="mart_orders_enriched",
    deps=["orders.ff", "users_enriched"],
    requires={
        "orders": {"order_id", "user_id", "amount"},
        "users_enriched": {"id", "email", "is_gmail"},
    },
)
def orders_enrich(dfs: dict[str, DataFrame]) -> DataFrame:
    """Put the buyer beside each order."""
    buyers = dfs["users_enriched"].withColumnRenamed("id", "user_id")
    return dfs["orders"].join(buyers, "user_id", "left")
