"""The settings of a BigQuery profile."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator


class BigQuerySettings(BaseModel):
    """Where models are built, as whom, and how far a job may go.

    Without `keyfile`, `token` or `anonymous` the client's own default credentials are used: `gcloud auth
    application-default login`, `GOOGLE_APPLICATION_CREDENTIALS`, or the machine's own account.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    dataset: str = Field(min_length=1, description="Where models are built; made when missing.")
    project: str | None = Field(
        default=None, description="Project that pays and holds them; else the credentials' own."
    )
    location: str | None = Field(default=None, description="Where the dataset is, and made: `EU`, `europe-west3`, …")
    use_bigframes: bool = Field(default=False, description="Give Python models BigQuery DataFrames instead of pandas.")
    keyfile: Path | None = Field(default=None, description="File of a service account's key.")
    token: SecretStr | None = Field(default=None, description="OAuth access token, used as it is.")
    impersonate: str | None = Field(default=None, description="Service account to act as.")
    labels: dict[str, str] = Field(default_factory=dict, description="Labels of every job, and of datasets made here.")
    priority: Literal["interactive", "batch"] = Field(default="interactive", description="Priority of query jobs.")
    time_zone: str = Field(default="UTC", min_length=1, description="Time zone of queries that name none.")
    maximum_bytes_billed: int | None = Field(default=None, gt=0, description="A query that would bill more fails.")
    job_timeout: float | None = Field(default=None, gt=0, description="Seconds that one job may take.")
    request_timeout: float = Field(default=60, gt=0, description="Seconds to wait for an answer of the API.")
    retry_deadline: float = Field(default=120, ge=0, description="Seconds in which what fails in passing is repeated.")
    lock_lease: int = Field(default=300, ge=10, description="Seconds after which the lock of a run that died is free.")
    storage_api: bool = Field(default=True, description="Read frames by the Storage Read API, else by REST.")
    endpoint: str | None = Field(default=None, description="Another address of the API, such as an emulator's.")
    storage_endpoint: str | None = Field(default=None, description="Another host:port of the Storage Read API.")
    anonymous: bool = Field(default=False, description="No credentials and no TLS: for an emulator.")

    @field_validator("token")
    @classmethod
    def _is_a_header(cls, token: SecretStr | None) -> SecretStr | None:
        # Whoever cannot put it into a header says so with the token itself.
        if token is not None and not re.fullmatch("[!-~]+", token.get_secret_value()):
            raise ValueError("a token has no spaces, line ends or characters beyond ASCII")
        return token

    @model_validator(mode="after")
    def _one_way_in(self) -> BigQuerySettings:
        if sum((self.keyfile is not None, self.token is not None, self.anonymous)) > 1:
            raise ValueError("give one of keyfile, token and anonymous")
        if self.anonymous and (self.project is None or self.endpoint is None):
            raise ValueError("anonymous needs project and endpoint")
        return self


class BigQueryProfile(BaseModel):
    """A profile whose engine is BigQuery."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    engine: Literal["bigquery"]
    bigquery: BigQuerySettings
