"""The `flowforge` command: its subcommands, and the one place where an error becomes an exit code."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from copy import copy

import typer
from typer.exceptions import TyperException

from flowforge_cli import exit_codes
from flowforge_cli.build import build
from flowforge_cli.clean import clean
from flowforge_cli.compile import compile_
from flowforge_cli.dag import dag
from flowforge_cli.debug import debug
from flowforge_cli.engines import engines
from flowforge_cli.init import init
from flowforge_cli.init_plugin import init_plugin
from flowforge_cli.ls import ls
from flowforge_cli.run import run
from flowforge_cli.runs import app as runs_app
from flowforge_cli.seed import seed
from flowforge_cli.show import show
from flowforge_cli.streams import steady_streams
from flowforge_cli.test import test
from flowforge_cli.why import why

app = typer.Typer(
    name="flowforge",
    help="SQL and Python data models, batch and streaming, in one DAG, on any engine.",
    epilog="The guide, with every key of a project's files, lies below docs/guide/ of FlowForge's repository.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(asked: bool) -> None:
    if asked:
        from flowforge_cli.version import print_version

        print_version()
        raise typer.Exit


@app.callback()
def _flowforge(
    version: bool = typer.Option(
        False, "--version", help="Print the version and exit.", is_eager=True, callback=_print_version
    ),
) -> None: ...


for _name, _command in (
    ("init", init),
    ("seed", seed),
    ("run", run),
    ("test", test),
    ("build", build),
    ("dag", dag),
    ("ls", ls),
    ("show", show),
    ("why", why),
    ("clean", clean),
    ("compile", compile_),
    ("debug", debug),
    ("engines", engines),
    ("init-plugin", init_plugin),
):
    app.command(_name)(_command)
app.add_typer(runs_app, name="runs")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; raises nothing."""
    given = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    with steady_streams() as out:
        code = _run(given)
    if out.lost is not None and not isinstance(out.lost, BrokenPipeError):
        print(f"✗ The output could not be written: {out.lost.strerror}.", file=sys.stderr)
        return code or exit_codes.USER_ERROR
    return code


def _run(arguments: Sequence[str]) -> int:
    try:
        code = int(_named_in(arguments)(arguments, prog_name="flowforge", standalone_mode=False) or exit_codes.OK)
    except TyperException as error:
        # Typer's own exit code for usage errors is 2, which means failed data-quality tests here.
        print(f"✗ {_plain(error.format_message())}\nSee: flowforge {_command_of(arguments)}--help", file=sys.stderr)
        return exit_codes.USER_ERROR
    except (KeyboardInterrupt, typer.Abort):
        code = exit_codes.INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the edge: everything becomes an exit code
        code = _failed(error, arguments)
    if code == exit_codes.INTERRUPTED:  # typer turns Ctrl-C into this code by itself
        print("Interrupted; what was not finished was rolled back, or is made anew by the next run.", file=sys.stderr)
    return code


def _plain(message: str) -> str:
    """Return what Typer says without the words of the library that it asks."""
    for theirs, ours in (("Value error, ", ""), ("valid integer", "whole number"), ("valid number", "number")):
        message = message.replace(theirs, ours)
    return re.sub(r"Input should be (.*?)(, unable to parse .*)?$", r"it must be \1.", message)


def _named_in(arguments: Sequence[str]) -> typer.Typer:
    """Return the app with no more than the command that comes first: Typer takes 13 ms to make all of them."""
    commands = [one for one in app.registered_commands if one.name == arguments[0]]
    groups = [one for one in app.registered_groups if one.name == arguments[0]]
    if not commands and not groups:
        return app
    named = copy(app)
    named.registered_commands, named.registered_groups = commands, groups
    return named


def _failed(error: Exception, arguments: Sequence[str]) -> int:
    from flowforge_app.cancelled import was_cancelled
    from flowforge_bootstrap.blame import bug_report
    from flowforge_cli.output import report_error, trace
    from flowforge_domain.errors import FlowForgeError

    if was_cancelled(error):
        return exit_codes.INTERRUPTED
    trace(error)
    if isinstance(error, FlowForgeError):
        report_error(error, as_json=_speaks_json(arguments))
        return exit_codes.USER_ERROR
    print(bug_report(error), file=sys.stderr)
    return exit_codes.BUG


def _speaks_json(arguments: Sequence[str]) -> bool:
    pairs = zip(arguments, [*arguments[1:], ""], strict=True)
    return "--log-format=json" in arguments or ("--log-format", "json") in pairs


def _command_of(arguments: Sequence[str]) -> str:
    words = [word for word in arguments if not word.startswith("-")][:2]
    groups = {one.name: one.typer_instance for one in app.registered_groups}
    if words and (group := groups.get(words[0])):
        known = {one.name for one in group.registered_commands}
        return " ".join((words[0], *(word for word in words[1:] if word in known), ""))
    commands = {one.name for one in app.registered_commands}
    return next((f"{argument} " for argument in arguments if argument in commands), "")
