"""The fast path: templates whose only tags are literal `ref()`, `source()` and `config()` calls.

They are recognised and rendered without Jinja, hundreds of times faster and to the same bytes; a property test holds
the two against each other. Anything else is left to `jinja_sql.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from flowforge_project.facts import ModelFacts

_SPACE = r"[ \t\n]*"
_TEXT = r"""'[^'\\{}\n]+'|"[^"\\{}\n]+\""""
# In `{{{ ref('a') }}` the tag begins at the first brace.
_TAG = re.compile(
    rf"(?<!\{{)\{{\{{{_SPACE}(?P<call>ref\({_SPACE}(?P<ref>{_TEXT}){_SPACE}\)"
    rf"|source\({_SPACE}(?P<group>{_TEXT}){_SPACE},{_SPACE}(?P<table>{_TEXT}){_SPACE}\)"
    rf"|config\((?P<config>[^{{}}()]*)\)){_SPACE}\}}\}}"
)
_WORDS = {"true": True, "True": True, "false": False, "False": False, "none": None, "None": None}
# Values that Jinja reads as written here: texts without escapes, small numbers, words, and flat lists of them.
_VALUE = rf"{_TEXT}|-?(?:0|[1-9][0-9]{{0,17}})\b|(?:{'|'.join(_WORDS)})\b"
_LIST = rf"\[{_SPACE}(?:(?:{_VALUE}){_SPACE}(?:,{_SPACE}(?:{_VALUE}){_SPACE})*(?:,{_SPACE})?)?\]"
_ARGUMENT = re.compile(
    rf"{_SPACE}(?P<name>[a-z_]+){_SPACE}={_SPACE}(?P<value>{_VALUE}|{_LIST}){_SPACE}(?P<next>,|\Z){_SPACE}"
)
_ITEM = re.compile(_VALUE)


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
    refs, sources = [], []
    settings: dict[str, tuple[Any, int]] = {}
    for tag, line in zip(tags, _lines(text, (tag.start("call") for tag in tags)), strict=True):
        if tag["ref"]:
            refs.append((tag["ref"][1:-1], line))
        elif tag["group"]:
            sources.append((tag["group"][1:-1], tag["table"][1:-1], line))
        elif (literal := _literal_arguments(tag["config"], line)) is None or literal.keys() & settings.keys():
            return None
        else:
            settings |= literal
    return ModelFacts(
        refs=tuple(refs),
        sources=tuple(sources),
        settings={name: value for name, (value, _) in settings.items()},
        setting_lines={name: line for name, (_, line) in settings.items()},
    )


def render_plain(text: str, ref: Callable[[str], str], source: Callable[[str, str], str]) -> str | None:
    """Return a normalized template with its tags replaced, or None when it needs Jinja.

    Settings are not looked at again: whoever read the template has refused those that Jinja would refuse.
    """
    if "{%" in text or "{#" in text or len(_TAG.findall(text)) != text.count("{{"):
        return None

    def replace(tag: re.Match[str]) -> str:
        if tag["ref"]:
            return ref(tag["ref"][1:-1])
        if tag["group"]:
            return source(tag["group"][1:-1], tag["table"][1:-1])
        return ""

    return _TAG.sub(replace, text)


def _lines(text: str, offsets: Iterator[int]) -> Iterator[int]:
    """Yield the line of each offset; they ascend."""
    line, last = 1, 0
    for offset in offsets:
        line += text.count("\n", last, offset)
        last = offset
        yield line


def _literal_arguments(arguments: str, line: int) -> dict[str, tuple[Any, int]] | None:
    """Return the keyword arguments of a call that begins on `line`, each with its own; None where Jinja must read."""
    found: dict[str, tuple[Any, int]] = {}
    end = 0
    while argument := _ARGUMENT.match(arguments, end):
        name, value = argument["name"], argument["value"]
        if name in found:
            return None
        found[name] = (_value(value), line + arguments.count("\n", 0, argument.start("value")))
        end = argument.end()
        if not argument["next"]:
            break
    return found if end == len(arguments) or not arguments.strip(" \t\n") else None


def _value(text: str) -> Any:
    if text[0] == "[":
        return [_value(item.group()) for item in _ITEM.finditer(text)]
    if text[0] in "'\"":
        return text[1:-1]
    return _WORDS[text] if text in _WORDS else int(text)
