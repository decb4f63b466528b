"""Files that FlowForge writes below a project's `.flowforge/`: all can be deleted and made again."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from io import FileIO
from pathlib import Path
from threading import get_ident
from typing import Any

from flowforge_domain.errors import ConfigError
from flowforge_domain.fingerprint import fingerprint
from flowforge_domain.manifest import Manifest
from flowforge_domain.manifest_facts import manifest_facts
from flowforge_ports.failpoint import failpoint
from flowforge_ports.project import ProjectReader

COMPILED = Path(".flowforge", "compiled")
DOCS = Path(".flowforge", "docs")
MANIFEST = Path(".flowforge", "manifest.json")
RESULTS = Path(".flowforge", "run_results.json")
CACHE = Path(".flowforge", "cache")

# The content of a seed beyond this is not told in the manifest: every run would take the time to read it.
_MOST_BYTES = 32 * 1024 * 1024


def write_text(path: Path, text: str) -> Path:
    """Write a file under a temporary name and rename it, so that no one reads half of it; return the path.

    Raises `ConfigError` when the folder cannot be written.
    """
    _write(path, text.encode())
    return path


def write_changed(path: Path, text: str) -> None:
    """Write a file unless it says so already; raise `ConfigError` when the folder cannot be written."""
    content = text.encode()
    if not _holds(path, content):
        _write(path, content)


def compiled_file(root: Path, file: str) -> Path:
    """Return where the SQL of the model in `file` is written."""
    return root / COMPILED / f"{file.removesuffix('.ff.sql')}.sql"


def write_manifest(manifest: Manifest, reader: ProjectReader) -> None:
    """Write the facts of a project, where they differ; raise `ConfigError` when the folder cannot be written."""
    sums = {name: file_checksum(seed.path) for name, seed in manifest.seeds.items() if _is_small(seed.path)}
    write_changed(manifest.root / MANIFEST, as_json(manifest_facts(manifest, sums, imported_modules(manifest, reader))))


def imported_modules(manifest: Manifest, reader: ProjectReader) -> dict[str, dict[str, str]]:
    """Return the checksums of what each Python model imports of the project; raise `ConfigError` as the reader does."""
    python = [node for node in manifest.nodes.values() if node.kind == "python"]
    codes = ((node, reader.code(node).files) for node in python)
    return {
        node.name: {file: fingerprint(text) for file, text in sorted(files.items()) if file != node.file}
        for node, files in codes
    }


def as_json(facts: Mapping[str, Any]) -> str:
    """Return facts as JSON, one line for each node or result, so that two of them can be compared by eye."""
    return _block("{", (f"{json.dumps(key)}: {_json_value(value)}" for key, value in facts.items()), "}") + "\n"


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


def _holds(path: Path, content: bytes) -> bool:
    try:
        with FileIO(path) as file:
            return file.readall() == content
    except OSError:
        return False


def _write(path: Path, content: bytes) -> None:
    # Not named after the file, whose name may be as long as names can be.
    temporary = f"{os.path.dirname(path)}/.{os.getpid()}.{get_ident()}.tmp"  # noqa: PTH120 - see `_replace`
    try:
        try:
            _replace(path, temporary, content)
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True)
            _replace(path, temporary, content)
    except OSError as error:
        with suppress(OSError):
            Path(temporary).unlink()
        if error.filename == temporary:
            # What nobody has heard of is not to blame, but where it could not be made, or what it could not become.
            error.filename = error.filename2 or str(path.parent)
        raise unwritable(path, error) from error


def _replace(path: Path, temporary: str, content: bytes) -> None:
    with FileIO(temporary, "wb") as file:
        file.write(content)
    failpoint("written")
    os.replace(temporary, path)  # noqa: PTH105 - a Path more for each of thousands of files costs as much
    failpoint("renamed")


def _is_small(path: Path) -> bool:
    try:
        return path.stat().st_size <= _MOST_BYTES
    except OSError:
        return False


def _json_value(value: Any) -> str:
    if isinstance(value, Mapping) and value:
        return _block("{", (f"  {json.dumps(key)}: {json.dumps(each)}" for key, each in value.items()), "}")
    if isinstance(value, list) and value:
        return _block("[", (f"  {json.dumps(each)}" for each in value), "]")
    return json.dumps(value)


def _block(opening: str, lines: Iterable[str], closing: str) -> str:
    return "\n".join((opening, ",\n".join(lines), closing))
