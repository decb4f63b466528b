"""A CSV seed as every engine gets it: whole, or not at all."""

from __future__ import annotations

from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

from flowforge_domain.errors import SeedError
from flowforge_domain.model import Seed, SeedOptions
from flowforge_domain.seed_csv import (
    SeedFile,
    checked_records,
    csv_records,
    first_cell,
    line_of,
    read_csv,
    utf8_chunks,
)


def given(content, **options):
    seed = Seed("people", "csv", Path("seeds/people.csv"), "people", options=SeedOptions(**options))
    data = content if isinstance(content, bytes) else content.encode()
    file = SeedFile(lambda encoding: TextIOWrapper(BytesIO(data), encoding, newline=""), lambda: [data])
    return seed, file


def read(content, sample=0, **options):
    return read_csv(*given(content, **options), sample)


def test_what_is_found():
    text = read('id;name\n1;"a;b"\n\n2;"two\nlines"\n', sample=1)
    assert (text.columns, text.delimiter, text.quote, text.rows) == (("id", "name"), ";", '"', 2)
    assert (text.sample, text.blank) == ((["1", "a;b"],), {3})


def test_a_declared_delimiter_and_quote():
    text = read("a\tb,c\n'x\ty'\tz\n", sample=5, delimiter="\\t", quote="'")
    assert (text.columns, text.sample) == (("a", "b,c"), (["x\ty", "z"],))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_its_text_as_utf8_without_lines_that_hold_nothing(encoding):
    text = read("a,b\r\n\r\né,1\r\n".encode(encoding), encoding=encoding)
    assert b"".join(utf8_chunks(text)) == "a,b\r\né,1\r\n".encode()


def test_a_file_is_sent_in_pieces():
    text = read("a\n" + "x" * 700_000 + "\n")
    sent = list(utf8_chunks(text))
    assert len(sent) > 1
    assert b"".join(sent) == b"a\n" + b"x" * 700_000 + b"\n"


def test_a_quote_in_a_value_without_quotes_is_sent_so_that_nobody_takes_it_for_one_that_opens():
    text = read('id,size\n1,5" pipe 3"\n\n2,"a,""b"""\n3,\n')
    assert b"".join(utf8_chunks(text)) == b'id,size\r\n1,"5"" pipe 3"""\r\n2,"a,""b"""\r\n3,\r\n'
    assert not read('id,size\n1,"a,b"\n2,"two\nlines"\n').quotes


def test_a_file_that_is_written_anew_is_sent_in_pieces():
    text = read("a\n" + '5" pipe\n' * 100_000)
    sent = list(utf8_chunks(text))
    assert len(sent) > 1
    assert b"".join(sent) == b"a\r\n" + b'"5"" pipe"\r\n' * 100_000


@pytest.mark.parametrize(
    ("column", "found"), [("A", (5, "x")), ("b", (0, "")), ("c", (0, ""))], ids=["without-case", "none", "no-column"]
)
def test_the_first_cell_that_is_meant(column, found):
    content = 'a;b\n1;"two\nlines"\n;3\nx;4\ny;5\n'
    assert first_cell(*given(content), column, str.isalpha) == found


def test_its_records_with_the_lines_on_which_they_begin():
    text = read('\na,b\n1,"two\nlines"\n\n2,x\n')
    assert list(csv_records(text)) == [(3, ["1", "two\nlines"]), (6, ["2", "x"])]


def test_its_header_and_records_in_one_pass():
    found = checked_records(*given('\na,b\r\n1,"two\nlines"\n\n2,x\n'))
    assert list(found) == [(2, ["a", "b"]), (3, ["1", "two\nlines"]), (6, ["2", "x"])]


def test_the_line_of_a_value():
    text = read('a,b\n1,"x\ny"\n2,z\n3,z\n')
    assert [line_of(text, "b", value) for value in ("x\ny", "z", "nope")] == [2, 4, 0]


@pytest.mark.parametrize(
    ("content", "line", "says"),
    [
        ("", 0, "The file is empty"),
        ("\n\n", 0, "The file is empty"),
        ("a,A\n", 1, "names 'A' twice"),
        ("a,b\n1,2\n3\n", 3, "Expected 2 values, as in the header, found 1"),
        ("a,b\n1,2,3\n", 2, "found 3"),
        ('a\n"x" y\n', 2, "is followed by more text"),
        ('a\n1\n"x\n', 3, "never ends"),
        ("a\n1\n2\r\n", 3, "ends in another way"),
        ("a\n1\0\n", 2, "NUL"),
        (b"a\n1\n\xff\n", 3, "is not UTF-8 text"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(content, line, says):
    for reading in (read, lambda content: list(checked_records(*given(content)))):
        if reading is read or "another way" not in says:
            with pytest.raises(SeedError, match=says) as caught:
                reading(content)
            assert caught.value.where.line == line


def test_signs_of_more_than_one_character_are_refused():
    with pytest.raises(SeedError, match="is one character, not"):
        read("a\n", delimiter="||")
