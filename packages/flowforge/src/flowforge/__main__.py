"""The `flowforge` command; `--version` is answered before anything else is imported."""

from __future__ import annotations

import gc
import sys

# A command imports and loads much and drops little: at Python's 700 the collector looks through it a hundred times
# and finds nothing, a twentieth of a short command's time.
_BETWEEN_COLLECTIONS = 10_000


def main() -> int:
    """Run the command line and return its exit code."""
    if sys.argv[1:] == ["--version"]:
        from flowforge import __version__

        sys.stdout.write(f"flowforge {__version__}\n")
        return 0
    gc.set_threshold(_BETWEEN_COLLECTIONS)
    try:
        from flowforge_cli.main import main as run

        return run()
    except KeyboardInterrupt:  # what the command line itself cannot catch: it is still being imported
        sys.stderr.write("Interrupted; nothing was begun.\n")
        return 130


if __name__ == "__main__":
    sys.exit(main())
