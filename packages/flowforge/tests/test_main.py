"""The `flowforge` command before there is a command line."""

from __future__ import annotations

import os
import subprocess
import sys


def test_ctrl_c_while_modules_are_imported_ends_the_command_in_one_line(tmp_path):
    (tmp_path / "flowforge_cli").mkdir()
    press = "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n"
    (tmp_path / "flowforge_cli/__init__.py").write_text(press, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    ended = subprocess.run(
        [sys.executable, "-m", "flowforge", "ls"], env=environment, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "Interrupted; nothing was begun.\n")
