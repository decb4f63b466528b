"""The settings of a Snowflake profile."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class SnowflakeSettings(BaseModel):
    """Which account, as whom, and where models are built; what is unset is the user's default in Snowflake."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    account: str = Field(min_length=1, description="The account identifier, as in `myorg-myaccount`.")
    user: str | None = Field(default=None, description="Who connects; an OAuth token may name its user itself.")
    password: SecretStr | None = Field(default=None, description="The password, or a programmatic access token.")
    authenticator: str | None = Field(
        default=None,
        description="How, where it is not by password or key: `oauth`, `externalbrowser`, `username_password_mfa`, "
        "`programmatic_access_token`, `workload_identity`, or an Okta URL.",
    )
    token: SecretStr | None = Field(default=None, description="An OAuth token, for `authenticator: oauth`.")
    private_key_file: str | None = Field(
        default=None, description="A PEM file with the user's private key, relative to the project."
    )
    private_key_passphrase: SecretStr | None = Field(default=None, description="What that file is encrypted with.")
    role: str | None = Field(default=None, description="The role to work as.")
    warehouse: str | None = Field(default=None, description="The warehouse that runs the statements.")
    database: str = Field(min_length=1, description="Where models are built; it must be there.")
    db_schema: str = Field(default="PUBLIC", min_length=1, description="The schema in it; made when missing.")
    host: str | None = Field(default=None, description="Where the account's own address is not reached directly.")
    port: int | None = Field(default=None, ge=1, le=65535, description="The port there.")
    protocol: Literal["https", "http"] = Field(default="https", description="`http` is for emulators only.")
    login_timeout: int = Field(default=60, ge=1, description="Seconds to go on trying to log in.")
    network_timeout: int | None = Field(default=None, ge=1, description="Seconds to go on trying a request.")
    statement_timeout: int | None = Field(default=None, ge=1, description="Seconds that one statement may take.")
    query_tag: str = Field(default="flowforge", description="What the tag of every query names; empty: no tags.")
    copy_grants: bool = Field(default=True, description="Keep the rights on a relation when it is replaced.")


class SnowflakeSnowparkProfile(BaseModel):
    """A profile whose engine is Snowflake."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    engine: Literal["snowflake_snowpark"]
    snowflake_snowpark: SnowflakeSettings
