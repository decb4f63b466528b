"""Descriptions: a few marks become HTML, everything else stays text."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowforge_docs_html.richtext import first_line, rich


def test_blank_lines_part_paragraphs_and_line_ends_break_lines() -> None:
    assert rich("one\ntwo\n\n  \n three") == '<p dir="auto">one<br>\ntwo</p><p dir="auto">three</p>'


def test_nothing_becomes_nothing() -> None:
    assert rich("") == rich(" \n ") == ""


def test_code_is_escaped_inside() -> None:
    assert rich("a `<b>` c") == '<p dir="auto">a <code>&lt;b&gt;</code> c</p>'


def test_links_lead_to_the_web_only() -> None:
    assert rich("[x](https://a.b/c?d=1&e)") == (
        '<p dir="auto"><a href="https://a.b/c?d=1&amp;e" rel="noopener noreferrer">x</a></p>'
    )


@pytest.mark.parametrize(
    "text",
    [
        "[x](javascript:alert(1))",
        "[x](data:text/html,hi)",
        "[x](//evil.example)",
        "[x](file:///etc/passwd)",
        '[x](https://a"onclick="b)',
        "[x]( https://a)",
        "![x](https://a b)",
        "[x](vbscript:x)",
    ],
)
def test_any_other_link_stays_text(text: str) -> None:
    assert "<a" not in rich(text)


def test_the_first_line_loses_its_marks() -> None:
    assert first_line("  See [docs](https://a.b) on `id` \nmore") == "See docs on id"


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, tuple[tuple[str, str | None], ...]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, tuple(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@given(st.text(alphabet=st.sampled_from("<>&\"'`[]()\n /=:htps.xonerror"), max_size=80))
def test_no_text_gets_a_tag_or_attribute_of_its_own(text: str) -> None:
    found = _Tags()
    found.feed(str(rich(text)))
    found.close()
    for tag, attributes in found.seen:
        assert tag in {"p", "br", "code", "a"}
        assert {name for name, _ in attributes} <= {"dir", "href", "rel"}
        assert dict(attributes).get("href", "https://").startswith(("https://", "http://"))  # type: ignore[union-attr]


@given(st.text(alphabet=st.characters(exclude_characters="`[]\r", exclude_categories=["Cs"]), max_size=60))
def test_text_without_marks_is_shown_as_written(text: str) -> None:
    found = _Tags()
    found.feed(str(rich(text)))
    found.close()
    assert "".join(found.text.split()) == "".join(text.split())
