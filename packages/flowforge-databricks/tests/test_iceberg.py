"""The conformance suite on tables of Iceberg, in a process of its own with Spark 3.5 in it; by night only."""

from __future__ import annotations

import pytest
import spark_iceberg

pytestmark = pytest.mark.timeout(5400)


def test_iceberg_passes_the_conformance_suite():
    done = spark_iceberg.run(["-q", "--timeout", "900"], capture_output=True)
    assert done.returncode == 0, done.stdout[-8000:]
