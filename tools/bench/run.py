"""`flowforge run` of light SQL models against a script that executes the same statements."""

from __future__ import annotations

import json
import subprocess
from functools import partial
from pathlib import Path

from bench.figures import Figure, Measured, cpus, peaks, processes, ratio_beyond, walls
from bench.paired import median_difference
from bench.processes import BARE, FLOWFORGE, PYTHON, Samples, Variant, interleaved, run
from bench.projects import DATABASE, delete_database, forget, write_light

_SMALL, _LARGE = 10, 1000
# The names of what is compared; each is run on both sizes.
_FIRST, _AGAIN = "`flowforge run`, nothing cached", "`flowforge run`, files parsed before"
_ONE = "`flowforge run --jobs 1`, nothing cached"
_BARE = "bare script"
_BLOCKS, _EXPLICIT = "bare script, blocks as FlowForge's", "bare script, blocks as FlowForge's, `begin` and `commit`"
_SCRIPTS = (_BARE, _BLOCKS, _EXPLICIT)
_REACH = {(_FIRST, _BARE): 1.0, (_ONE, _BARE): 1.35}
_OTHERS, _MEMORY = 1.5, 60
_NOTE = (
    f"Times are taken beyond start-up: those of {_SMALL} models are subtracted from those of {_LARGE:,}, on both sides "
    "and in the same round. The bare script executes what `flowforge compile` wrote, each statement committing by "
    "itself, and keeps no state. FlowForge makes new files with smaller blocks than DuckDB's 256 KB, so there is a "
    "script that does so too, and one that also says `begin` and `commit`, as who writes a state row must. "
    "FlowForge builds several models at once, the scripts one after the other: it takes less time for more work. With "
    "one job the profile shows more than half in DuckDB's own statements, an eighth in its last checkpoint, and the "
    "rest spread thin: reading models, fingerprints, the journal's lines. What nothing cached takes longer than files "
    "parsed before is the parse and a new file of compiled SQL for each model. The cache is taken away, not deleted: "
    "for minutes after a thousand files were deleted, ext4 takes ten times as long to make a thousand new ones, which "
    "once gave 1.4."
)


def measure(folder: Path, rounds: int) -> Measured:
    """Build 1,000 and 10 models into a new file each time."""
    variants = [variant for count in (_SMALL, _LARGE) for variant in _variants(folder, count)]
    samples = interleaved(variants, rounds)
    times = [figure for ours in (_FIRST, _ONE, _AGAIN) for bare in _SCRIPTS for figure in _times(samples, ours, bare)]
    memory = [
        Figure(f"{_FIRST}, {_LARGE:,} models: peak memory beyond the {bare}", _memory(samples, bare), "MB", _MEMORY)
        for bare in (_BARE, _BLOCKS)
    ]
    return Measured("run", [*times, *memory], processes(samples), [_NOTE], rounds)


def statements(root: Path, names: list[str]) -> list[str]:
    """Return the SQL that FlowForge executes for each model."""
    run(FLOWFORGE, "compile", str(root))
    found = {path.stem: path.read_text(encoding="utf-8") for path in root.glob(".flowforge/compiled/**/*.sql")}
    return [found[name] for name in names]


def _variants(folder: Path, count: int) -> list[Variant]:
    root = folder / f"light_{count}"
    names = write_light(root, count)
    flowforge = [FLOWFORGE, "run", str(root)]
    run(*flowforge)
    blocks = block_size(root / DATABASE)
    options = {_BARE: (), _BLOCKS: (blocks,), _EXPLICIT: (blocks, "explicit")}
    return [
        Variant(_named(_FIRST, count), flowforge, forget(root, cache=True, database=True)),
        Variant(_named(_ONE, count), [*flowforge, "--jobs", "1"], forget(root, cache=True, database=True)),
        Variant(_named(_AGAIN, count), flowforge, forget(root, cache=False, database=True)),
        *(bare_script(_named(name, count), folder, root, names, *options[name]) for name in _SCRIPTS),
    ]


def bare_script(name: str, folder: Path, root: Path, models: list[str], *options: str) -> Variant:
    """Return the script that executes a project's statements; `options` are the size of blocks, and `explicit`."""
    database, listed = folder / "bare.duckdb", folder / f"{root.name}.json"
    listed.write_text(json.dumps(statements(root, models)), encoding="utf-8")
    command = [PYTHON, str(BARE / "statements.py"), str(database), str(listed), *options]
    return Variant(name, command, partial(delete_database, database))


def block_size(database: Path) -> str:
    """Return the size of a file's blocks; in another process, since DuckDB here would make every child start large."""
    query = "select block_size from pragma_database_size()"
    script = f"import duckdb, sys; print(duckdb.connect(sys.argv[1]).execute({query!r}).fetchone()[0])"
    return subprocess.check_output([PYTHON, "-c", script, str(database)], text=True).strip()


def _named(what: str, count: int) -> str:
    return f"{what}, {count:,} models"


def _times(samples: Samples, ours: str, bare: str) -> list[Figure]:
    sizes, title = (_sizes(ours), _sizes(bare)), f"{ours}, {_LARGE:,} models to the {bare}"
    return [
        Figure(title, ratio_beyond(walls, samples, *sizes), "x", _REACH.get((ours, bare), _OTHERS)),
        Figure("the same, CPU", ratio_beyond(cpus, samples, *sizes), "x"),
    ]


def _sizes(what: str) -> tuple[str, str]:
    return _named(what, _LARGE), _named(what, _SMALL)


def _memory(samples: Samples, bare: str) -> float:
    return median_difference(peaks(samples, _named(_FIRST, _LARGE)), peaks(samples, _named(bare, _LARGE)))
