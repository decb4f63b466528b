from __future__ import annotations

import os

import pytest

from flowforge_cli.no_exit import no_exit

HEAD = """import os
from os import _exit
from threading import Thread
from time import sleep
from flowforge import model
from flowforge_testkit.sqlite.frames import Frame
"""


def model_of(line):
    return f"{HEAD}@model()\ndef p():\n    {line}\n    return Frame(('n',), [])\n"


@pytest.mark.parametrize("line", ["os._exit(0)", "_exit(0)"])
def test_a_model_that_ends_the_process_fails_alone(process, shop, line):
    (shop / "models" / "p.ff.py").write_text(model_of(line))
    (shop / "models" / "z.ff.sql").write_text("select 1 as n")
    answer = process("run", shop, "--select", "p z")
    assert answer.returncode == 1
    assert "models/p.ff.py:9: Model 'p' failed: SystemExit: os._exit(0) would end the whole command." in answer.stdout
    assert "✓ built: 1" in answer.stdout


def test_so_does_one_that_ends_it_when_it_is_imported(process, shop):
    (shop / "models" / "p.ff.py").write_text(f"import os\nos._exit(0)\n{model_of('pass')}")
    answer = process("run", shop, "--select", "p")
    assert answer.returncode == 1
    assert "models/p.ff.py:2: Model 'p' cannot be imported: SystemExit: os._exit(0)" in answer.stdout


@pytest.mark.parametrize(("code", "ends"), [(0, 1), (3, 3)])
def test_a_models_own_thread_ends_the_process_but_never_as_if_all_went_well(process, shop, code, ends):
    (shop / "models" / "p.ff.py").write_text(model_of(f"Thread(target=os._exit, args=({code},)).start(); sleep(60)"))
    answer = process("run", shop, "--select", "p")
    assert answer.returncode == ends
    assert f"✗ A thread ended the process: os._exit({code})." in answer.stderr


def test_a_models_fork_ends_as_it_asks_to(process, shop):
    line = "child = os.fork() or os._exit(0); assert os.waitpid(child, 0)[1] == 0"
    (shop / "models" / "p.ff.py").write_text(model_of(line))
    assert process("run", shop, "--select", "p").returncode == 0


def test_nothing_is_left_behind():
    before = os._exit
    with no_exit():
        assert os._exit is not before
    assert os._exit is before
