"""The pytest plugin of the testkit: light at import, since pytest loads it in every run."""

from __future__ import annotations

import pytest

# The cases are plain asserts in a library: rewritten, they tell what they compared.
pytest.register_assert_rewrite("flowforge_testkit.conformance")


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker with which a case says what it needs."""
    config.addinivalue_line("markers", "flowforge_needs(*capabilities): what a conformance case needs of the engine")
