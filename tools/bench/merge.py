"""An incremental model that merges a million changed rows into ten million, against the bare `merge`."""

from __future__ import annotations

import json
from pathlib import Path

from bench.figures import Figure, Measured, cpus, processes, ratio_beyond, walls
from bench.processes import BARE, FLOWFORGE, PYTHON, Variant, interleaved, run
from bench.projects import DATABASE, put_back, write_frame

_SMALL, _LARGE = 10, 10_000_000
_FLOWFORGE, _BARE = "`flowforge run` of an incremental model", "bare `merge`"
_ROWS = "range as id, range % 1000 as customer, (range % 977) / 8.0 as price"
_MODEL = """{{{{ config(materialized='incremental', unique_key='id') }}}}
{{% if is_incremental() %}}
{changed}
{{% else %}}
{everything}
{{% endif %}}
"""
_NOTE = (
    "A tenth of the rows is new or changed. Beyond start-up: what ten rows take is subtracted on both sides. FlowForge "
    "stages the new rows, asks whether their key is one, and merges; the bare statement merges the query itself. Of "
    "what is beyond it, two thirds are the staging, without which the query would run twice; asking for the key takes "
    "5 ms where it rises, 80 where it does not. A bare script that stages and asks as well takes 1.12 to 1.15 times "
    "the CPU of the `merge` alone: what FlowForge does besides is a few hundredths."
)


def measure(folder: Path, rounds: int) -> Measured:
    """Merge into a table of ten rows, and of ten million."""
    variants = [variant for count in (_SMALL, _LARGE) for variant in _variants(folder / str(count), count)]
    samples = interleaved(variants, rounds)
    ours, bare = ((_named(what, _LARGE), _named(what, _SMALL)) for what in (_FLOWFORGE, _BARE))
    what = f"{_LARGE // 10:,} changed rows into {_LARGE:,}, to the {_BARE}"
    figures = [
        Figure(what, ratio_beyond(walls, samples, ours, bare), "x", 1.1),
        Figure("the same, CPU", ratio_beyond(cpus, samples, ours, bare), "x"),
    ]
    return Measured("merge", figures, processes(samples), [_NOTE], rounds)


def _variants(folder: Path, count: int) -> list[Variant]:
    root = folder / "project"
    folder.mkdir()
    write_frame(root)
    (root / "models").mkdir()
    changed = f"select {_ROWS} from range({count // 2}, {count // 2 + max(1, count // 10)})"
    everything = f"select {_ROWS} from range({count})"
    model = _MODEL.format(changed=changed, everything=everything)
    (root / "models" / "sales.ff.sql").write_text(model, encoding="utf-8")
    run(FLOWFORGE, "run", str(root))
    listed = folder / "statements.json"
    listed.write_text(json.dumps([_merge(changed)]), encoding="utf-8")
    # Nothing that the model reads has changed: without this it would be left as it is.
    again = [FLOWFORGE, "run", str(root), "--no-cache"]
    bare = [PYTHON, str(BARE / "statements.py"), str(root / DATABASE), str(listed)]
    restored = put_back(root / DATABASE)
    return [Variant(_named(_FLOWFORGE, count), again, restored), Variant(_named(_BARE, count), bare, restored)]


def _merge(changed: str) -> str:
    return (
        f"merge into sales as target using ({changed}) as source on target.id = source.id "
        "when matched then update set customer = source.customer, price = source.price "
        "when not matched then insert (id, customer, price) values (source.id, source.customer, source.price)"
    )


def _named(what: str, count: int) -> str:
    return f"{what}, {count:,} rows"
