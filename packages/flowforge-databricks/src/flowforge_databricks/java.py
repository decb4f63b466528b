"""The Java that a local Spark needs: found before Spark is started, or asked for in one line."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from flowforge_domain.errors import EngineError, ErrorKind

OLDEST = 17
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
