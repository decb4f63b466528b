"""Why a plugin cannot be used, in which of its lines, and how to mend that."""

from __future__ import annotations

import re
import sys
from collections.abc import Container, Iterable
from dataclasses import dataclass
from pathlib import Path
from traceback import walk_tb
from types import ModuleType

import pluggy

from flowforge_domain.dialect import Dialect
from flowforge_domain.text import nearest, words_of
from flowforge_ports import hooks
from flowforge_ports.docs import SiteSpec
from flowforge_ports.engine import EngineSpec
from flowforge_ports.materialization import MaterializationSpec
from flowforge_ports.project import ProjectSpec
from flowforge_ports.sql import SqlSpec

_OURS = ("flowforge_domain", "flowforge_ports")
_DESCRIBING = {
    kind.__name__: kind for kind in (Dialect, EngineSpec, MaterializationSpec, ProjectSpec, SiteSpec, SqlSpec)
}
_UNKNOWN_WORD = re.compile(rf"({'|'.join(_DESCRIBING)})\.__init__\(\) got an unexpected keyword argument '(\w+)'")
_UNKNOWN_NAME = re.compile(r"cannot import name '(\w+)'")
UPGRADE = "pip install --upgrade flowforge"


@dataclass(frozen=True, slots=True)
class Broken:
    """A plugin that cannot be used: its name, who installed it, why, and how to mend that.

    `engine` is the one that it gives, "" where it could not be asked.
    """

    name: str
    distribution: str
    reason: str
    fix: str
    engine: str = ""


def failed(name: str, distribution: str, module: str, error: BaseException) -> Broken:
    """Return what came of loading a plugin's module, or of asking it what it announces."""
    if isinstance(error, pluggy.PluginValidationError):
        return Broken(name, distribution, _joined(error), "Give its hooks the arguments of flowforge_ports/hooks.py.")
    package = module.partition(".")[0]
    own = [place for _, place in [place_in(error, {package})] if place]
    return Broken(name, distribution, _joined(error) + "".join(own), _fix(error, package, distribution, bool(own)))


def unheard(name: str, distribution: str, module: ModuleType, manager: pluggy.PluginManager) -> Broken | None:
    """Return what is wrong with a plugin's hooks where FlowForge would never call one of them, None where it does."""
    callers = manager.get_hookcallers(module) or []
    if not callers:
        return Broken(name, distribution, "it announces nothing", "Mark its function flowforge_engines with @hookimpl.")
    for caller in callers:
        if not caller.has_spec() and not all(one.optionalhook for one in caller.get_hookimpls()):
            meant = nearest(caller.name, (known for known in vars(hooks) if known.startswith("flowforge_")))
            fix = f"Did you mean {meant!r}?" if meant else "Name it as in flowforge_ports/hooks.py."
            return Broken(name, distribution, f"FlowForge has no hook {caller.name!r}, so it announces nothing", fix)
    return None


def place_in(error: BaseException, packages: Container[str]) -> tuple[str, str]:
    """Return the package of these that was at work when the error came up, and the line, ready to follow a message.

    Both are empty if none was.
    """
    if isinstance(error, SyntaxError) and error.filename:
        return "", _place(Path(error.filename), error.lineno or 1)
    for frame, line in reversed(list(walk_tb(error.__traceback__))):
        package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if package in packages:
            return package, _place(Path(frame.f_code.co_filename), line)
    return "", ""


def missing_module(error: BaseException, package: str) -> str:
    """Return how to mend that a module is missing which is not of the package itself; empty where that is not so."""
    if isinstance(error, ModuleNotFoundError) and error.name and error.name.partition(".")[0] != package:
        return f"Install the package that gives the module {error.name!r}."
    return ""


def _place(file: Path, line: int) -> str:
    return f" ({file.parent.name}/{file.name}, line {line})"


def _joined(error: BaseException) -> str:
    said = error.msg if isinstance(error, SyntaxError) else words_of(error)
    lines = [line.strip() for line in said.splitlines()]
    # The reason why a hook is refused is all the lines that pluggy writes; of others the first says enough.
    shown = " ".join(lines) if isinstance(error, pluggy.PluginValidationError) else "".join(lines[:1])
    return f"{type(error).__name__}: {shown}".removesuffix(": ")


def _fix(error: BaseException, package: str, distribution: str, has_place: bool) -> str:
    if asked := _asked_of_flowforge(error):
        word, known = asked
        if meant := nearest(word, known):
            return f"Did you mean {meant!r}? If not, it is for a newer FlowForge: {UPGRADE}"
        return f"Correct that line, or upgrade FlowForge if it is for a newer one: {UPGRADE}"
    if missing := missing_module(error, package):
        return missing
    return f"Correct that line, or report it to the authors of {distribution}." if has_place else "Install it again."


def _asked_of_flowforge(error: BaseException) -> tuple[str, Iterable[str]] | None:
    """Return the word that is asked for and that this FlowForge does not have, and those that it has there.

    The plugin's `api` cannot be read before that, so that such a word may be of a newer one, or misspelt.
    """
    if isinstance(error, AttributeError):
        there = error.obj
        module = there.__name__ if isinstance(there, ModuleType) else str(getattr(there, "__module__", ""))
        return (str(error.name), dir(there)) if module.startswith(_OURS) else None
    if isinstance(error, ImportError):
        module, name = error.name or "", _UNKNOWN_NAME.match(words_of(error))
        known = dir(sys.modules.get(module))
        return (name[1] if name else module, known) if module.startswith(_OURS) else None
    found = _UNKNOWN_WORD.match(words_of(error))
    return (found[2], _DESCRIBING[found[1]].__dataclass_fields__) if found else None
