"""The pytest plugin of the testkit: light at import, since pytest loads it in every run."""

from __future__ import annotations

import pytest

# The cases are plain asserts in a library: rewritten, they tell what they compared.
pytest.register_assert_rewrite("flowforge_testkit.conformance")


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers with which a case says what it needs and what it relies on."""
    config.addinivalue_line("markers", "flowforge_needs(*capabilities): abilities that are refused where declined")
    config.addinivalue_line("markers", "flowforge_claims(*capabilities): what a case takes on the engine's word")
