"""The page of commands is what the commands say."""

from __future__ import annotations

from cli_reference import PAGE, reference


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == reference(), "run: python tools/cli_reference.py"
