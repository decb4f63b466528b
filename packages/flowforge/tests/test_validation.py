from __future__ import annotations

from dataclasses import dataclass

import pytest

from flowforge.errors import FlowForgeError
from flowforge.validation import RequiredColumnsError, validate_required_columns


@dataclass
class Frame:
    columns: list[str]


def test_one_frame():
    validate_required_columns("m", Frame(["id", "email"]), {"users": {"id"}})
    with pytest.raises(RequiredColumnsError) as caught:
        validate_required_columns("m", Frame(["id"]), {"users": {"id", "email"}})
    assert caught.value.missing == {"users": ["email"]}
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, FlowForgeError)


def test_many_frames():
    frames = {"users": Frame(["id"]), "orders": Frame(["order_id"])}
    validate_required_columns("m", frames, {"users": {"id"}, "orders": {"order_id"}})
    with pytest.raises(RequiredColumnsError) as caught:
        validate_required_columns("m", frames, {"users": {"x"}, "ordrs": {"order_id"}})
    assert caught.value.missing == {"users": ["x"], "ordrs": ["order_id"]}
    assert "Did you mean 'orders'?" in str(caught.value)


def test_nothing_is_required():
    validate_required_columns("m", Frame([]), {})
