"""Failpoints: silent unless a test asks twice, and then exactly where it asked."""

from __future__ import annotations

import errno
import subprocess
import sys

import pytest

from flowforge_domain.errors import EngineError, ErrorKind, FlowForgeError
from flowforge_ports.failpoint import POINTS, armed

ON = {"FLOWFORGE_TEST_FAILPOINTS": "1"}


@pytest.mark.parametrize(
    "environment",
    [
        {},
        ON,
        {"FLOWFORGE_FAILPOINT": "done:1:raise"},
        {"FLOWFORGE_FAILPOINT": "no sense", "FLOWFORGE_TEST_FAILPOINTS": ""},
    ],
)
def test_nothing_happens_unless_a_test_asks_twice(environment):
    point = armed(environment)
    assert not any(point(name) for name in POINTS)


def test_the_nth_passing_of_one_name_strikes_and_no_other():
    point = armed({**ON, "FLOWFORGE_FAILPOINT": "done:2:raise"})
    point("begun")
    point("done")
    point("begun")
    with pytest.raises(EngineError, match="failpoint 'done'"):
        point("done")
    point("done")


def test_a_star_counts_every_point():
    point = armed({**ON, "FLOWFORGE_FAILPOINT": "*:3:enospc"})
    point("begun")
    point("statement")
    with pytest.raises(EngineError) as raised:
        point("frame")
    assert raised.value.kind is ErrorKind.SPACE


def test_a_files_point_raises_what_the_system_raises():
    point = armed({**ON, "FLOWFORGE_FAILPOINT": "written:1:enospc"})
    with pytest.raises(OSError) as raised:
        point("written")
    assert raised.value.errno == errno.ENOSPC


@pytest.mark.parametrize("wanted", ["done", "done:1", "done:x:kill", "nowhere:1:kill", "done:1:explode"])
def test_what_is_no_failpoint_is_told(wanted):
    with pytest.raises(FlowForgeError, match="FLOWFORGE_FAILPOINT is"):
        armed({**ON, "FLOWFORGE_FAILPOINT": wanted})


def test_kill_is_a_kill():
    code = "from flowforge_ports.failpoint import armed as a\n"
    code += "a({'FLOWFORGE_TEST_FAILPOINTS': '1', 'FLOWFORGE_FAILPOINT': 'done:1:kill'})('done')\nprint('alive')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (-9, b"")
