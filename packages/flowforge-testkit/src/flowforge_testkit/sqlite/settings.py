"""The profile of a sqlite target."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class SqliteSettings(BaseModel):
    """`path` is a file, relative to the project, or `:memory:`; `timeout` is how long a writer waits for another."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str = ":memory:"
    timeout: float = Field(default=10.0, ge=0)


class SqliteProfile(BaseModel):
    """`engine: sqlite` in `profiles.yml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    engine: Literal["sqlite"]
    sqlite: SqliteSettings = SqliteSettings()
