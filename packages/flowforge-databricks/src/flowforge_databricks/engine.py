"""A database of Spark as an engine: what the core asks for, said in Spark's words.

`connection.py` starts Spark or reaches it, `session.py` runs statements, `catalog.py` replaces relations.
"""

from __future__ import annotations

from functools import partial
from hashlib import sha256
from pathlib import Path

from pyspark.cloudpickle import register_pickle_by_value

from flowforge_databricks.catalog import SparkCatalog, SparkReplacer
from flowforge_databricks.connection import SPARKS_OWN, WAREHOUSE, formats_of, open_session
from flowforge_databricks.frames import SparkFrames
from flowforge_databricks.lock import SparkLock
from flowforge_databricks.plugin import SPECS
from flowforge_databricks.seeds import SparkSeeds
from flowforge_databricks.session import SparkSqlSession
from flowforge_databricks.settings import DatabricksSparkProfile, DatabricksSparkSettings
from flowforge_databricks.sources import IcebergVersions
from flowforge_domain.holder import Claim
from flowforge_ports.engine import Engine


def open_engine(profile: DatabricksSparkProfile, root: Path, claim: Claim) -> Engine:  # noqa: ARG001 - anyone may open it
    """Start or reach Spark and open the profile's database; a relative warehouse is relative to `root`.

    Raises `EngineError` of kind UNREACHABLE.
    """
    settings = profile.databricks_spark
    return _engine(open_session(settings, root), settings, root)


def _engine(session: SparkSqlSession, settings: DatabricksSparkSettings, root: Path) -> Engine:
    spec = SPECS[settings.format]
    target = ".".join(part for part in (settings.catalog, settings.database) if part)
    catalog = SparkCatalog(session, settings.database, mixed=session.catalog() == SPARKS_OWN)
    # A list is trusted where most models ask nothing: `create or replace` takes a table's place whatever stands.
    standing = catalog.last_listed if "table" in spec.dialect.replaces else catalog.kind
    replacer = SparkReplacer(catalog, spec.dialect, standing)
    frames = SparkFrames(session, spec.dialect, replacer)
    return Engine(
        name=spec.name,
        target=f"{target} on {settings.master if settings.remote is None else 'Spark Connect'}",
        dialect=spec.dialect,
        capabilities=spec.capabilities,
        session=session,
        catalog=catalog,
        lock=SparkLock(_lock_file(settings, target, root), target),
        fork=lambda: _engine(open_session(settings, root), settings, root),
        frames=frames,
        seeds=SparkSeeds(session, frames),
        replacer=replacer,
        formats=partial(formats_of, session),
        sources=IcebergVersions(session, settings.database) if settings.format == "iceberg" else None,
        # Workers of Spark cannot import what FlowForge has imported of the project: it is sent to them whole.
        carry=register_pickle_by_value,
        keeps=not (settings.is_local and settings.metastore == "memory"),
    )


def _lock_file(settings: DatabricksSparkSettings, target: str, root: Path) -> Path:
    if settings.is_local:
        return root / Path(settings.warehouse or WAREHOUSE).expanduser() / f"_{settings.database}.lock"
    where = settings.master if settings.remote is None else settings.remote.get_secret_value()
    return root / ".flowforge" / f"{sha256(f'{where} {target}'.encode()).hexdigest()[:16]}.lock"
