"""How each built-in materialization that works on staged rows is planned."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flowforge_domain.incremental import incremental_plan
from flowforge_domain.plan import Plan, Situation
from flowforge_domain.snapshot import snapshot_plan

PLANS: Mapping[str, Callable[[Situation], Plan]] = {"incremental": incremental_plan, "snapshot": snapshot_plan}
