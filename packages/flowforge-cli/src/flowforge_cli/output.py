"""Where a command's words go: plain or coloured text, or one JSON object a line."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import typer

from flowforge_cli.options import LogFormat
from flowforge_cli.streams import SteadyStream

if TYPE_CHECKING:
    from flowforge_domain.errors import FlowForgeError

RED, GREEN, YELLOW = "red", "green", "yellow"


@dataclass(frozen=True)
class Output:
    """How this command speaks; `live` is whether a progress line may be drawn and erased."""

    stream: SteadyStream | TextIO
    quiet: bool = False
    verbose: bool = False
    as_json: bool = False
    color: bool = False
    live: bool = False

    def line(self, text: str = "") -> None:
        """Print a line of the normal report; nothing when quiet or when JSON is spoken."""
        if not self.quiet:
            self.problem(text)

    def problem(self, text: str) -> None:
        """Print a line of the report that a quiet command shows too."""
        if not self.as_json:
            print(text, file=self.stream, flush=self.live)

    def event(self, name: str, message: str, level: str = "info", /, **data: Any) -> None:
        """Print one JSON line when JSON is spoken."""
        if self.as_json:
            print(json_line(name, message, level, data), file=self.stream, flush=True)

    def warn(self, message: str) -> None:
        """Say something the user should know on standard error; nothing when quiet."""
        if self.as_json or not self.quiet:
            self.alert(message)

    def alert(self, message: str) -> None:
        """Say on standard error what the user must know."""
        if self.as_json:
            self.event("warning", message, "warning")
        else:
            print(paint(f"! {message}", YELLOW, shows_color(sys.stderr)), file=sys.stderr)

    def paint(self, text: str, color: str) -> str:
        """Return `text` in a colour where colours are shown."""
        return paint(text, color, self.color)

    def progress(self, text: str) -> None:
        """Draw over the progress line."""
        if self.live and isinstance(self.stream, SteadyStream):
            self.stream.progress(text)


def output(quiet: bool, verbose: bool, log_format: LogFormat) -> Output:
    """Return the output that the options and the terminal ask for."""
    as_json = log_format is LogFormat.json
    colored = not as_json and shows_color(sys.stdout)
    return Output(sys.stdout, quiet, verbose, as_json, colored, live=colored and not quiet)


def shows_color(stream: TextIO) -> bool:
    """Tell whether a stream is a terminal whose user did not refuse colour (https://no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def paint(text: str, color: str, colored: bool) -> str:
    """Return `text` in a colour, or as it is."""
    return typer.style(text, fg=color) if colored else text


def shown(path: Path) -> str:
    """Return a path as the user would type it: from the current folder when it lies below."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def trace(error: Exception) -> None:
    """Print an error with all that led to it, when FLOWFORGE_TRACE=1 asks for it."""
    if os.environ.get("FLOWFORGE_TRACE") == "1":
        from traceback import print_exception

        print_exception(error, file=sys.stderr)


def report_error(error: FlowForgeError, as_json: bool) -> None:
    """Print an error of the user's: what, where, one fix."""
    from flowforge_domain.text import printable

    if as_json:
        print(json_line("error", error.message, "error", error_facts(error)))
        return
    print(f"{paint('✗', RED, shows_color(sys.stderr))} {printable(str(error))}", file=sys.stderr)


def error_facts(error: FlowForgeError) -> dict[str, Any]:
    """Return what a JSON event of an error tells beside its message."""
    return {"where": str(error.where or ""), "hint": error.hint}


def json_line(name: str, message: str, level: str, data: dict[str, Any]) -> str:
    """Return one event as JSON: when, what, how serious, and its facts; pure ASCII, for every encoding."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    return json.dumps({"ts": now, "level": level, "event": name, "msg": message, "data": data}, allow_nan=False)
