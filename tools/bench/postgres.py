"""`flowforge run` of light SQL models on PostgreSQL against a script that executes the same statements."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path

from bench.figures import Figure, Measured, cpus, processes, ratio_beyond, walls
from bench.processes import BARE, FLOWFORGE, PYTHON, Variant, interleaved, run
from bench.projects import write_light
from bench.run import statements

# The server of the tests.
sys.path.append(str(Path(__file__).parents[1]))

_SMALL, _LARGE = 10, 200
_FLOWFORGE, _ONE = "`flowforge run`", "`flowforge run --jobs 1`"
_SWAP, _DROP = "bare script that swaps", "bare script that drops first"
_RATIO = 1.3
_NUMBERS = "generate_series(0, 99) as range"
# Of the size that a state row of such a model has.
_STATE = f"insert into bare_state values ('{{0}}', 'run', '{'x' * 700}')"
_NOTE = (
    f"Every table stands already and is replaced. Beyond start-up: {_SMALL} models are subtracted from {_LARGE}. Each "
    "script executes what `flowforge compile` wrote, one transaction each. One does what FlowForge does: builds "
    "beside, drops, renames, writes a state row. The other drops, builds and keeps no state; readers wait for it. "
    "FlowForge builds four models at once, the scripts one after the other. The server syncs nothing to disk, for all. "
    "With one job FlowForge sends five times for a model, the script six times. What it takes beyond the script is the "
    "server's work on the question whether anything hangs on what stands, asked twice, which the script does not ask: "
    "about 0.1 ms; the rest is the client's CPU. Of that two fifths are psycopg and the session around it, a fifth "
    "rendering, fingerprints and proofs, a fifth the state row, the journal and what is printed; the rest is thin."
)


def measure(folder: Path, rounds: int) -> Measured:
    """Replace 200 and 10 tables."""
    import postgres_server

    variants = []
    for count in (_SMALL, _LARGE):
        dsn = postgres_server.new_database()
        variants += _variants(folder, count, dsn)
    samples = interleaved(variants, rounds)
    figures = []
    for ours, bare in ((_FLOWFORGE, _SWAP), (_FLOWFORGE, _DROP), (_ONE, _SWAP)):
        sizes = _sizes(ours), _sizes(bare)
        most = _RATIO if bare == _SWAP else None
        title = f"PostgreSQL: {ours}, {_LARGE} models to the {bare}"
        figures += [
            Figure(title, ratio_beyond(walls, samples, *sizes), "x", most),
            Figure("the same, CPU of the client", ratio_beyond(cpus, samples, *sizes), "x"),
        ]
    return Measured("postgres", figures, processes(samples), [_NOTE], rounds)


def profile(dsn: str) -> str:
    """Return the profiles.yml of a project on this database."""
    return f"default:\n  engine: postgres\n  postgres:\n    dsn: {json.dumps(dsn)}\n"


def _variants(folder: Path, count: int, dsn: str) -> list[Variant]:
    import postgres_server

    root = folder / f"light_{count}"
    names = write_light(root, count, profile(dsn), _NUMBERS)
    built = [text.strip().rstrip(";") for text in statements(root, names)]
    run(FLOWFORGE, "run", str(root))
    postgres_server.run("create table bare_state (like _flowforge_state)", dsn)
    return [
        # Nothing that the models read has changed: without `--no-cache` they would be left as they are.
        Variant(_named(_FLOWFORGE, count), [FLOWFORGE, "run", str(root), "--no-cache"]),
        Variant(_named(_ONE, count), [FLOWFORGE, "run", str(root), "--no-cache", "--jobs", "1"]),
        _bare(folder, _SWAP, count, dsn, (_swapped(name, text) for name, text in zip(names, built, strict=True))),
        _bare(folder, _DROP, count, dsn, ((_drop(n), text) for n, text in zip(names, built, strict=True))),
    ]


def _bare(folder: Path, name: str, count: int, dsn: str, transactions: Iterable[tuple[str, ...]]) -> Variant:
    listed = folder / f"{name.replace(' ', '_')}_{count}.json"
    listed.write_text(json.dumps(list(transactions)), encoding="utf-8")
    return Variant(_named(name, count), [PYTHON, str(BARE / "transactions.py"), dsn, str(listed)])


def _swapped(name: str, text: str) -> tuple[str, ...]:
    aside = text.replace(f'"{name}"', f'"{name}_new"', 1)
    return aside, _drop(name), f"alter table {name}_new rename to {name}", _STATE.format(name)


def _drop(name: str) -> str:
    return f"drop table {name}"


def _named(what: str, count: int) -> str:
    return f"{what}, {count} models"


def _sizes(what: str) -> tuple[str, str]:
    return _named(what, _LARGE), _named(what, _SMALL)
