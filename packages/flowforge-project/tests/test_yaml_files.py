"""Strict YAML: what it reads, and that everything else is refused with file and line, however it is nested."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowforge_domain.errors import ConfigError
from flowforge_project.folder import decode
from flowforge_project.yaml_files import read_yaml


def read(text):
    return read_yaml(text, "project.yml").data


def refusal(text, **options):
    with pytest.raises(ConfigError) as caught:
        read_yaml(text, "project.yml", **options)
    return caught.value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 1", 1),
        ("a: -17", -17),
        ("a: +3", 3),
        ("a: 0", 0),
        ("a: 007", "007"),
        ("a: 0x1F", "0x1F"),
        ("a: 1_000", "1_000"),
        ("a: 12:30", "12:30"),
        ("a: 2024-01-31", "2024-01-31"),
        ("a: 2024-13-45", "2024-13-45"),
        ("a: 1.5", 1.5),
        ("a: .5", 0.5),
        ("a: 1e3", 1000.0),
        ("a: 1e999", "1e999"),
        ("a: .nan", ".nan"),
        ("a: .inf", ".inf"),
        ("a: " + "9" * 101, "9" * 101),
        ("a: yes", "yes"),
        ("a: no", "no"),
        ("a: on", "on"),
        ("a: true", True),
        ("a: False", False),
        ("a: null", None),
        ("a: ~", None),
        ("a:", None),
        ("a: ''", ""),
        ("a: '1'", "1"),
        ('a: "true"', "true"),
        ("a: |\n  one\n  two\n", "one\ntwo\n"),
        ("a: >-\n  one\n  two\n", "one two"),
        ("a: !!str 5", "5"),
        ("a: [1, b, ~]", [1, "b", None]),
        ("a: {b: {c: d}}", {"b": {"c": "d"}}),
        ("a: []", []),
        ("a: {}", {}),
    ],
)
def test_scalars_are_what_they_look_like(text, value):
    found = read(text)["a"]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize("key", ["1", "true", "null", "on", "2024-01-31", "1.5", "~"])
def test_a_key_is_always_the_text_as_written(key):
    assert read(f"{key}: x") == {key: "x"}


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", "---\n", "null", "~\n"])
def test_an_empty_file_is_an_empty_mapping(text):
    assert read(text) == {}


def test_line_ends_and_byte_order_marks_make_no_difference():
    text = "a: 1\nb:\n  - c\n"
    expected = read_yaml(text, "x")
    for content in (text.replace("\n", "\r\n"), text.replace("\n", "\r"), "\ufeff" + text):
        found = read_yaml(decode(content.encode(), "x"), "x")
        assert (found.data, found.lines) == (expected.data, expected.lines)


def test_every_key_and_item_has_its_line():
    file = read_yaml("a: 1\nb:\n  - c\n\n  - d: 2\n    e: 3\n", "project.yml")
    assert file.lines == {
        ("a",): 1,
        ("b",): 2,
        ("b", 0): 3,
        ("b", 1): 5,
        ("b", 1, "d"): 5,
        ("b", 1, "e"): 6,
    }
    assert str(file.where("b", 1, "nothing")) == "project.yml:5"
    assert str(file.where("nothing")) == "project.yml:1"


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("a: 1\na: 2", 2, 1, "The key 'a' stands twice."),
        ("a:\n  b: 1\n  c: 2\n  b: 3", 4, 3, "The key 'b' stands twice."),
        ("a: &x [1]\nb: *x", 2, 4, "Aliases are not supported."),
        ("a: &x 1\n? *x\n: b", 2, 3, "Aliases are not supported."),
        ("a: {b: 1}\nc:\n  <<: {d: 2}", 3, 3, "Merge keys are not supported."),
        ("a: !!python/object:os.system {}", 1, 4, "Tags are not supported."),
        ("a: !foo [1]", 1, 4, "Tags are not supported."),
        ("a: !!binary aGk=", 1, 4, "Tags are not supported."),
        ("a: !!timestamp 2024-01-01", 1, 4, "Tags are not supported."),
        ("a: !!set {b}", 1, 4, "Tags are not supported."),
        ("!!omap [a: 1]", 1, 1, "Tags are not supported."),
        ("? [a]\n: b", 1, 3, "A key must be a text."),
        ("x: {{ env_var('A') }}", 1, 5, "A key must be a text."),
        ("a: 1\n---\nb: 2", 2, 1, "The file holds more than one document."),
        ("a: 'x\nb: 2", 1, 4, "The YAML cannot be read: found unexpected end of stream."),
        ("a: [1,\nb: 2\n", 1, 4, "The YAML cannot be read:"),
        ("a: 1\n\tb: 2\n", 2, None, "The YAML cannot be read:"),
        ("a: b: c", 1, 5, "The YAML cannot be read: mapping values are not allowed in this context."),
        ("a: @x", 1, 4, "The YAML cannot be read: found character that cannot start any token."),
        ("%YAML 9.9\n---\na: 1", 1, 1, "The YAML cannot be read: found incompatible YAML document."),
        ("a: 1\nb: \x07", 2, None, "The YAML cannot be read: it holds a character that YAML does not allow."),
    ],
)
def test_what_is_not_plain_is_refused_where_it_stands(text, line, column, message):
    error = refusal(text)
    assert error.message.startswith(message)
    assert str(error.where) == f"project.yml:{line}"
    assert error.hint
    gutter, _, below = error.snippet.partition("\n")
    assert gutter.startswith(f"{line:>5} | ")
    if column is not None:
        assert below == " " * (8 + column - 1) + "^"


@pytest.mark.parametrize(
    "text",
    [
        "[" * 10_000,
        "[" * 10_000 + "]" * 10_000,
        "{a: " * 10_000 + "}" * 10_000,
        '["]",' * 10_000,
        "- " * 10_000 + "a",
        "? " * 10_000,
        "- ? " * 5_000,
        "\n".join(" " * i + "a:" for i in range(10_000)),
        "\n".join(" " * i + "-" for i in range(10_000)),
        "a: &a [x]\n" + "".join(f"b{i}: &b{i} [*a, *a]\n" for i in range(60)),
        "&a [*a]",
    ],
    ids=range(11),
)
def test_bombs_are_refused_at_once(text):
    started = time.process_time()
    assert len(str(refusal(text)).splitlines()) <= 15
    assert time.process_time() - started < 2


@pytest.mark.parametrize("text", ["a:\n\tb: 2\n", "a: 1\n\tb: 2\n", "a:\n  - b\n\t- c\n"])
def test_a_tab_is_named(text):
    assert refusal(text).hint == "Indent with spaces, not tabs."


def test_sixty_levels_are_enough():
    assert read("a: " + "[" * 59 + "]" * 59)
    assert refusal("a: " + "[" * 60 + "]" * 60).message == "This is nested too deeply."


def test_a_very_large_file_is_read_and_a_huge_line_is_shown_in_part():
    data = read("a:\n" + "".join(f"  k{i}: {i}\n" for i in range(50_000)))
    assert data["a"]["k49999"] == 49_999
    error = refusal("a: " + "x" * 1_000_000 + ": y")
    assert max(map(len, str(error).splitlines())) < 200


def test_a_private_file_is_never_quoted():
    for text in ("p: 'hunter2", "p: !hunter2 x", "p: *hunter2", "p: {hunter2: hunter2: 1}", "p: hunter2: x", "hunter2"):
        try:
            file = read_yaml(text, "profiles.yml", private=True)
        except ConfigError as error:
            assert "hunter2" not in f"{error} {error.__cause__!r}"
        else:
            assert file.text == ""


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.text(alphabet="ab:- \n\t{}[]&*!|>'\"#%@,?~0é\u2028\x85\x07", max_size=40))
def test_no_text_gives_anything_but_values_or_our_error(text):
    try:
        read_yaml(text, "project.yml")
    except ConfigError as error:
        assert error.where is not None
        assert error.where.line >= 1
