"""The `flowforge` command; `--version` is answered before anything else is imported."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line and return its exit code."""
    if sys.argv[1:] == ["--version"]:
        from flowforge import __version__

        sys.stdout.write(f"flowforge {__version__}\n")
        return 0
    try:
        from flowforge_cli.main import main as run

        return run()
    except KeyboardInterrupt:  # what the command line itself cannot catch: it is still being imported
        sys.stderr.write("Interrupted; nothing was begun.\n")
        return 130


if __name__ == "__main__":
    sys.exit(main())
