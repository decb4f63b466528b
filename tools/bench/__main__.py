"""`python tools/bench`: run from a folder, so the folder above is where `bench` is found."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])

if __name__ == "__main__":
    from bench.command import main

    sys.exit(main(sys.argv[1:]))
