"""The Java that a local Spark needs: found before Spark is started, or asked for in one line; and how it is started."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pyspark import SparkContext

from flowforge_domain.errors import EngineError, ErrorKind

OLDEST = 17
_ARGUMENTS = "PYSPARK_SUBMIT_ARGS"
_HINT = "Install one, e.g. `apt install openjdk-17-jre-headless` or `brew install openjdk@17`, and set JAVA_HOME."


def require_java() -> None:
    """Raise `EngineError` of kind UNREACHABLE where there is no Java that Spark can run on."""
    home = os.environ.get("JAVA_HOME")
    java = shutil.which(str(Path(home) / "bin" / "java")) if home else shutil.which("java")
    if java is None:
        where = f"JAVA_HOME={home} holds none" if home else "none is on the PATH"
        raise EngineError(f"Spark needs Java {OLDEST} or newer; {where}.", kind=ErrorKind.UNREACHABLE, hint=_HINT)
    told = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr  # noqa: S603
    version = re.search(r'version "(?:1\.)?(\d+)', told)
    if version is not None and int(version[1]) < OLDEST:
        message = f"Spark needs Java {OLDEST} or newer; {java} is {version[1]}."
        raise EngineError(message, kind=ErrorKind.UNREACHABLE, hint=_HINT)


def start_java(conf: Mapping[str, str]) -> None:
    """Start Java with Spark's settings, where none runs in this process.

    They stand in a file that goes when Java has read it: PySpark would write them into the arguments of Java, which any
    user of the machine can read.
    """
    with tempfile.NamedTemporaryFile("w", prefix="flowforge-", suffix=".conf", encoding="ascii") as file:
        file.writelines(f"{_escaped(key)}={_escaped(value)}\n" for key, value in conf.items())
        file.flush()
        with _submitting(f"--properties-file {shlex.quote(file.name)} --load-spark-defaults"):
            SparkContext._ensure_initialized()  # noqa: SLF001 - PySpark has no public word for Java without a Spark


@contextmanager
def _submitting(options: str) -> Iterator[None]:
    """Have PySpark give Java's launcher these options, before those of the user's own environment."""
    given = os.environ.get(_ARGUMENTS)
    os.environ[_ARGUMENTS] = f"{options} {given or 'pyspark-shell'}"
    try:
        yield
    finally:
        if given is None:
            del os.environ[_ARGUMENTS]
        else:
            os.environ[_ARGUMENTS] = given


def _escaped(text: str) -> str:
    """Return a text as a properties file of Java holds it: each sign that could mean anything by its code."""
    units = memoryview(text.encode("utf-16-le")).cast("H")
    return "".join(chr(unit) if unit < 128 and chr(unit).isalnum() else f"\\u{unit:04x}" for unit in units)
