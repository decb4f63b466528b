"""The table that holds new rows, on an engine where no transaction takes it back."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from flowforge_domain.config import ModelConfig
from flowforge_domain.results import Status
from flowforge_ports.engine import Session

GROWN = ModelConfig(materialized="incremental", unique_key=("id",), incremental_strategy="merge")


@dataclass
class Untransacted:
    """A session that knows no transactions."""

    inner: Session

    def begin(self) -> None: ...

    def commit(self) -> None: ...

    def rollback(self) -> None: ...

    def __getattr__(self, name):
        return getattr(self.inner, name)


@pytest.mark.parametrize(
    ("sql", "config"),
    [
        ("select 1 as id union all select 1", GROWN),
        ("select 1 as id", replace(GROWN, unique_key=("nope",))),
    ],
)
def test_it_goes_with_a_refusal(world, sql, config):
    engine = world.without(session=Untransacted(world.engine.session))
    [refused] = world.given({"a": sql}, configs={"a": config}).run(engine=engine).results
    assert refused.status is Status.FAILED
    assert world.rows("select name from sqlite_temp_master") == []
    assert world.given({"a": "select 1 as id"}, configs={"a": GROWN}).run(engine=engine).ok
