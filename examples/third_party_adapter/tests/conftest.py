"""The order of the cases: what DataFusion cancelled computes on for up to minutes, so that is what comes last."""

from __future__ import annotations


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: "interrupt" in item.name)
