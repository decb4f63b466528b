"""The settings of a PostgreSQL profile."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

SslMode = Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]


class PostgresSettings(BaseModel):
    """Where the database is, and how long to wait for it; what the dsn itself says wins."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    dsn: SecretStr = Field(description="`postgresql://user:password@host:5432/database`, also `postgresql+psycopg://`.")
    db_schema: str = Field(default="public", min_length=1, description="Where models are built; made when missing.")
    connect_timeout: int = Field(default=10, ge=1, description="Seconds to wait for a connection.")
    statement_timeout: float | None = Field(default=None, gt=0, description="Seconds that one statement may take.")
    sslmode: SslMode | None = Field(default=None, description="How far TLS is insisted on, as libpq means it.")
    sslrootcert: str | None = Field(default=None, description="File of the certificates to trust.")

    @field_validator("dsn")
    @classmethod
    def _is_a_url(cls, dsn: SecretStr) -> SecretStr:
        # Whatever a parser says of a wrong one may hold the password.
        scheme, found, _ = dsn.get_secret_value().partition("://")
        if not found or scheme not in {"postgresql", "postgresql+psycopg", "postgres"}:
            raise ValueError("a dsn begins with postgresql:// or postgresql+psycopg://")
        return dsn


class PostgresProfile(BaseModel):
    """A profile whose engine is PostgreSQL."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    engine: Literal["postgres"]
    postgres: PostgresSettings
