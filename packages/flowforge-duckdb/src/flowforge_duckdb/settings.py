"""The settings of a DuckDB profile."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

_SIZE = r"^\d+(\.\d+)? *([KMGTkmgt]i?)?[Bb]$"


class DuckDBSettings(BaseModel):
    """Where the database lies and what it may use; unset limits are DuckDB's own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str = Field(default=":memory:", min_length=1, description="A file, relative to the project, or `:memory:`.")
    threads: int | None = Field(default=None, ge=1, description="How many threads DuckDB may use.")
    memory_limit: str | None = Field(default=None, pattern=_SIZE, description="How much memory, as in `4GB`.")

    @field_validator("path")
    @classmethod
    def _whole(cls, path: str) -> str:
        if "{{" in path:
            raise ValueError("opens braces that nothing closes: write {{ env_var('NAME') }}")
        return path


class DuckDBProfile(BaseModel):
    """A profile whose engine is DuckDB."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    engine: Literal["duckdb"]
    duckdb: DuckDBSettings = Field(default_factory=DuckDBSettings)
