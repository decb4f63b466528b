"""Files that FlowForge writes below a project's `.flowforge/`: all can be deleted and made again."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from flowforge_domain.errors import ConfigError
from flowforge_ports.failpoint import failpoint

COMPILED = Path(".flowforge", "compiled")
DOCS = Path(".flowforge", "docs")
MANIFEST = Path(".flowforge", "manifest.json")
RESULTS = Path(".flowforge", "run_results.json")


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


def file_checksum(path: Path) -> str:
    """Return the checksum of a file's content; raise `ConfigError` when it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise unreadable(path, error) from error


def unwritable(path: Path, error: OSError) -> ConfigError:
    """Return the error that says why a file or folder cannot be written."""
    blamed = Path(error.filename) if isinstance(error.filename, str) else path
    message = f"{blamed.as_posix()!r} cannot be written: {error.strerror}."
    return ConfigError(message, hint="Check what is there, and the permissions of the folder.")


def unreadable(path: Path, error: OSError) -> ConfigError:
    """Return the error that says why a file cannot be read."""
    message = f"{path.as_posix()!r} cannot be read: {error.strerror}."
    return ConfigError(message, hint="Check what is there, and its permissions.")
