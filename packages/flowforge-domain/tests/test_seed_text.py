"""The text of a CSV seed: what is read from it, and the line of what is wrong with it."""

from __future__ import annotations

import csv
import gzip
import zlib
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowforge_domain import seed_text
from flowforge_domain.errors import SeedError
from flowforge_domain.model import Seed, SeedOptions
from flowforge_domain.seed_text import (
    codec,
    declared_types,
    delimiter_in,
    header_columns,
    line_of_value,
    missing_file,
    mixed_endings,
    readable,
    records,
    require_text,
    undecodable,
    wrong_value,
    wrong_width,
)
from flowforge_domain.text import Location

SEED = Seed("s", "csv", Path("seeds/s.csv"), "s", "seeds/s.csv")
CELLS = st.text(alphabet="ab\"',;\r\n", max_size=6)


def lines_of(text):
    return text.splitlines(keepends=True)


def refused(call, *arguments):
    with pytest.raises(SeedError) as caught:
        call(SEED, *arguments)
    assert caught.value.where.path == "seeds/s.csv"
    assert caught.value.hint
    return caught.value


def test_place_without_a_file_name_is_the_path():
    assert str(missing_file(Seed("s", "csv", Path("x/s.csv"), "s")).where) == "x/s.csv"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (EOFError(), "cut off"),
        (zlib.error("Error -3"), "is damaged"),
        (gzip.BadGzipFile("Not a gzipped file"), "is damaged"),
        (PermissionError(13, "denied"), "read: denied"),
        (FileNotFoundError(2, "No such file"), "does not exist"),
    ],
)
def test_file_that_cannot_be_read(error, words):
    with pytest.raises(SeedError, match=words) as caught, readable(SEED):
        raise error
    assert caught.value.__cause__ is error


@pytest.mark.parametrize(
    ("encoding", "name"), [("UTF8", "utf-8-sig"), ("utf-8-sig", "utf-8-sig"), ("latin-1", "iso8859-1"), ("cp1252",) * 2]
)
def test_codec(encoding, name):
    assert codec(Seed("s", "csv", Path("s.csv"), "s", options=SeedOptions(encoding=encoding))) == name


@pytest.mark.parametrize("encoding", ["utf-9", "rot13", "hex", ""])
def test_encoding_that_is_none(encoding):
    with pytest.raises(SeedError, match="is no text encoding"):
        codec(Seed("s", "csv", Path("s.csv"), "s", options=SeedOptions(encoding=encoding)))


@pytest.mark.parametrize(
    ("content", "encoding", "line", "name"),
    [
        (b"a\n1\n\xff\n", "utf-8-sig", 3, "UTF-8"),
        (b"\xef\xbb\xbfa\r\n1\r\n\xff", "utf-8-sig", 3, "UTF-8"),
        (b"a\r1\r\xff", "utf-8", 3, "UTF-8"),
        (b"\xff", "ascii", 1, "ASCII"),
        ("a\nb\n".encode("utf-16-le") + b"\x00\xd8\x41\x00", "utf-16-le", 3, "UTF-16-LE"),
        (b"a\n\xc3", "utf-8", 2, "UTF-8"),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_line_that_is_not_in_its_encoding(content, encoding, line, name, size):
    chunks = [content[i : i + size] for i in range(0, len(content), size)]
    error = undecodable(SEED, chunks, encoding)
    assert (error.where.line, error.message) == (line, f"This line is not {name} text.")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "ascii"])
@pytest.mark.parametrize("content", [b"\xff\xfea\0", b"\xfe\xff\0a"])
def test_text_of_two_bytes_a_character_is_told_from_a_wrong_character(content, encoding):
    error = undecodable(SEED, [content], encoding)
    assert error.where.line == 1
    assert error.message.startswith("The file is UTF-16, not ")
    assert "`encoding: utf-16`" in error.hint


@pytest.mark.parametrize(
    ("chunks", "line", "words"),
    [
        ([], 0, "empty"),
        ([b"\xef\xbb\xbf \n"], 0, "empty"),
        ([b"\xff\xfea\x00"], 1, "UTF-16"),
        ([b"a\n1\n", b"2\n\x003"], 4, "NUL"),
    ],
)
def test_bytes_that_are_no_table(chunks, line, words):
    error = refused(require_text, chunks)
    assert words in error.message
    assert error.where.line == line


def test_bytes_that_are_a_table():
    require_text(SEED, [b"\xef\xbb\xbfa\n", b" ", b"\xff\xfe"])


@pytest.mark.parametrize(
    ("header", "quote", "delimiter"),
    [("a,b", '"', ","), ("a;b", '"', ";"), ('"a,b,c";d', '"', ";"), ("a\tb|c\td", "'", "\t"), ("a", '"', ",")],
)
def test_delimiter(header, quote, delimiter):
    assert delimiter_in(header, quote) == delimiter


def test_delimiter_and_quote_are_one_character():
    seed_text.require_one_character(SEED, ",", "'")
    assert "one character" in refused(seed_text.require_one_character, "||", '"').message


def test_a_setting_that_is_wrong_is_told_where_it_stands():
    places = {("quote",): Location("project.yml", 7), ("column_types", "b"): Location("project.yml", 5)}
    seed = Seed("s", "csv", Path("s.csv"), "s", "seeds/s.csv", SeedOptions(column_types={"b": "text"}), places)
    for check in (seed_text.require_one_character, seed_text.require_ascii):
        with pytest.raises(SeedError) as caught:
            check(seed, ",", "««")
        assert str(caught.value.where) == "project.yml:7"
    with pytest.raises(SeedError, match=r"which seeds/s\.csv lacks") as caught:
        list(declared_types(seed, ["a"]))
    assert str(caught.value.where) == "project.yml:5"
    assert str(seed_text.no_type(seed, "b", "int5", "X", "bigint").where) == "project.yml:5"
    assert "(project.yml:5)" in wrong_value(seed, 2, "b", "x", "bigint").hint
    assert str(seed.where("null")) == "seeds/s.csv"


def test_header():
    assert header_columns(SEED, ["a", "B c"]) == ("a", "B c")
    assert refused(header_columns, []).message == "Column 1 of the header has no name."
    assert refused(header_columns, ["a", " ", ""]).message == "Column 2 of the header has no name."
    twice = refused(header_columns, ["id", "Id"], 2)
    assert (twice.message, twice.where.line) == ("The header names 'Id' twice.", 2)


@given(st.lists(st.lists(CELLS, min_size=2, max_size=2), max_size=5), st.sampled_from([",", ";"]))
def test_records_are_those_that_were_written(written, delimiter):
    sink = StringIO(newline="")
    csv.writer(sink, delimiter=delimiter).writerows(written)
    found = list(records(SEED, StringIO(sink.getvalue(), newline=""), delimiter, '"'))
    assert [record for _, record in found] == written
    starts = [1]
    for cells in written:
        breaks = sum(len(StringIO(f"{cell}.", newline="").readlines()) - 1 for cell in cells)
        starts.append(starts[-1] + breaks + 1)
    assert [line for line, _ in found] == starts[:-1]


@pytest.mark.parametrize(
    ("text", "words"), [('a\n"x\ny\n', "on this line never ends"), ('a\n"x"y\n', "on this line is followed")]
)
def test_quotes_that_are_broken(text, words):
    error = refused(lambda seed: list(records(seed, lines_of(text), ",", '"')))
    assert words in error.message
    assert error.where.line == 2


def test_value_too_long_for_the_reader_ends_the_records():
    # Whoever read a seed before has raised the limit, to a value that takes half a minute to read.
    usual = csv.field_size_limit(131_072)
    try:
        text = "a\n" + "x" * (csv.field_size_limit() + 1) + "\n"
        assert list(records(SEED, lines_of(text), ",", '"')) == [(1, ["a"])]
    finally:
        csv.field_size_limit(usual)


def test_wrong_width_says_what_was_expected():
    error = wrong_width(SEED, 3, 1, ("a", "b"))
    assert str(error).startswith("seeds/s.csv:3: Expected 2 values, as in the header, found 1.\n")


def test_mixed_endings():
    assert mixed_endings(SEED, ["a\n", "b\n", "c"]) is None
    error = mixed_endings(SEED, ["a\r\n", "b\r\n", "c\n"])
    assert error.where.line == 3
    assert error.message == "This line ends with 'LF', the line before with 'CRLF'."


def test_value_is_found_and_shown_in_part():
    found = [(1, ["a", "b"]), (2, ["1"]), (3, ["1", "x"])]
    assert line_of_value(found, 1, "x") == 3
    assert line_of_value(found, 1, "y") == 0
    assert (
        wrong_value(SEED, 3, "b", "x" * 61, "bigint").message == f"Column 'b' holds '{'x' * 60}…', which is no bigint."
    )


def test_a_declared_delimiter_that_is_not_the_files_is_blamed_for_what_follows():
    places = {("delimiter",): Location("project.yml", 3)}
    seed = Seed("s", "csv", Path("s.csv"), "s", "seeds/s.csv", SeedOptions({"a": "text"}, ";"), places)
    with pytest.raises(SeedError) as caught:
        list(declared_types(seed, ["a,b"]))
    for error in (caught.value, wrong_width(seed, 2, 3, ["a,b"])):
        assert str(error.where) == "project.yml:3"
        assert error.hint == "Did you mean ','?"
    assert str(wrong_width(seed, 2, 3, ["a b"]).where) == "seeds/s.csv:2"
    assert str(wrong_width(seed, 2, 3, ["a,b", "c"]).where) == "seeds/s.csv:2"
    assert str(wrong_width(replace(seed, options=SeedOptions()), 2, 3, ["a,b"]).where) == "seeds/s.csv:2"


def test_declared_types():
    seed = Seed("s", "csv", Path("s.csv"), "s", options=SeedOptions(column_types={"b": "text"}))
    assert list(declared_types(seed, ["a", "b"])) == [("b", "text")]
    with pytest.raises(SeedError, match="names the column 'b'") as caught:
        list(declared_types(seed, ["B"]))
    assert caught.value.hint == "Did you mean 'B'?"
    assert "is no type of X" in seed_text.no_type(seed, "b", "int5", "X", "bigint").message
