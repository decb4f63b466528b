"""`flowforge test`: 500 data-quality tests on 1,000 models against the same queries by hand."""

from __future__ import annotations

import json
from pathlib import Path

from bench.figures import Figure, Measured, cpus, processes, ratio_beyond, walls
from bench.processes import BARE, FLOWFORGE, PYTHON, Variant, interleaved, run
from bench.projects import DATABASE, write_light

_MODELS, _MANY, _FEW = 1000, 500, 5
_FLOWFORGE, _BARE = "`flowforge test`", "bare queries"
# The entry in project.yml, and the query that FlowForge makes of it.
_CHECKS = (
    ("not_null", 'select count(*) from "{0}" where "value" is null'),
    (
        "unique",
        'select count(*) from (select "id" from "{0}" where "id" is not null group by "id" having count(*) > 1) as d',
    ),
)
_COLUMNS = {"not_null": "value", "unique": "id"}


def measure(folder: Path, rounds: int) -> Measured:
    """Run many and few tests on databases that are built once."""
    variants = [variant for count in (_MANY, _FEW) for variant in _variants(folder / str(count), count)]
    samples = interleaved(variants, rounds)
    ours, bare = ((_named(what, _MANY), _named(what, _FEW)) for what in (_FLOWFORGE, _BARE))
    figures = [
        Figure(
            f"{_FLOWFORGE}, {_MANY} tests on {_MODELS:,} models, to the {_BARE}",
            ratio_beyond(walls, samples, ours, bare),
            "x",
        ),
        Figure("the same, CPU", ratio_beyond(cpus, samples, ours, bare), "x"),
    ]
    return Measured("checks", figures, processes(samples), [_NOTE], rounds)


_NOTE = f"Half are `not_null`, half `unique`; beyond start-up, which is the same command with {_FEW} tests."


def _variants(root: Path, count: int) -> list[Variant]:
    names = write_light(root, _MODELS)
    checked = [(names[-i * 2 - 1], *_CHECKS[i % 2]) for i in range(count)]
    entries = [f"  - {{type: {kind}, table: {name}, column: {_COLUMNS[kind]}}}\n" for name, kind, _ in checked]
    (root / "project.yml").write_text(f"name: bench\ntests:\n{''.join(entries)}", encoding="utf-8")
    run(FLOWFORGE, "run", str(root))
    queries = root / "queries.json"
    queries.write_text(json.dumps([query.format(name) for name, _, query in checked]), encoding="utf-8")
    return [
        Variant(_named(_FLOWFORGE, count), [FLOWFORGE, "test", str(root)]),
        Variant(_named(_BARE, count), [PYTHON, str(BARE / "queries.py"), str(root / DATABASE), str(queries)]),
    ]


def _named(what: str, count: int) -> str:
    return f"{what}, {count} tests"
