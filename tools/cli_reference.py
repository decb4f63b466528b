"""Writes docs/reference/cli.md from the commands themselves; a test holds the page against them.

python tools/cli_reference.py
"""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from flowforge_cli.main import app

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "cli.md"

_HEAD = """# Commands

Every command takes the project's folder as its last argument; the default is the current folder.
`show` and `why` take one MODEL, `debug` and `clean` look at the whole target, and all four print only what they were
asked for: so they have no `--select`, `-q` or `-v`.
What exit codes mean: [exit-codes.md](exit-codes.md).
"""


def reference() -> str:
    """Return the page."""
    sections = [_section(["--help"], "flowforge")]
    sections += [_section([str(c.name), "--help"], f"flowforge {c.name}") for c in app.registered_commands]
    for group in app.registered_groups:
        commands = group.typer_instance.registered_commands if group.typer_instance else []
        names = [[str(group.name), str(command.name)] for command in commands]
        sections += [_section([*name, "--help"], f"flowforge {' '.join(name)}") for name in names]
    return "\n".join([_HEAD, *sections])


def _section(arguments: list[str], title: str) -> str:
    shown = CliRunner().invoke(app, arguments, prog_name="flowforge").stdout
    lines = "\n".join(line.rstrip() for line in shown.strip().splitlines())
    return f"## {title}\n\n```text\n{lines}\n```\n"


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
