"""By day only what BigQuery DataFrames do is tried, by night all; what is known to take minutes is bounded.

All else of the suite asks the engine of flowforge-bigquery, which proves it over the same emulator, and what would need
minutes proves nothing in seconds. On a real account, and for a report, as `make conformance` asks for, all is tried at
any time.
"""

from __future__ import annotations

import bigquery_emulator
import pytest

from flowforge_domain.capability import Capability

WHOLE = bigquery_emulator.NIGHT or bool(bigquery_emulator.REAL)


def pytest_collection_modifyitems(config, items):
    suite = [item for item in items if item.parent.name == "TestBigFrames"]
    for item in suite:
        # The case alone: an alarm while pytest reports it would end the whole run.
        if too_slow(item):
            item.add_marker(pytest.mark.timeout(5, func_only=True))
    if not WHOLE and not config.getoption("flowforge_report"):
        left = {item for item in suite if too_slow(item) or not about_frames(item)}
        items[:] = [item for item in items if item not in left]
        config.hook.pytest_deselected(items=left)


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem):
    if not too_slow(pyfuncitem):
        return (yield)
    with bigquery_emulator.alarms_between_requests():
        return (yield)


def too_slow(item):
    return item.originalname in bigquery_emulator.TOO_SLOW


def about_frames(item):
    needed = {name for mark in item.iter_markers("flowforge_needs") for name in mark.args}
    return Capability.PYTHON_MODELS.name in needed or item.originalname == "test_the_suite_is_whole"
