"""The grammar of a selection: `[@][n+]VALUE[+n]`, where VALUE is a word, or `method:word`.

Words with spaces between them are a union, with commas an intersection. A text that is a name in the project is that
name, whatever it looks like.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from flowforge_domain.errors import SelectionError
from flowforge_domain.model import node_name
from flowforge_domain.text import did_you_mean

METHODS = ("name", "tag", "path", "source", "config", "owner", "kind", "state", "result", "selector")
"""What may stand before the colon of a term."""

_TERM = re.compile(r"(?P<at>@)?(?P<up>\d*\+)?(?P<value>[^+]*(?:\+[^+\d][^+]*)*)(?P<down>\+\d*)?\Z")
_METHOD = re.compile(r"(?P<method>[A-Za-z_]+)(?:\.(?P<argument>[^:]*))?:(?P<word>.*)\Z", re.DOTALL)
_FORMS = "Write NAME, +NAME, NAME+, 2+NAME, @NAME or METHOD:VALUE."


@dataclass(frozen=True, slots=True)
class Term:
    """One term: what it names by which method ("" for none), and how far it follows the graph.

    `up` and `down` are steps, None for none at all and -1 for all of them; `at` means what depends on it, and all that
    is needed for that. `argument` is the key of `config.KEY:`.
    """

    text: str
    value: str
    method: str = ""
    argument: str = ""
    up: int | None = None
    down: int | None = None
    at: bool = False


def parsed(texts: Collection[str], names: Collection[str], words: Collection[str] = ()) -> Iterator[list[Term]]:
    """Yield for every term of a union the terms whose intersection it is.

    `names` are those of the project, `words` are tags: what is one is not taken apart. Raises `SelectionError`.
    """
    for text in texts:
        for part in [text] if _is_name(text, names) else text.split():
            factors = [part] if _is_name(part, names) or part in words else part.split(",")
            yield [_term(factor, part, names, words) for factor in factors]


def _is_name(text: str, names: Collection[str]) -> bool:
    found = _TERM.match(text)
    return text in names or (found is not None and node_name(found["value"]) in names)


def _term(text: str, whole: str, names: Collection[str], words: Collection[str]) -> Term:
    if text in names:
        return Term(text, text)
    found = _TERM.match(text)
    if found is None or not found["value"]:
        raise SelectionError(f"{whole!r} is not a selection.", hint=_FORMS)
    if found["at"] and (found["up"] or found["down"]):
        meant = f"@{found['value']}"
        raise SelectionError(f"{text!r} has both @ and +.", hint=f"Did you mean {meant!r}? It follows both ways.")
    method, argument, value = _method(text, found["value"], names, words)
    return Term(text, value, method, argument, _steps(found["up"]), _steps(found["down"]), bool(found["at"]))


def _method(text: str, value: str, names: Collection[str], words: Collection[str]) -> tuple[str, str, str]:
    """Return the method of a value, its argument, and its word."""
    found = _METHOD.match(value)
    if found is None or value in words or node_name(value) in names:
        return "", "", value
    method, argument, word = found["method"], found["argument"] or "", found["word"]
    if method not in METHODS:
        known = [f"{known}:" for known in METHODS]
        raise SelectionError(f"There is no method {method!r} in {text!r}.", hint=did_you_mean(f"{method}:", known))
    if method == "config" and not argument:
        argument, _, word = word.partition(":")
    if argument and method != "config":
        raise SelectionError(
            f"The method in {text!r} takes no '.{argument}'.", hint=f"Write {method}:{word or 'VALUE'}."
        )
    if not word:
        example = "config.materialized:view" if method == "config" else f"{method}:VALUE"
        raise SelectionError(f"{text!r} names nothing.", hint=f"Write {example}.")
    return method, argument, word


def _steps(operator: str | None) -> int | None:
    if operator is None:
        return None
    digits = operator.strip("+")
    # A graph has no more steps than this, and Python reads no number of thousands of digits.
    return int(digits) if 0 < len(digits) < 10 else -1
