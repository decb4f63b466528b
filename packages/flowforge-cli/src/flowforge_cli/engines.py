"""`flowforge engines`: which engines are installed, and what each can do."""

from __future__ import annotations

import json
from textwrap import indent, wrap
from typing import TYPE_CHECKING, Annotated

import typer

from flowforge_cli.options import Format, LogFormat
from flowforge_cli.output import RED, Output, output

if TYPE_CHECKING:
    from flowforge_bootstrap.inventory import Installed

_MARGIN = " " * 14

Schema = Annotated[bool, typer.Option("--schema", help="Print the JSON Schema of profiles.yml instead.")]


def engines(schema: Schema = False, log_format: Format = LogFormat.text) -> None:
    """List the engines that are installed, and what each can do."""
    from flowforge_bootstrap.inventory import faults, installed, missing
    from flowforge_bootstrap.plugins import load_plugins

    out = output(False, False, log_format)
    plugins = load_plugins()
    if schema:
        from flowforge_bootstrap.profile_schema import profile_schema

        print(json.dumps(profile_schema(plugins), indent=2))
        return
    for one in installed(plugins):
        _tell(one, out)
    for fault in faults(plugins):
        out.line(f"{out.paint('✗', RED)} " + indent(str(fault), "  ").strip())
        out.event("fault", fault.message, "error", hint=fault.hint)
    for name, command in missing(plugins).items():
        out.line(f"Not installed: {name:<18} {command}")
        out.event("missing", name, hint=command)


def _tell(one: Installed, out: Output) -> None:
    facts = {"libraries": one.libraries, "unproved": one.unproved, "limits": one.limits, **one.abilities}
    out.event("engine", one.name, distribution=one.distribution, **facts)
    out.line(f"{one.name:<13} {one.distribution}")
    if one.libraries:
        out.line(indent(one.libraries, _MARGIN))
    said = {subject: [what] for subject, what in (("limits", one.limits), ("not proved", one.unproved)) if what}
    for subject, listed in {**one.abilities, **said}.items():
        out.line(f"  {subject:<12}" + f"\n{_MARGIN}".join(wrap(", ".join(listed), width=86)))
    out.line()
