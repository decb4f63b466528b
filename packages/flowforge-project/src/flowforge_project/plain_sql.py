"""The fast path: templates whose only tags are literal `ref()`, `source()` and `config()` calls.

They are recognised and rendered without Jinja, hundreds of times faster and to the same bytes; a property test holds
the two against each other. Anything else is left to `jinja_sql.py`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from typing import Any

from flowforge_domain.text import line_of
from flowforge_project.facts import ModelFacts

_TEXT = r"""'[^'\\{}\n]*'|"[^"\\{}\n]*\""""
_TAG = re.compile(
    rf"\{{\{{[ \t\n]*(?:ref\([ \t\n]*(?P<ref>{_TEXT})[ \t\n]*\)"
    rf"|source\([ \t\n]*(?P<group>{_TEXT})[ \t\n]*,[ \t\n]*(?P<table>{_TEXT})[ \t\n]*\)"
    r"|config\((?P<config>[^{}()]*)\))[ \t\n]*\}\}"
)
_JINJA_WORDS = {"true": True, "false": False, "none": None}


def normalized(text: str) -> str:
    """Return a template's text as Jinja reads it: LF line ends, one final newline cut."""
    return text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n")


def plain_facts(text: str) -> ModelFacts | None:
    """Return the facts of a normalized template, or None when it needs Jinja."""
    if "{%" in text or "{#" in text:
        return None
    tags = list(_TAG.finditer(text))
    if len(tags) != text.count("{{"):
        return None
    settings: dict[str, Any] = {}
    for tag in tags:
        if tag["config"] is not None:
            literal = literal_arguments(tag["config"])
            if literal is None:
                return None
            settings |= literal
    lines = [line_of(text, tag.start()) for tag in tags] if tags else []
    return ModelFacts(
        refs=tuple((tag["ref"][1:-1], line) for tag, line in zip(tags, lines, strict=True) if tag["ref"]),
        sources=tuple(
            (tag["group"][1:-1], tag["table"][1:-1], line)
            for tag, line in zip(tags, lines, strict=True)
            if tag["group"]
        ),
        settings=settings,
    )


def render_plain(text: str, ref: Callable[[str], str], source: Callable[[str, str], str]) -> str:
    """Return a normalized template that `plain_facts` accepted with its tags replaced."""

    def replace(tag: re.Match[str]) -> str:
        if tag["ref"]:
            return ref(tag["ref"][1:-1])
        if tag["group"]:
            return source(tag["group"][1:-1], tag["table"][1:-1])
        return ""

    return _TAG.sub(replace, text)


def literal_arguments(arguments: str) -> dict[str, Any] | None:
    """Return the keyword arguments of a call whose values are all literals, else None."""
    try:
        call = ast.parse(f"f({arguments.strip()})", mode="eval").body
        if not isinstance(call, ast.Call) or call.args or any(k.arg is None for k in call.keywords):
            return None
        return {k.arg: ast.literal_eval(_Words().visit(k.value)) for k in call.keywords if k.arg}
    except (SyntaxError, ValueError, RecursionError):
        return None


class _Words(ast.NodeTransformer):
    """Reads Jinja's `true`, `false` and `none` as Python's."""

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Constant(_JINJA_WORDS[node.id]) if node.id in _JINJA_WORDS else node
