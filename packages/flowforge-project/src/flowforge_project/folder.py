"""The project folder: where its files lie, and the ports it fulfils."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from flowforge_domain.config import BUILT_IN
from flowforge_domain.errors import ConfigError
from flowforge_domain.text import Location, line_of
from flowforge_ports.project import ProjectPorts

MACROS, MACRO_SUFFIX = "macros", ".sql"
_NONE: Mapping[str, str] = {}
CACHE_FILE = Path(".flowforge", "cache", "parse.json")


@dataclass(frozen=True, slots=True)
class ProjectFile:
    """A file of the project: where it is, and its name relative to the project with forward slashes."""

    place: str
    name: str

    @property
    def path(self) -> Path:
        """Return where it is."""
        return Path(self.place)

    def read(self) -> bytes:
        """Return the content; raise `ConfigError` when it cannot be read."""
        try:
            with open(self.place, "rb") as file:  # noqa: PTH123 - a Path for each of thousands of files costs as much
                return file.read()
        except OSError as error:
            raise _unreadable("file", self.name, error) from error

    def text(self) -> str:
        """Return the content as text; raise `ConfigError` when it cannot be read or is not UTF-8."""
        return decode(self.read(), self.name)


def open_folder(root: Path, materializations: Collection[str] = BUILT_IN) -> ProjectPorts:
    """Return the ports of the project in folder `root`, whose models may be materialized so.

    Raises `ConfigError` when there is no project.
    """
    from flowforge_project.functions import ModuleFunctions
    from flowforge_project.git import GitChanges
    from flowforge_project.journals import FolderJournals
    from flowforge_project.reader import FolderReader
    from flowforge_project.templates import FileTemplates

    root = root.resolve()
    if not root.is_dir():
        hint = "Name the project's folder: flowforge run PATH. To pick a model: --select NAME."
        raise ConfigError(f"There is no folder {str(root)!r}.", hint=hint)
    if not _is_project(root):
        inside = _is_project(root.parent)
        raise ConfigError(
            f"{str(root)!r} is no FlowForge project: it has no models/, seeds/ or project.yml.",
            hint="The project is its parent: cd .." if inside else "Start one with: flowforge init PATH",
        )
    return ProjectPorts(
        FolderReader(root, materializations),
        FileTemplates(root),
        ModuleFunctions(root),
        GitChanges(root),
        FolderJournals(root),
    )


def files_below(
    root: Path, folder: str, suffixes: tuple[str, ...], nearly: Mapping[str, str] = _NONE
) -> list[ProjectFile]:
    """Return the files below `folder` whose names end so, in the order of their names.

    Raises `ConfigError` for a folder that cannot be read, for a link that leaves the project or points at a folder,
    and for a file that would silently not be read: its name ends so but for case, or as `nearly` has it, which maps
    such an end to the one that is meant.
    """
    if not (root / folder).is_dir():
        return []
    ends = {**nearly, **{suffix: suffix for suffix in suffixes}}
    files = sorted(_walk(root, folder, tuple(ends)), key=lambda file: file.name)
    for file in files:
        if not file.name.endswith(suffixes):
            raise _misnamed(file.name, ends)
    return files


def top_file(root: Path, name: str) -> ProjectFile:
    """Return a file of the project's own folder, whether it is there or not.

    Raises `ConfigError` for one that would silently not be read, since it is called `.yaml`.
    """
    other = Path(name).with_suffix(".yaml").name
    if (root / other).exists():
        raise _misnamed(other, {".yaml": ".yml"})
    return ProjectFile(str(root / name), name)


def decode(content: bytes, name: str) -> str:
    """Return the text of a project file, which is UTF-8, without a byte-order mark.

    Raises `ConfigError` naming the line of the first byte that is not UTF-8, or is NUL.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        where = Location(name, line_of(content[: error.start].decode("utf-8", "replace"), error.start))
        hint = "Save it with the encoding UTF-8."
        raise ConfigError("The file is not UTF-8 text.", where=where, hint=hint) from error
    if "\0" in text:
        where, hint = Location(name, line_of(text, text.index("\0"))), "Remove it, or save the file as UTF-8."
        raise ConfigError("The line holds a NUL byte.", where=where, hint=hint)
    return text


def _is_project(root: Path) -> bool:
    return any((root / name).exists() for name in ("models", "seeds", "project.yml", "project.yaml"))


def _walk(root: Path, folder: str, suffixes: tuple[str, ...]) -> Iterator[ProjectFile]:
    try:
        with os.scandir(root / folder) as entries:
            found = [entry for entry in entries if not entry.name.startswith((".", "__pycache__"))]
    except OSError as error:
        raise _unreadable("folder", folder, error) from error
    for entry in found:
        name = f"{folder}/{entry.name}"
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(root, name, suffixes)
        elif entry.name.lower().endswith(suffixes):
            if entry.is_symlink() or not entry.is_file():
                _require_file_inside(root, entry.path, name)
            yield ProjectFile(entry.path, _require_printable(name))
        elif entry.is_symlink() and Path(entry.path).is_dir():
            _require_file_inside(root, entry.path, name)


def _require_file_inside(root: Path, place: str, name: str) -> None:
    """Refuse what is no file, or a link that leads out of the project."""
    real = Path(os.path.realpath(place))  # Path.resolve() gives up on a link that points at itself
    if not real.is_file() or not real.is_relative_to(root):
        raise ConfigError(
            "This must be a file, or a symbolic link to a file inside the project.",
            where=Location(name),
            hint="Put the file itself here, or remove this.",
        )


def _require_printable(name: str) -> str:
    if not name.isprintable():
        message, where = f"The file name {name!a} has unprintable characters.", Location(ascii(name)[1:-1])
        raise ConfigError(message, where=where, hint="Rename it with letters and digits.")
    return name


def _misnamed(name: str, ends: Mapping[str, str]) -> ConfigError:
    written = max((end for end in ends if name.lower().endswith(end)), key=len)
    message = f"This file is not read: its name must end with {ends[written]}."
    return ConfigError(message, where=Location(name), hint=f"Rename it to {name[: -len(written)]}{ends[written]}.")


def _unreadable(what: str, name: str, error: OSError) -> ConfigError:
    hint = "Check its permissions." if isinstance(error, PermissionError) else "Check what stands there."
    return ConfigError(f"The {what} cannot be read: {error.strerror}.", where=Location(name), hint=hint)
