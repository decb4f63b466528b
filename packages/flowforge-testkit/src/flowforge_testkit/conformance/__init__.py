"""The conformance suite: what every engine must do, as one class of small tests.

    class TestMyEngine(EngineConformance):
        @pytest.fixture
        def spec(self):
            return SPEC

        @pytest.fixture
        def profile(self, tmp_path):
            return {"engine": "mine", "mine": {"path": "target.db"}}

With a subclass of `PluginConformance`, which needs `spec` alone, that is an adapter's whole test file. Start with
`suite.py`.
"""

from __future__ import annotations

from flowforge_testkit.conformance.suite import EngineConformance, MaterializationConformance, PluginConformance

__all__ = ["EngineConformance", "MaterializationConformance", "PluginConformance"]
