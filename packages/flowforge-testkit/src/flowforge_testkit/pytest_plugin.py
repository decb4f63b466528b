"""The pytest plugin of the testkit: light at import, since pytest loads it in every run."""

from __future__ import annotations

import sys
from collections.abc import Generator, Mapping
from typing import Any

import pytest

# The cases are plain asserts in a library: rewritten, they tell what they compared.
pytest.register_assert_rewrite("flowforge_testkit.conformance")


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers with which a case says what it needs and what it relies on."""
    config.addinivalue_line("markers", "flowforge_needs(*capabilities): abilities that are refused where declined")
    config.addinivalue_line("markers", "flowforge_claims(*capabilities): what a case takes on the engine's word")


@pytest.hookimpl(wrapper=True)
def pytest_pycollect_makeitem(collector: Any, name: str) -> Generator[None, Any, Any]:
    """Expect what a class names in `unproved` to fail; here all ids of one case are seen, whatever was selected."""
    made = yield
    unproved = {key: why for key, why in _unproved(collector).items() if key.partition("[")[0] == name}
    items = {item.name: item for item in made} if unproved else {}
    if unknown := [key for key in unproved if key != name and key not in items]:
        raise collector.CollectError(f"{collector.name}.unproved names no standard cases: {', '.join(unknown)}.")
    for found, item in items.items():
        if reason := unproved.get(found) or unproved.get(name):
            item.add_marker(pytest.mark.xfail(reason=f"not proved here: {reason}", strict=True))
    return made


def _unproved(collector: Any) -> Mapping[str, str]:
    suite = sys.modules.get("flowforge_testkit.conformance.suite")
    if (
        suite is None
        or not isinstance(collector, pytest.Class)
        or not issubclass(collector.obj, suite.EngineConformance)
    ):
        return {}
    unproved: Mapping[str, str] = collector.obj.unproved
    return unproved
