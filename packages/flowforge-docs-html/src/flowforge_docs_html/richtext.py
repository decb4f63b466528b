"""Descriptions as HTML: paragraphs, line breaks, `code` and links to http(s); everything else is shown as written."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

_BLANK_LINES = re.compile(r"\n[ \t]*(?:\n[ \t]*)+")
_SPAN = re.compile(r"`(?P<code>[^`\n]+)`|\[(?P<label>[^\[\]\n]+)\]\((?P<url>https?://[^\s()<>\"'`\\]+)\)")


def rich(text: str) -> Markup:
    """Return `text` as paragraphs."""
    blocks = _BLANK_LINES.split(text.replace("\r\n", "\n").strip())
    return Markup("".join(f'<p dir="auto">{_inline(block)}</p>' for block in blocks if block))  # noqa: S704 - escaped below


def first_line(text: str) -> str:
    """Return the first line of a description without its marks, for a table."""
    line = text.strip().partition("\n")[0].strip()
    return _SPAN.sub(lambda found: found["code"] or found["label"], line)


def _inline(block: str) -> str:
    """Escape what stands between the marks and inside them; markup comes from here only."""
    pieces = []
    end = 0
    for found in _SPAN.finditer(block):
        pieces += [_lines(block[end : found.start()]), _marked(found)]
        end = found.end()
    return "".join([*pieces, _lines(block[end:])])


def _marked(found: re.Match[str]) -> str:
    if found["code"]:
        return f"<code>{escape(found['code'])}</code>"
    return f'<a href="{escape(found["url"])}" rel="noopener noreferrer">{escape(found["label"])}</a>'


def _lines(text: str) -> str:
    return str(escape(text)).replace("\n", "<br>\n")
