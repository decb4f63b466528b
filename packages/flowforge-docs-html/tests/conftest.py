"""Projects to make sites of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from flowforge_domain.checks import Check
from flowforge_domain.config import ColumnConfig, ModelConfig
from flowforge_domain.manifest import Manifest
from flowforge_domain.model import Node, Seed, SeedOptions, SourceTable
from flowforge_ports.docs import SiteContent

ROOT = Path("/home/somebody/secret-project")


@pytest.fixture
def make_node() -> Callable[..., Node]:
    def make(name: str, *deps: str, kind: str = "sql", **settings: object) -> Node:
        return Node(name, kind, ROOT / f"models/{name}", deps=deps, file=f"models/{name}.ff.{kind}", **settings)

    return make


@pytest.fixture
def content(make_node: Callable[..., Node]) -> SiteContent:
    """One of everything."""
    users = make_node(
        "users",
        "seed_users",
        config=ModelConfig(
            description="Everyone who signed up.\n\nKeyed by `id`.",
            owner="growth",
            tags=("batch", "core"),
            meta={"sla": "1h", "tier": 1},
            columns={"id": ColumnConfig("Primary key", "bigint", ("pk",)), "email": ColumnConfig(data_type="text")},
        ),
    )
    nodes = [
        users,
        make_node("orders", sources=(("crm", "orders"),), config=ModelConfig(materialized="view")),
        make_node("enriched", "users", kind="python", requires={"users": frozenset({"id", "email"})}),
        make_node("marts_daily", "orders", "enriched", relation="mart_users"),
    ]
    return SiteContent(
        Manifest(
            "shop",
            ROOT,
            {node.name: node for node in nodes},
            {
                "seed_users": Seed(
                    "seed_users",
                    "csv",
                    ROOT / "seeds/seed_users.csv",
                    "seed_users",
                    "seeds/seed_users.csv",
                    SeedOptions(description="A few people."),
                )
            },
            {("crm", "orders"): SourceTable("crm", "orders", "crm.orders", "Written by the shop.")},
            (
                Check("unique", "users", "id", ("batch",)),
                Check("greater_equal", "mart_users", "turnover", parameters={"threshold": 0}, severity="warn"),
            ),
            description="From orders to marts.",
        ),
        {"users": "select * from {{ ref('seed_users') }} -- as written"},
        {"users": f"select * from seed_users -- compiled in {ROOT}/models"},
        environment="dev",
        engine="duckdb",
    )
