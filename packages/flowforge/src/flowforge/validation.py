"""The columns a Python model requires of its inputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flowforge_domain.errors import RequiredColumnsError
from flowforge_domain.inputs import ModelInputs
from flowforge_domain.requirements import check_required_columns

__all__ = ["RequiredColumnsError", "validate_required_columns"]


def validate_required_columns(node_name: str, inputs: Any, requires: Mapping[str, Iterable[str]]) -> None:
    """Compare one frame, or a dict from relation to frame, with the columns that each relation must have.

    A frame is anything with `columns`. Raises `RequiredColumnsError` listing what is missing.
    """
    frames = inputs if isinstance(inputs, dict) else dict.fromkeys(requires, inputs)
    columns = {relation: list(frame.columns) for relation, frame in frames.items()}
    check_required_columns(node_name, columns, requires, inputs.names if isinstance(inputs, ModelInputs) else {})
