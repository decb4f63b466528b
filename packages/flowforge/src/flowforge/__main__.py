"""The `flowforge` command; `--version` is answered before anything else is imported."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line and return its exit code."""
    if sys.argv[1:] == ["--version"]:
        from flowforge import __version__

        sys.stdout.write(f"flowforge {__version__}\n")
        return 0
    from flowforge_cli.main import main as run

    return run()


if __name__ == "__main__":
    sys.exit(main())
