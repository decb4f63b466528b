from __future__ import annotations

from snowflake.snowpark import DataFrame

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
    orders = dfs["orders"]
    buyers = dfs["users_enriched"].with_column_renamed("id", "user_id")
    return orders.join(buyers, on="user_id", how="left")
