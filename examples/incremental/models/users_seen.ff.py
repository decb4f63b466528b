"""Everyone who was ever seen, in Python: only those are added that are not there yet."""

from __future__ import annotations

import pandas as pd

from flowforge import model


@model(deps=["events_kept"], materialized="incremental", incremental_strategy="append")
def users_seen(events: pd.DataFrame, this: pd.DataFrame | None = None) -> pd.DataFrame:
    users = events[["user_id"]].drop_duplicates()
    return users if this is None else users[~users["user_id"].isin(this["user_id"])]
