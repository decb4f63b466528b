from __future__ import annotations

import pandas as pd

from flowforge import model


@model(name="users_enriched", deps=["users.ff"], requires={"users": {"id", "email"}})
def enrich(df: pd.DataFrame) -> pd.DataFrame:
    """Tell who writes from a Gmail address."""
    return df.assign(is_gmail=df["email"].str.endswith("@gmail.com"))
