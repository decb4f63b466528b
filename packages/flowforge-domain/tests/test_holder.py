from __future__ import annotations

import pytest

from flowforge_domain.errors import ErrorKind
from flowforge_domain.holder import Holder, holder_text, read_holder, taken

HOLDER = Holder("3f2a", 12, "build-1", "2026-01-02T03:04:05.678+00:00")


def test_holder_is_said_in_one_line():
    assert str(HOLDER) == "run 3f2a, process 12 on build-1, since 2026-01-02T03:04:05Z"


def test_holder_survives_its_lock_file():
    assert read_holder(holder_text(HOLDER)) == HOLDER


@pytest.mark.parametrize("text", ["", "{", holder_text(HOLDER)[:20], "[]", "null", "{}", '{"run": "x", "more": 1}'])
def test_lock_file_that_names_nobody(text):
    assert read_holder(text) is None


@pytest.mark.parametrize(("who", "said"), [(str(HOLDER), str(HOLDER)), ("", "another run")])
def test_error_is_one_line_with_the_way_out(who, said):
    error = taken("x.duckdb", who, 1.0)
    assert str(error) == f"x.duckdb is in use by {said}; waited 1 s. Wait longer with --wait SECONDS."
    assert error.kind is ErrorKind.CONFLICT
