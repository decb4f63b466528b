"""Texts of YAML in which `env_var()` may stand, in names also `target.name`, and nothing else: no Jinja."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flowforge_domain.text import did_you_mean, misspelt

_TEXT = r"""'[^'\\{}]*'|"[^"\\{}]*\""""
_ENV_VAR = re.compile(rf"env_var\(\s*(?P<name>{_TEXT})\s*(?:,\s*(?P<default>{_TEXT})\s*)?\)\Z")
_TARGET = re.compile(r"target\.(?P<key>\w+)\Z")
_TAG = re.compile(r"\{\{(?P<call>.*?)(?P<closed>\}\}|\Z)", re.DOTALL)

Target = Callable[[], Mapping[str, str]]
"""Says what templates see of the profile, when it is asked: not every command needs one."""


@dataclass(eq=False)
class EnvTextError(Exception):
    """A text cannot be filled: why, and what to do about it."""

    message: str
    fix: str


def is_template(text: str) -> bool:
    """Tell whether there is anything to fill in a text."""
    return "{{" in text


def names_read(text: str) -> list[str]:
    """Return the variables of the environment that a text names."""
    calls = (_ENV_VAR.match(tag["call"].strip()) for tag in _TAG.finditer(text))
    return [found["name"][1:-1] for found in calls if found]


def filled(text: str, environment: Mapping[str, str], target: Target | None = None) -> str:
    """Return a text with what its tags stand for; without `target` they are calls of `env_var()`.

    Braces that are never closed are no tag, and may be part of a password. Raises `EnvTextError` for another tag.
    """

    def stands_for(tag: re.Match[str]) -> str:
        call = tag["call"].strip()
        if not tag["closed"]:
            return tag.group()
        if target is not None and (asked := _TARGET.match(call)):
            return _of_target(asked["key"], target())
        return _variable(call, environment, "" if target is None else ", or target.name,")

    return _TAG.sub(stands_for, text)


def _of_target(key: str, known: Mapping[str, str]) -> str:
    if not known:
        fix = "Use env_var('NAME'), or flowforge.Project, which has a profile."
        raise EnvTextError(f"target.{key} is not known here, where no profile is chosen.", fix)
    if key not in known:
        raise EnvTextError(f"There is no target.{key} on this profile.", did_you_mean(key, known))
    return known[key]


def _variable(call: str, environment: Mapping[str, str], more: str) -> str:
    found = _ENV_VAR.match(call)
    if found is None:
        fix = (
            "Did you mean env_var?"
            if _is_misspelt(call)
            else "Write env_var with its name in quotes, or a plain value."
        )
        raise EnvTextError(f"only env_var('NAME') or env_var('NAME', 'default'){more} can stand in {{{{ … }}}}.", fix)
    name = found["name"][1:-1]
    if name in environment:
        return environment[name]
    if found["default"]:
        return found["default"][1:-1]
    # What else the environment holds is nobody's business.
    meant = misspelt(name, environment)
    hint = f" Did you mean {meant!r}?" if meant else ""
    raise EnvTextError(f"The environment variable {name!r} is not set.{hint}", "Set it in your shell or .env.")


def _is_misspelt(call: str) -> bool:
    word = call.partition("(")[0].strip()
    return word != "env_var" and misspelt(word.lower(), ["env_var"]) is not None
