"""What is told of columns that a project describes and its tables have not."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from flowforge_domain.config import ColumnConfig, ModelConfig
from flowforge_domain.errors import EngineError, ErrorKind
from flowforge_domain.results import Status
from flowforge_ports.progress import Notice

SQL = {"users": "select 1 as Id, 'a' as email"}
DESCRIBED = {"users": ModelConfig(columns={"id": ColumnConfig(), "emial": ColumnConfig("Where to write to.")})}


def told(world):
    return [event.message for event in world.recorder.events if isinstance(event, Notice)]


@pytest.mark.parametrize("materialized", ["table", "view", "incremental"])
def test_a_column_that_the_relation_has_not(world, materialized):
    configs = {"users": replace(DESCRIBED["users"], materialized=materialized)}
    assert world.given(SQL, configs=configs).run().ok
    kind = "view" if materialized == "view" else "table"
    assert told(world) == [
        f"Model 'users' describes the column 'emial', and its {kind} has none. Did you mean 'email'?"
    ]


def test_nothing_is_told_of_a_model_that_failed(world):
    report = world.given({"users": "select nope"}, configs=DESCRIBED).run()
    assert (report.results[0].status, told(world)) == (Status.FAILED, [])


def test_nothing_is_asked_about_a_model_that_describes_nothing(world):
    catalog = Unasked(world.engine.catalog, AssertionError("it was asked"))
    assert world.given(SQL).run(engine=world.without(catalog=catalog)).ok


def test_a_run_does_not_fail_where_the_engine_cannot_be_asked(world):
    catalog = Unasked(world.engine.catalog, EngineError("The connection was lost.", kind=ErrorKind.TRANSIENT))
    report = world.given(SQL, configs=DESCRIBED).run(engine=world.without(catalog=catalog))
    assert (report.ok, told(world)) == (True, [])


@dataclass(frozen=True)
class Unasked:
    """A catalog that raises when it is asked about columns."""

    catalog: object
    error: Exception

    def relations(self):
        return self.catalog.relations()

    def columns(self, relation):
        raise self.error
