"""Ten models over ten million rows against a script that executes the same statements: nothing should be added."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

from bench.figures import Figure, Measured, cpus, processes, ratio_beyond, walls
from bench.processes import BARE, FLOWFORGE, PYTHON, Variant, interleaved, run
from bench.projects import DATABASE, delete_database, forget, write_frame
from bench.run import block_size, statements

_SMALL, _LARGE = 10, 10_000_000
_FLOWFORGE, _FLOWFORGE_ONE, _BARE = "`flowforge run`", "`flowforge run --jobs 1`", "bare script"
_FIRST = "select range as id, range % 1000 as customer, (range % 977) / 8.0 as price, 'c' || (range % 50) as country"
_NEXT = (
    "select id, customer, price * 1.1 as price, country from {{ ref('sales') }} where id % 2 = 0",
    "select customer, count(*) as sales, sum(price) as revenue from {{ ref('sales') }} group by customer",
    "select country, avg(price) as price from {{ ref('sales') }} group by country",
    "select s.*, c.revenue from {{ ref('sales') }} as s join {{ ref('model_2') }} as c using (customer)",
    "select id, upper(country) as country from {{ ref('sales') }}",
    "select id % 100 as part, max(price) as most from {{ ref('model_1') }} group by part",
    "select id, price, row_number() over (partition by customer order by id) as nth from {{ ref('model_1') }}",
    "select country, sum(revenue) as revenue from {{ ref('model_4') }} group by country",
    "select count(*) as n from {{ ref('model_5') }}",
)
_NOTE = "Beyond start-up: the same models over ten rows are subtracted. DuckDB uses both cores in all of them."


def measure(folder: Path, rounds: int) -> Measured:
    """Build ten models of ten rows, and of ten million."""
    variants = [variant for count in (_SMALL, _LARGE) for variant in _variants(folder / str(count), count)]
    samples = interleaved(variants, rounds)
    figures = []
    for what in (_FLOWFORGE, _FLOWFORGE_ONE):
        ours, bare = ((_named(each, _LARGE), _named(each, _SMALL)) for each in (what, _BARE))
        title = f"{what}, 10 models over {_LARGE:,} rows, to the {_BARE}"
        figures += [
            Figure(title, ratio_beyond(walls, samples, ours, bare), "x", 1.05),
            Figure("the same, CPU", ratio_beyond(cpus, samples, ours, bare), "x"),
        ]
    return Measured("wide", figures, processes(samples), [_NOTE], rounds)


def _variants(folder: Path, count: int) -> list[Variant]:
    root, bare = folder / "project", folder / "bare.duckdb"
    folder.mkdir()
    write_frame(root)
    (root / "models").mkdir()
    models = {"sales": f"{_FIRST} from range({count})", **{f"model_{i}": q for i, q in enumerate(_NEXT, start=1)}}
    for name, query in models.items():
        (root / "models" / f"{name}.ff.sql").write_text(f"{query}\n", encoding="utf-8")
    listed = folder / "statements.json"
    listed.write_text(json.dumps(statements(root, list(models))), encoding="utf-8")
    anew = forget(root, cache=True, database=True)
    return [
        Variant(_named(_FLOWFORGE, count), [FLOWFORGE, "run", str(root)], anew),
        Variant(_named(_FLOWFORGE_ONE, count), [FLOWFORGE, "run", str(root), "--jobs", "1"], anew),
        Variant(
            _named(_BARE, count),
            [PYTHON, str(BARE / "statements.py"), str(bare), str(listed), _block_size(root)],
            partial(delete_database, bare),
        ),
    ]


def _block_size(root: Path) -> str:
    run(FLOWFORGE, "run", str(root))
    return block_size(root / DATABASE)


def _named(what: str, count: int) -> str:
    return f"{what}, 10 models over {count:,} rows"
