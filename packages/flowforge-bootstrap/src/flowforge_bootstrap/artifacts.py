"""Files that FlowForge writes below a project's `.flowforge/`: all can be deleted and made again."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from flowforge_domain.errors import ConfigError
from flowforge_ports.failpoint import failpoint

COMPILED = Path(".flowforge", "compiled")
DOCS = Path(".flowforge", "docs")


def write_text(path: Path, text: str) -> Path:
    """Write a file under a temporary name and rename it, so that no one reads half of it; return the path.

    Raises `ConfigError` when the folder cannot be written.
    """
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(text, encoding="utf-8", newline="\n")
        failpoint("written")
        temporary.replace(path)
        failpoint("renamed")
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise unwritable(path, error) from error
    return path


def unwritable(path: Path, error: OSError) -> ConfigError:
    """Return the error that says why a file or folder cannot be written."""
    blamed = Path(error.filename) if isinstance(error.filename, str) else path
    message = f"{blamed.as_posix()!r} cannot be written: {error.strerror}."
    return ConfigError(message, hint="Check what is there, and the permissions of the folder.")
