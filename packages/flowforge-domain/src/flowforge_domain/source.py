"""What stands for a source among the `deps` of a Python model."""

from __future__ import annotations

SourceKey = tuple[str, str]


class SourceRef(str):
    """What `source("group", "table")` gives where dependencies are declared: `group.table`, and both parts."""

    __slots__ = ("key",)
    key: SourceKey

    def __new__(cls, group: str, table: str) -> SourceRef:  # noqa: D102
        ref = super().__new__(cls, f"{group}.{table}")
        ref.key = (group, table)
        return ref


def source(source_name: str, table_name: str) -> SourceRef:
    """Name a source among the `deps` of a Python model."""
    return SourceRef(source_name, table_name)
