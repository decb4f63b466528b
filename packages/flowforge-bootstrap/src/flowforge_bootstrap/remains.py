"""What a killed process leaves below `.flowforge/`: files under temporary names, and the SQL that it was running.

Temporary names end with the number of the process that writes them, so that the next run can tell which are nobody's.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from threading import Thread

from flowforge_bootstrap.artifacts import compiled_file, write_changed
from flowforge_domain.errors import ConfigError
from flowforge_domain.model import Node

FOLDER = ".flowforge"
_RUNNING = "running"
_TEMPORARY = re.compile(r"\.(\d+)(?:\.\d+)?\.tmp")


@dataclass
class CompiledFiles:
    """Keeps the SQL of each model that a command runs, for its end.

    A note tells of it meanwhile, so that it is there whatever becomes of the command: to write a file for each while
    a thousand models are built takes more than it takes to build many of them.
    """

    root: Path
    sql: dict[str, str] = field(default_factory=dict)
    _errors: list[ConfigError] = field(default_factory=list)
    _writer: Thread | None = None

    def __call__(self, node: Node, sql: str) -> None:
        """Take note of what a model is about to run."""
        self.sql[node.file] = sql
        line = json.dumps([node.file, sql]).encode() + b"\n"
        with suppress(OSError):
            file = os.open(self._note, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
            try:
                os.write(file, line)
            finally:
                os.close(file)

    def place(self, node: Node) -> str:
        """Return the file, seen from the project, that holds at the end what a model ran."""
        return compiled_file(Path(), node.file).as_posix()

    def begin(self) -> None:
        """Begin to write when no model runs any more, while the target is closed, which takes as long."""
        self._writer = Thread(target=self._write)
        self._writer.start()

    def write(self) -> None:
        """Write every file that says something else by now; raise `ConfigError` when the folder cannot be written."""
        if self._writer is None:
            self._write()
        else:
            self._writer.join()
        for error in self._errors:
            raise error

    def _write(self) -> None:
        try:
            for file, sql in self.sql.items():
                write_changed(compiled_file(self.root, file), sql)
        except ConfigError as error:
            self._errors.append(error)
        with suppress(OSError):
            self._note.unlink()

    @cached_property
    def _note(self) -> Path:
        return self.root / FOLDER / f"{_RUNNING}.{os.getpid()}.tmp"


def sweep(root: Path, models: Collection[str]) -> None:
    """Remove what dead processes have left, and write the SQL that they were running; what cannot be is left alone.

    `models` are the project's files: a note is data, and may name others.
    """
    for path in list(_left(root)):
        with suppress(OSError, ConfigError):
            if path.name.startswith(f"{_RUNNING}."):
                for file, sql in _noted(path, models):
                    write_changed(compiled_file(root, file), sql)
            path.unlink()


def _left(root: Path) -> Iterator[Path]:
    for folder, _, names in os.walk(root / FOLDER):
        for name in names:
            if name.endswith(".tmp") and (found := _TEMPORARY.search(name)) and not _is_alive(int(found[1])):
                yield Path(folder, name)


def _noted(path: Path, models: Collection[str]) -> Iterator[tuple[str, str]]:
    """Return files and their SQL, up to a line that the kill has torn."""
    for line in path.read_bytes().split(b"\n")[:-1]:
        try:
            file, sql = json.loads(line)
        except (ValueError, TypeError):
            return
        if file in models:
            yield file, str(sql)


def _is_alive(pid: int) -> bool:
    if os.name != "posix":
        # Elsewhere to ask is to end it.
        return True
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
