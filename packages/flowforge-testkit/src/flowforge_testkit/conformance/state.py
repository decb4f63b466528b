"""State rows: written, read and compacted in the transaction of the data they tell of."""

from __future__ import annotations

from flowforge_domain.capability import Capability
from flowforge_domain.catalog import kinds
from flowforge_domain.state import (
    STATE_TABLE,
    StateRow,
    compact_state,
    create_state,
    forget_relations,
    insert_states,
    state_rows,
    whole_state,
)
from flowforge_ports.engine import Engine
from flowforge_testkit.conformance.frames import VALUES
from flowforge_testkit.conformance.ground import build, build_inside, claims, rows, transaction


def test_state_rows_come_back_as_written(engine: Engine) -> None:
    hostile = row("it's; drop table x --", "2024-01-01T00:00:02", relation='"my ""table"', rows=2**62)
    written = [row("a", "2024-01-01T00:00:01", rows=-1), hostile]
    save(engine, *written)
    assert saved(engine) == written


def test_state_rows_keep_any_text(engine: Engine) -> None:
    texts = [text for kind, held in VALUES.items() if kind.startswith("text") for text in held if text is not None]
    moments = [f"2024-01-01T00:{i // 60:02}:{i % 60:02}" for i in range(len(texts))]
    written = [
        row(text, at, relation=f"ff_{i}", run=text) for i, (text, at) in enumerate(zip(texts, moments, strict=True))
    ]
    save(engine, *written)
    assert saved(engine) == written


def test_state_row_of_a_build_tells_its_identity_where_the_dialect_can(engine: Engine) -> None:
    build(engine, "ff_t", "select 1 as a")
    build(engine, "ff_v", "select 1 as a", "view")
    save(engine, row("t", "2024-01-01T00:00:01"), row("v", "2024-01-01T00:00:02", relation="ff_v"))
    known = engine.catalog.relations() if engine.dialect.identity else {}
    expected = [known[name].identity if known else "" for name in ("ff_t", "ff_v")]
    assert [found.identity for found in saved(engine) or ()] == expected


def test_state_table_is_made_once(engine: Engine) -> None:
    save(engine, row("a", "2024-01-01T00:00:01"))
    save(engine, row("b", "2024-01-01T00:00:02"))
    assert models(engine) == ["a", "b"]
    assert kinds(engine.catalog.relations()) == {STATE_TABLE: "table"}


def test_compacting_keeps_the_last_row_of_each_relation(engine: Engine) -> None:
    runs = (("1", "ab"), ("2", "ac"), ("3", "ab"))
    built = [(run, name) for run, names in runs for name in names]
    save(engine, *(row(name, f"2024-01-01T00:00:0{i}", name, run=run) for i, (run, name) in enumerate(built)))
    with transaction(engine):
        for statement in compact_state("3", engine.dialect):
            engine.session.execute(statement)
    assert [(r.model, r.finished_at[-1]) for r in saved(engine) or ()] == [("c", "3"), ("a", "4"), ("b", "5")]


def test_rows_of_relations_are_forgotten(engine: Engine) -> None:
    save(engine, *(row(name, f"2024-01-01T00:00:0{i}", name) for i, name in enumerate(("a", '"it\'s"', "c"))))
    with transaction(engine):
        for statement in forget_relations(['"it\'s"', "c"], engine.dialect):
            engine.session.execute(statement)
    assert models(engine) == ["a"]


@claims(Capability.TRANSACTIONAL_STATE)
def test_state_is_undone_with_the_data(engine: Engine) -> None:
    build(engine, "ff_t", "select 1 as a")
    save(engine, row("a", "2024-01-01T00:00:01"))
    engine.session.begin()
    build_inside(engine, "ff_t", "select 2 as a")
    written = insert_states([row("b", "2024-01-01T00:00:02", run="2")], engine.dialect)
    for statement in (*written, *compact_state("2", engine.dialect)):
        engine.session.execute(statement)
    engine.session.rollback()
    assert rows(engine, "select a from ff_t") == [(1,)]
    assert models(engine) == ["a"]


def row(model: str, finished_at: str, relation: str = "ff_t", rows: int = 1, run: str = "1") -> StateRow:
    return StateRow(model, relation, run, "data", "print", rows, finished_at, inputs={"text": model})


def models(engine: Engine) -> list[str]:
    return [found.model for found in saved(engine) or ()]


def save(engine: Engine, *written: StateRow) -> None:
    with transaction(engine):
        engine.session.execute(create_state(engine.dialect))
        for statement in insert_states(written, engine.dialect):
            engine.session.execute(statement)


def saved(engine: Engine) -> list[StateRow] | None:
    return state_rows(engine.session.query(whole_state(engine.dialect)), engine.dialect)
