"""What tests of all kinds start in a shell: `flowforge` as a command that starts in no time."""

from __future__ import annotations

import pytest
from warm_shell import warm_command


@pytest.fixture(scope="session")
def warm():
    """The folder of a command that a fork of one process answers, which has imported all."""
    with warm_command() as folder:
        yield folder
