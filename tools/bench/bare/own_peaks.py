"""Runs a command of FlowForge in this process; prints the peak memory of this process, and of those it began, in MB."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from flowforge_cli.main import main


def peak(pid: int) -> float:
    found = re.search(r"VmHWM:\s*(\d+) kB", Path(f"/proc/{pid}/status").read_text(encoding="utf-8"))
    return int(found[1]) / 1024 if found else 0


def begun(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task").glob("*/children")
    children = [int(child) for file in listed for child in file.read_text(encoding="utf-8").split()]
    return [pid for child in children for pid in (child, *begun(child))]


if __name__ == "__main__":
    code = main(sys.argv[1:])
    print()
    print(peak(os.getpid()), sum(map(peak, begun(os.getpid()))))
    sys.exit(code)
