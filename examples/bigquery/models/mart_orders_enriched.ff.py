from __future__ import annotations

import pandas as pd

from flowforge import model


@model(
    name="mart_orders_enriched",
    deps=["orders.ff", "users_enriched"],
    requires={
        "orders": {"order_id", "user_id", "amount"},
        "users_enriched": {"id", "email", "is_gmail"},
    },
)
def orders_enrich(dfs: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Put the buyer beside each order."""
    orders = dfs["orders"]
    buyers = dfs["users_enriched"].rename(columns={"id": "user_id"})
    return orders.merge(buyers, on="user_id", how="left")
