"""How a plugin adds a way to materialize a model: a pure function from what was staged and what stands to a plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flowforge_domain.plan import Plan, Situation


@dataclass(frozen=True)
class MaterializationSpec:
    """A materialization as a plugin announces it; models name it in `materialized`.

    `plan` refers to a function `(situation: Situation) -> Plan`. It is called inside the transaction of the build, when
    the new rows are staged, and touches nothing itself.
    """

    name: str
    plan: str


PlanOf = Callable[[Situation], Plan]
