"""The settings of a Spark profile."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

_NAME = r"^[A-Za-z0-9_]{1,128}$"


class DatabricksSparkSettings(BaseModel):
    """Where Spark is, and where in it models are built."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    master: str = Field(default="local[*]", min_length=1, description="`local[N]`, or a cluster's `spark://…`, `yarn`.")
    remote: SecretStr | None = Field(
        default=None, description="Spark Connect, also Databricks': `sc://host:443/;token=…`; instead of a master."
    )
    connect_timeout: float = Field(
        default=30, gt=0, description="Seconds to wait for a connection to the server of `remote`."
    )
    catalog: str | None = Field(default=None, min_length=1, description="The catalog, where there are several.")
    database: str = Field(
        default="default",
        json_schema_extra={"pattern": _NAME},
        description="Where models are built; made when missing.",
    )
    warehouse: str | None = Field(
        default=None, min_length=1, description="A folder for tables; `.local/warehouse` on a local master."
    )
    metastore: Literal["embedded", "memory"] | None = Field(
        default=None, description="Who knows the tables: Derby beside the warehouse, or nobody once Spark has ended."
    )
    format: Literal["parquet", "delta", "iceberg"] = Field(
        default="parquet", description="Of new tables; delta and iceberg need their jars."
    )
    conf: Mapping[str, str | bool | int | float] = Field(
        default_factory=dict, repr=False, description="Spark's own settings, as in `spark.sql.shuffle.partitions: 8`."
    )

    @field_validator("remote")
    @classmethod
    def _is_connect(cls, remote: SecretStr | None) -> SecretStr | None:
        # Whatever a parser says of a wrong one may hold the token.
        if remote is not None and not remote.get_secret_value().startswith(("sc://", "local")):
            raise ValueError("a remote begins with sc://")
        return remote

    @field_validator("database")
    @classmethod
    def _is_a_name(cls, database: str) -> str:
        if not re.fullmatch(_NAME, database):
            raise ValueError("must be a name of letters, digits and _ alone, such as analytics_dev")
        return database

    @property
    def is_local(self) -> bool:
        """Whether Spark runs in a process of this machine, whose warehouse and metastore are ours to choose."""
        return self.remote is None and self.master.startswith("local")


class DatabricksSparkProfile(BaseModel):
    """A profile whose engine is Spark."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    engine: Literal["databricks_spark"]
    databricks_spark: DatabricksSparkSettings = Field(default_factory=DatabricksSparkSettings)
