"""The project that is killed on each engine, and what must be there after the run that follows."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from digest import table_columns
from kill_harness import ROWS, Ground, Harness, Way, artifacts, digests_of_one_build, models_in

BUILD = "cast({{ env_var('BUILD') }} as integer) as build"
MODELS = {
    "a.ff.sql": f"select {BUILD}, cast(n as bigint) as id from generate_series(0, {ROWS - 1}) as t(n)",
    "b.ff.sql": f"create or replace table b as select {BUILD}, id from {{{{ ref('a') }}}}",
    "v.ff.sql": "{{ config(materialized='view') }}\nselect b.build, b.id from {{ ref('b') }} b",
    "p.ff.py": 'from flowforge import model\n@model(deps=["v"])\ndef p(df):\n    return df\n',
    "z.ff.sql": f"select {BUILD}, id from {{{{ ref('p') }}}}",
    # Light ones, which share transactions.
    **{f"l{i}.ff.sql": f"select {BUILD}, id from {{{{ ref('a') }}}}" for i in range(9)},
}
# What brings new rows into a table that stands: each run gives every row a new build.
GROWING = {
    "a.ff.sql": MODELS["a.ff.sql"],
    **{
        f"{name}.ff.sql": f"{{{{ config(materialized='incremental', {config}) }}}}\n"
        "select build, id from {{ ref('a') }}"
        for name, config in {
            "merged": "unique_key='id'",
            "replaced": "unique_key='id', incremental_strategy='delete+insert'",
            "overwritten": "partition_by='id', incremental_strategy='insert_overwrite'",
        }.items()
    },
    # A second run of one build adds nothing.
    "appended.ff.sql": "{{ config(materialized='incremental', incremental_strategy='append') }}\n"
    "select build, id from {{ ref('a') }}\n"
    "{% if is_incremental() %} where build > (select max(build) from {{ this }}) {% endif %}",
    "kept.ff.sql": "{{ config(materialized='snapshot', unique_key='id', strategy='check', check_cols=['build']) }}\n"
    "select build, id from {{ ref('a') }}",
    "newest.ff.sql": "{{ config(materialized='view') }}\nselect build, id from {{ ref('appended') }}\n"
    "where build = (select max(build) from {{ ref('appended') }})",
    "current.ff.sql": "{{ config(materialized='view') }}\n"
    "select build, id from {{ ref('kept') }} where valid_to is null",
}
HISTORIES = {"appended", "kept"}


def project(ground: Ground, models: Iterable[str] = (), seeds: Sequence[str] = ()) -> Ground:
    """Write models and seeds into a ground's empty project, and return the ground that has them."""
    for folder in ("models", "seeds"):
        (ground.root / folder).mkdir(parents=True, exist_ok=True)
    for name in models:
        (ground.root / "models" / name).write_text({**GROWING, **MODELS}[name])

    def write_seeds(build: int) -> None:
        for name in seeds:
            rows = "".join(f"{build},{i}\n" for i in range(ROWS))
            (ground.root / "seeds" / f"{name}.csv").write_text(f"build,id\n{rows}")

    built = {name.split(".")[0] for name in models}
    tables = (*sorted(built - HISTORIES), *seeds)
    return replace(ground, tables=tables, histories=tuple(sorted(built & HISTORIES)), prepare=write_seeds)


def attempts(killed: Harness, wanted: int) -> Iterator[int]:
    """Yield numbers of trials: as many as are `wanted`, and more while too few of them hit a command in flight."""
    for number in range(3 * wanted):
        if number >= wanted and killed.in_flight() >= 0.6:
            return
        yield number


def finish_each_kill(killed: Harness, ways: Sequence[Way], wanted: int) -> None:
    """Kill runs at random, and require of the run after each that it does the rest of the work, and no more.

    What it leaves is what a run leaves that was never killed.
    """
    rng, halves = random.Random(killed.seed), 0
    for _ in range(2):
        killed.whole_run("run")
    uninterrupted = left_by_a_run(killed)
    for number in attempts(killed, wanted):
        trial = killed.kill_at_random("run", rng, ways[number % len(ways)])
        # Every second one with the command made for it, where the kill left it something to do.
        left = trial.in_flight and trial.run and number % 2
        ended = killed.finish("run --resume" if left else "run", trial)
        halves += bool(models_in(ended.out, "model_unchanged") and models_in(ended.out, "model_built"))
        assert len(digests_of_one_build(killed.ground)) == 1
        assert left_by_a_run(killed) == uninterrupted, trial
        require_every_build(killed)
    assert killed.in_flight() >= 0.6
    # Some of many came when there was something to keep, and something to do: else nothing of this was tried.
    assert halves >= wanted // 10


def left_by_a_run(killed: Harness) -> tuple[dict[str, str], dict[str, str]]:
    """Return the columns of all tables, and the artifacts of the last run with its build's number taken out."""
    number = f"cast({killed.build} as integer)"
    texts = artifacts(killed.ground.root).items()
    return table_columns(killed.ground.query), {n: text.replace(number, "cast(N as integer)") for n, text in texts}


def require_every_build(killed: Harness) -> None:
    """Require that the tables which keep old rows have them of every build, as if none had been killed."""
    for table in killed.ground.histories:
        asked = f"select build, count(*) from {table} group by build order by build"
        assert killed.ground.query(asked) == [(build, ROWS) for build in range(1, killed.build + 1)], table
