"""Makes the commands in hints ones that can be pasted: they get the project, profile and variables of this one."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from flowforge_domain.errors import FlowForgeError

_TARGET = ("--env", "--engine")
TAKES = {
    "clean": (*_TARGET, "--vars"),
    "run": (*_TARGET, "--vars"),
    "build": (*_TARGET, "--vars"),
    "compile": (*_TARGET, "--vars"),
    "dag": (*_TARGET, "--vars"),
    "why": (*_TARGET, "--vars"),
    "ls": (*_TARGET, "--vars"),
    "seed": _TARGET,
    "test": _TARGET,
    "show": _TARGET,
    "debug": _TARGET,
    "runs list": (),
    "runs show": (),
}
"""Which of the options that say what is worked on each command takes; all of them take a project."""

# A command ends a line of a hint, but for a full stop, or stands in backquotes.
_COMMAND = re.compile(r"(?<=: )flowforge [^\n`]+?(?=\.?$)|(?<=`)flowforge [^\n`]+(?=`)", re.MULTILINE)


@dataclass(frozen=True)
class Given:
    """What a command was told to work on: the project's folder, and options as `TAKES` names them with their values.

    `builds` is the command that is to be typed where something must be built: the same again, where it builds.
    """

    project: str = "."
    options: Sequence[tuple[str, str]] = ()
    builds: str = "run"

    def told(self, text: str) -> str:
        """Return a text whose commands work on the same; one that is as it should be stays."""
        return _COMMAND.sub(lambda found: self._completed(found[0]), text)

    def mend(self, error: FlowForgeError) -> FlowForgeError:
        """Complete the commands in an error's hint, and return it."""
        error.hint = self.told(error.hint)
        return error

    def _completed(self, command: str) -> str:
        words = command.split()
        name = next((" ".join(words[1:n]) for n in (3, 2) if " ".join(words[1:n]) in TAKES), "")
        if not name or "PATH" in command:
            return command
        if name == "run" and "--resume" not in words:
            name, command = self.builds, command.replace("flowforge run", f"flowforge {self.builds}", 1)
        options = [part for option, value in self.options if option in TAKES[name] for part in (option, value)]
        more = shlex.join([*([self.project] if self.project != "." else []), *options])
        return f"{command} {more}" if more and not command.endswith(f" {more}") else command


def given(
    project: str, env: str | None, engine: str | None, variables: Sequence[str] | None = None, builds: str = "run"
) -> Given:
    """Return what the options of a command say."""
    named = (("--env", env), ("--engine", engine), *(("--vars", text) for text in variables or ()))
    return Given(project, tuple((option, value) for option, value in named if value is not None), builds)
