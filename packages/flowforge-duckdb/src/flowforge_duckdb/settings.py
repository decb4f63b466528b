"""The settings of a DuckDB profile."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

_SIZE = r"^\d+(\.\d+)? *([KMGTkmgt]i?)?[Bb]$"


class DuckDBSettings(BaseModel):
    """Where the database lies and what it may use; unset limits are DuckDB's own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str = Field(default=":memory:", min_length=1, description="A file, relative to the project, or `:memory:`.")
    threads: int | None = Field(default=None, ge=1, description="How many threads DuckDB may use.")
    memory_limit: str | None = Field(
        default=None, json_schema_extra={"pattern": _SIZE}, description="How much memory, as in `4GB`."
    )

    @field_validator("path")
    @classmethod
    def _whole(cls, path: str) -> str:
        if "{{" in path:
            raise ValueError("opens braces that nothing closes: write {{ env_var('NAME') }}")
        return path

    @field_validator("memory_limit")
    @classmethod
    def _is_a_size(cls, limit: str | None) -> str | None:
        if limit is not None and not re.fullmatch(_SIZE, limit):
            raise ValueError("must be a number and its unit, such as 4GB or 512MiB")
        return limit


class DuckDBProfile(BaseModel):
    """A profile whose engine is DuckDB."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    engine: Literal["duckdb"]
    duckdb: DuckDBSettings = Field(default_factory=DuckDBSettings)
