"""Generates projects: light SQL models in layers, each with one to three parents of the layer above.

Half the models are plain selects, half say `create or replace table`. The first layer makes 100 rows of `range()`,
and every model keeps 100 rows, so that what a framework adds is not lost in the engine's work.
"""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

LAYERS = 10
DATABASE = "bench.duckdb"
DUCKDB = f"default:\n  engine: duckdb\n  duckdb:\n    path: {DATABASE}\n"
_FROM = ("{0} as a", "{0} as a join {1} as b using (id)", "{0} as a join {1} as b using (id) join {2} as c using (id)")
_VALUE = ("a.value + 1", "a.value + b.value", "a.value + b.value - c.value")


def write_light(root: Path, count: int, profile: str = DUCKDB, numbers: str = "range(100)") -> list[str]:
    """Write a project of `count` models into `root` and return their names in run order.

    `numbers` gives the engine's rows of a column `range`.
    """
    write_frame(root, profile)
    rng = random.Random(count)
    layers = _names(count)
    for number, layer in enumerate(layers):
        above = layers[number - 1] if number else []
        folder = root / "models" / f"layer_{number}"
        folder.mkdir(parents=True)
        for i, name in enumerate(layer):
            select = _select(rng.sample(above, min(len(above), rng.randint(1, 3))), numbers)
            text = select if i % 2 else f"create or replace table {name} as\n{select}"
            (folder / f"{name}.ff.sql").write_text(f"{text}\n", encoding="utf-8")
    return [name for layer in layers for name in layer]


def write_frame(root: Path, profile: str = DUCKDB) -> None:
    """Write what a project has besides models."""
    root.mkdir()
    (root / "project.yml").write_text("name: bench\n", encoding="utf-8")
    (root / "profiles.yml").write_text(profile, encoding="utf-8")


def forget(root: Path, *, cache: bool, database: bool) -> Callable[[], None]:
    """Return what takes away a project's parse cache, its database, or both."""

    def take_away() -> None:
        kept = root / ".flowforge"
        if cache and kept.exists():
            # Not deleted: for minutes ext4 gives no number of a deleted file to a new one, and steps over each of
            # them for each new file, so that a thousand files written after a thousand deleted ones took ten times
            # as long (half a second) as in a folder where nothing was before.
            kept.rename(Path(tempfile.mkdtemp(prefix="forgotten_", dir=root.parent), kept.name))
        if database:
            delete_database(root / DATABASE)

    return take_away


def put_back(database: Path) -> Callable[[], None]:
    """Keep a copy of a database and return what puts it back."""
    kept = database.with_suffix(".kept")
    shutil.copyfile(database, kept)
    return partial(_put_back, kept, database)


def delete_database(path: Path) -> None:
    """Delete a database file and what lies beside it."""
    for suffix in ("", ".wal", ".lock", ".seal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _put_back(kept: Path, database: Path) -> None:
    delete_database(database)
    shutil.copyfile(kept, database)


def _names(count: int) -> list[list[str]]:
    layers = min(LAYERS, count)
    return [[f"m{layer}_{i:04}" for i in range(layer, count, layers)] for layer in range(layers)]


def _select(parents: list[str], numbers: str) -> str:
    if not parents:
        return f"select range as id, range * 3 as value from {numbers}"
    tables = _FROM[len(parents) - 1].format(*(f"{{{{ ref('{name}') }}}}" for name in parents))
    return f"select\n    a.id,\n    {_VALUE[len(parents) - 1]} as value\nfrom {tables}"
