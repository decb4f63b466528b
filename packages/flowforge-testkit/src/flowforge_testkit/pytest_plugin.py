"""The pytest plugin of the testkit: light at import, since pytest loads it in every run."""

from __future__ import annotations

import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

# The cases are plain asserts in a library: rewritten, they tell what they compared.
pytest.register_assert_rewrite("flowforge_testkit.conformance")


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers with which a case says what it needs and what it relies on."""
    config.addinivalue_line("markers", "flowforge_needs(*capabilities): abilities that are refused where declined")
    config.addinivalue_line("markers", "flowforge_claims(*capabilities): what a case takes on the engine's word")

    path = config.getoption("flowforge_report")
    if path and getattr(config, "workerinput", None) is None:  # xdist's workers send their outcomes to the controller
        from flowforge_testkit.report import Report

        config.pluginmanager.register(Report(Path(path)), "flowforge_report")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--flowforge-report`."""
    told = "write what the conformance suites proved as Markdown"
    parser.getgroup("flowforge").addoption("--flowforge-report", metavar="PATH", help=told)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make of a case about names two, or more, where it is to fail with some: those, and all others."""
    cls, case = metafunc.cls, metafunc.definition.originalname
    suite = sys.modules.get("flowforge_testkit.conformance.suite")
    if suite is None or cls is None or not issubclass(cls, suite.Suite) or "names" not in metafunc.fixturenames:
        return
    if texts := suite.held_texts(cls, case):
        ids = ["others", *(suite.HOLDING + text for text in texts)]
        metafunc.parametrize("names", ["", *texts], ids=ids, indirect=True)


@pytest.hookimpl(wrapper=True)
def pytest_pycollect_makeitem(collector: Any, name: str) -> Generator[None, Any, Any]:
    """Expect what a class excuses to fail; here all ids of one case are seen, whatever was selected."""
    made = yield
    cls = _suite_class(collector)
    if cls is None or name not in cls.standard:
        return made
    excused = sys.modules["flowforge_testkit.conformance.suite"].excused(cls)
    named = {key: why for key, why in excused.items() if key.partition("[")[0] == name}
    items = {item.name: item for item in made}
    if unknown := [key for key in named if key != name and key not in items]:
        raise collector.CollectError(f"{collector.name} excuses no standard cases: {', '.join(unknown)}.")
    for found, item in items.items():
        item.user_properties.append(("flowforge_suite", cls.__name__.removeprefix("Test")))
        if reason := named.get(found) or named.get(name):
            item.add_marker(pytest.mark.xfail(reason=reason, strict=True))
    return made


def _suite_class(collector: Any) -> Any:
    suite = sys.modules.get("flowforge_testkit.conformance.suite")
    cls = collector.obj if isinstance(collector, pytest.Class) else object
    return cls if suite is not None and issubclass(cls, suite.Suite) else None
