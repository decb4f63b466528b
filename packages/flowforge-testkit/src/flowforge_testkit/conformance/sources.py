"""Sources: where an engine says which version a table has that FlowForge does not make, that is a proof."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from flowforge_ports.engine import Engine


def test_version_of_a_source_stays_while_nobody_writes_it_and_changes_with_each_write(
    engine: Engine, another: Callable[[], Engine]
) -> None:
    """An insert, a change that leaves the number of rows, another table of that name: each gives a new version."""
    if engine.sources is None:
        pytest.xfail(f"not claimed by {engine.name}: proof that a source is unchanged")
    engine.session.close()
    seen = []
    for write in (
        "create table ff_source as select 1 as a, 'x' as b",
        "insert into ff_source select 2, 'y'",
        "update ff_source set b = 'z' where a = 2",
        "drop table ff_source",
        "create table ff_source as select 1 as a, 'x' as b",
    ):
        writer = another()
        writer.session.execute(write)
        writer.session.close()
        if not write.startswith("drop"):
            before, after = _version(another()), _version(another())
            assert before == after
            seen.append(before)
    assert len(set(seen)) == len(seen)


def _version(engine: Engine) -> str:
    """Return the version that a session finds which writes nothing itself."""
    assert engine.sources is not None
    [version] = engine.sources.versions({"ff_source"}).values()
    engine.sources.vouch()
    engine.session.close()
    return version
