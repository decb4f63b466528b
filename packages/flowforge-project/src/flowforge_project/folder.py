"""The project folder: where its files lie, and the ports it fulfils."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flowforge_domain.errors import ConfigError
from flowforge_domain.text import Location, line_of
from flowforge_ports.project import ProjectPorts

CACHE_FILE = Path(".flowforge", "cache", "parse.json")


@dataclass(frozen=True, slots=True)
class ProjectFile:
    """A file of the project: where it is, and its name relative to the project with forward slashes."""

    path: Path
    name: str

    def read(self) -> bytes:
        """Return the content; raise `ConfigError` when it cannot be read."""
        try:
            return self.path.read_bytes()
        except OSError as error:
            raise ConfigError(
                f"The file cannot be read: {error.strerror}.", where=Location(self.name), hint="Check its permissions."
            ) from error


def open_folder(root: Path) -> ProjectPorts:
    """Return the ports of the project in folder `root`; raise `ConfigError` when there is none."""
    from flowforge_project.functions import ModuleFunctions
    from flowforge_project.reader import FolderReader
    from flowforge_project.templates import FileTemplates

    root = root.resolve()
    if not root.is_dir():
        raise ConfigError(f"There is no folder {str(root)!r}.", hint="Name the project's folder: flowforge run PATH.")
    if not any((root / name).exists() for name in ("models", "seeds", "project.yml")):
        raise ConfigError(
            f"{str(root)!r} is no FlowForge project: it has no models/, seeds/ or project.yml.",
            hint="Start one with: flowforge init PATH",
        )
    return ProjectPorts(FolderReader(root), FileTemplates(), ModuleFunctions(root))


def files_below(root: Path, folder: str, suffixes: tuple[str, ...]) -> list[ProjectFile]:
    """Return the files below `folder` whose names end so, in the order of their names.

    Raises `ConfigError` for a link that leaves the project or points at a folder.
    """
    if not (root / folder).is_dir():
        return []
    return sorted(_walk(root, folder, suffixes), key=lambda file: file.name)


def decode(content: bytes, name: str) -> str:
    """Return the text of a project file, which is UTF-8, without a byte-order mark.

    Raises `ConfigError` naming the line of the first byte that is not UTF-8.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = line_of(content[: error.start].decode("utf-8", "replace"), len(content))
        raise ConfigError(
            "The file is not UTF-8.", where=Location(name, line), hint="Save it with the encoding UTF-8."
        ) from error


def _walk(root: Path, folder: str, suffixes: tuple[str, ...]) -> Iterator[ProjectFile]:
    with os.scandir(root / folder) as entries:
        for entry in entries:
            if entry.name.startswith((".", "__pycache__")):
                continue
            name = f"{folder}/{entry.name}"
            if entry.is_symlink():
                _require_inside(root, entry, name)
            if entry.is_dir():
                yield from _walk(root, name, suffixes)
            elif entry.name.endswith(suffixes):
                yield ProjectFile(Path(entry.path), _require_printable(name))


def _require_inside(root: Path, entry: os.DirEntry[str], name: str) -> None:
    if entry.is_dir() or not Path(entry.path).resolve().is_relative_to(root):
        raise ConfigError(
            "A symbolic link must point at a file inside the project.", where=Location(name), hint="Copy the file."
        )


def _require_printable(name: str) -> str:
    if not name.isprintable():
        raise ConfigError(
            f"The file name {name!a} has unprintable characters.", hint="Rename it with letters and digits."
        )
    return name
