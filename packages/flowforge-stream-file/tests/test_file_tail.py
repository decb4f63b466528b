"""The file stream, case by case: what a line may be, and what may happen to a file while it is read."""

from __future__ import annotations

import json
import logging
import os
import shutil
import tracemalloc
from contextlib import closing

import pytest

from flowforge_domain.errors import StreamError
from flowforge_ports.stream import Batch
from flowforge_stream_file.file_tail import FileTailSource
from flowforge_stream_file.position import decode
from flowforge_stream_file.rotation import files_from


@pytest.fixture
def path(tmp_path):
    return tmp_path / "events.jsonl"


@pytest.fixture
def source(path):
    return FileTailSource(path, name="web")


def append(path, *numbers):
    with path.open("a", newline="") as file:
        file.writelines(f'{{"n": {n}}}\n' for n in numbers)


def numbers(batch):
    return [event["n"] for event in batch.events]


class Reader:
    """Reads on from where it stopped, as a consumer does."""

    def __init__(self, source, position=""):
        self.source = source
        self.position = position

    def __call__(self, limit=100) -> Batch:
        batch = self.source.read(self.position, limit)
        self.position = batch.position
        return batch


@pytest.fixture
def read(source):
    return Reader(source)


def test_a_file_is_read_from_its_start_and_then_only_what_is_new(path, read):
    append(path, 1, 2)
    assert numbers(read()) == [1, 2]
    assert numbers(read()) == []
    append(path, 3)
    assert numbers(read()) == [3]


def test_a_batch_holds_at_most_as_many_events_as_asked_for(path, read):
    append(path, *range(5))
    assert [numbers(read(2)) for _ in range(4)] == [[0, 1], [2, 3], [4], []]


def test_a_file_that_is_not_there_yet_gives_nothing(path, read):
    assert read() == Batch((), "")
    append(path, 1)
    assert numbers(read()) == [1]


def test_nothing_new_leaves_the_position_as_it_is(path, read):
    append(path, 1)
    assert read().position == read().position


def test_half_a_line_waits_for_its_end_also_inside_a_character(path, read):
    line = '{"n": "Zürich"}\n'.encode()
    for cut in range(1, len(line)):
        path.write_bytes(line[:cut])
        reader = Reader(read.source)
        assert reader().events == ()
        with path.open("ab") as file:
            file.write(line[cut:])
        assert numbers(reader()) == ["Zürich"]


@pytest.mark.parametrize(
    "content",
    [
        b'{"n": 1}\r\n{"n": 2}\r\n',
        b'\xef\xbb\xbf{"n": 1}\n{"n": 2}\n',
        b'\n\n{"n": 1}\n  \n\r\n{"n": 2}\n\n',
    ],
    ids=["crlf", "bom", "blank lines"],
)
def test_what_surrounds_a_line_is_no_part_of_it(path, read, content):
    path.write_bytes(content)
    batch = read()
    assert numbers(batch) == [1, 2]
    assert batch.dead_letters == ()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"garbage", "not JSON: Expecting value at column 1"),
        (b"[1]", "not a JSON object"),
        (b"null", "not a JSON object"),
        (b'{"n": NaN}', "NaN is not JSON"),
        (b'{"n": -Infinity}', "-Infinity is not JSON"),
        (b'{"n": 1e999}', "the number 1e999 is too large"),
        (b'{"n": -1e999}', "the number -1e999 is too large"),
        (b'{"n": "\xff"}', "not UTF-8: invalid start byte at byte 8 of the line"),
        (b"\xff\xfe{\x00}\x00", "not UTF-8: invalid start byte at byte 1 of the line"),
        (b'{"n": 1}{"n": 2}', "not JSON: Extra data at column 9"),
        (b"[" * 200_000, "not readable: nested too deeply"),
        (b'{"n": ' + b"9" * 5000 + b"}", "not readable: Exceeds the limit"),
    ],
)
def test_a_line_that_is_no_event_becomes_a_dead_letter(path, read, line, reason):
    path.write_bytes(b'{"n": 1}\n' + line + b'\n{"n": 3}\n')
    batch = read()
    assert numbers(batch) == [1, 3]
    (letter,) = batch.dead_letters
    assert letter.position == f"{path}:2"
    assert letter.reason.startswith(reason)
    assert letter.text == line.decode("utf-8", "backslashreplace")


def test_dead_letters_count_towards_the_limit(path, read):
    path.write_text("x\ny\nz\n")
    assert len(read(2).dead_letters) == 2
    assert len(read(2).dead_letters) == 1


@pytest.mark.parametrize("length", [64, 65, 66, 128, 129, 1000])
def test_a_line_that_is_too_long_is_bounded_and_the_next_one_read(path, length):
    read = Reader(FileTailSource(path, longest_line=64))
    path.write_bytes(b"x" * length + b'\n{"n": 2}\n')
    batch = read()
    assert numbers(batch) == [2]
    (letter,) = batch.dead_letters
    assert letter.position == f"{path}:1"
    assert letter.reason.startswith("the line is longer than 64 bytes" if length > 64 else "not JSON")
    assert len(letter.text) <= 65


def test_a_line_that_is_too_long_and_not_at_its_end_is_one_dead_letter(path):
    read = Reader(FileTailSource(path, longest_line=64))
    path.write_bytes(b"x" * 100)
    assert len(read().dead_letters) == 1
    for rest in (b"y" * 10, b"z" * 100, b'\n{"n": 2}\n'):
        with path.open("ab") as file:
            file.write(rest)
        batch = read()
        assert batch.dead_letters == ()
    assert numbers(batch) == [2]
    with path.open("ab") as file:
        file.write(b"oops\n")
    assert read().dead_letters[0].position == f"{path}:3"


def test_a_rotated_file_is_finished_before_the_new_one(path, read):
    append(path, 1, 2)
    assert numbers(read(1)) == [1]
    path.rename(path.with_name("events.jsonl.1"))
    append(path, 3)
    assert numbers(read()) == [2, 3]


def test_a_rotated_file_waits_for_its_writer_until_the_new_one_holds_something(path, read):
    append(path, 1)
    read()
    old = path.with_name("events.jsonl.1")
    path.rename(old)
    path.touch()
    append(old, 2)
    assert numbers(read()) == [2]
    with old.open("a") as file:
        file.write('{"n": 3')
    assert numbers(read()) == []
    with old.open("a") as file:
        file.write("}\n")
    append(path, 4)
    assert numbers(read()) == [3, 4]


def test_a_last_line_without_a_line_break_counts_once_its_file_is_left(path, read):
    path.write_text('{"n": 1}\n{"n": 2}')
    assert numbers(read()) == [1]
    path.rename(path.with_name("events.jsonl.1"))
    append(path, 3)
    assert numbers(read()) == [2, 3]


def test_a_rotation_is_followed_while_the_new_file_does_not_exist(path, read):
    append(path, 1, 2)
    read(1)
    path.rename(path.with_name("events.jsonl-20240131"))
    assert numbers(read()) == [2]
    append(path, 3)
    assert numbers(read()) == [3]


@pytest.mark.parametrize(
    "names",
    [
        ["events.jsonl.3", "events.jsonl.2", "events.jsonl.1"],
        ["events.jsonl.11", "events.jsonl.10", "events.jsonl.9"],
        ["events.jsonl-20231231", "events.jsonl-20240101", "events.jsonl-20240102"],
        ["events.2024-01-31_23-59.jsonl", "events.2024-02-01_00-00.jsonl", "events.2024-02-01_00-01.jsonl"],
        ["events.jsonl-1706659200", "events.jsonl-1706659201", "events.jsonl-1706659202"],
    ],
)
def test_every_file_rotated_away_between_two_reads_is_read_in_order(path, read, names):
    append(path, 0)
    read()
    append(path, 1)
    path.rename(path.with_name(names[0]))
    for n, name in enumerate(names[1:], start=2):
        append(path.with_name(name), n)
    append(path, 9)
    append(path.with_name("events.jsonl.bak"), 99)
    assert numbers(read()) == [1, 2, 3, 9]


def test_the_limit_holds_across_files(path, read):
    append(path, 1, 2, 3)
    read(1)
    path.rename(path.with_name("events.jsonl.1"))
    append(path, 4, 5)
    assert [numbers(read(2)) for _ in range(3)] == [[2, 3], [4, 5], []]


def test_a_rotation_while_a_rotated_file_is_read_passes_nothing_over(path, read):
    append(path, 0)
    position = decode(read().position, "web")
    path.rename(path.with_name("events.jsonl.1"))
    append(path, 1)
    with closing(files_from(path, position)) as files:
        file, left = next(files)
        assert (file.path.name, left) == ("events.jsonl.1", True)
        file.path.rename(path.with_name("events.jsonl.2"))
        path.rename(path.with_name("events.jsonl.1"))
        append(path, 2)
        assert list(files) == []
    assert numbers(read()) == [1, 2]


@pytest.mark.parametrize("suffix", ["", "\n"])
def test_a_file_cut_and_written_anew_is_read_from_its_start(path, read, suffix):
    append(path, 1, 2, 3)
    read()
    path.write_text('{"n": 7}\n' + suffix)
    assert numbers(read()) == [7]


def test_a_cut_is_noticed_although_the_file_has_grown_beyond_the_old_position(path, read, caplog):
    append(path, 1, 2)
    read()
    with path.open("r+") as file:
        file.truncate(0)
        file.writelines(f'{{"n": {n}}}\n' for n in range(50, 60))
    with caplog.at_level(logging.WARNING):
        assert numbers(read()) == list(range(50, 60))
    assert "was cut or replaced after line 2" in caplog.text


def test_a_file_that_begins_alike_but_goes_on_otherwise_is_another(path, read):
    head = "".join(f'{{"n": {n}}}\n' for n in range(500))
    path.write_text(head + '{"n": 500}\n')
    read(1000)
    with path.open("r+") as file:
        file.truncate(0)
        file.write(head + '{"n": 600}\n{"n": 601}\n')
    assert numbers(read(1000))[-2:] == [600, 601]


def test_a_copy_made_before_the_cut_is_finished_first(path, read):
    append(path, 1, 2, 3)
    read(1)
    shutil.copy(path, path.with_name("events.jsonl.1"))
    os.truncate(path, 0)
    assert numbers(read()) == [2, 3]
    append(path, 4)
    assert numbers(read()) == [4]


def test_a_file_cut_written_anew_and_then_rotated_is_not_passed_over(path, read):
    append(path, 1)
    read()
    os.truncate(path, 0)
    append(path, 2)
    path.rename(path.with_name("events.jsonl.1"))
    append(path, 3)
    assert numbers(read()) == [2, 3]


def test_a_reused_inode_is_no_proof(path, read):
    append(path, 1, 2)
    kept = json.loads(read().position)
    path.unlink()
    append(path, 8, 9)
    read.position = json.dumps(kept | {"inode": path.stat().st_ino, "device": path.stat().st_dev})
    assert numbers(read()) == [8, 9]


def test_the_new_file_is_no_continuation_although_it_begins_with_the_same_lines(path, read):
    append(path, 1)
    read()
    path.rename(path.with_name("events.jsonl.1"))
    append(path, 1, 2)
    assert numbers(read()) == [1, 2]


def test_a_file_restored_under_another_inode_is_read_on(path, read, tmp_path):
    append(path, 1, 2)
    read(1)
    shutil.copy(path, tmp_path / "backup")
    path.unlink()
    (tmp_path / "other").touch()
    shutil.copy(tmp_path / "backup", path)
    assert numbers(read()) == [2]


@pytest.mark.parametrize(
    "kept",
    ["nonsense", "[]", "{}", '{"version": 2}', '{"version": 1, "offset": "x"}', "\0", "null"],
)
def test_a_position_of_something_else_is_refused(path, source, kept):
    append(path, 1)
    with pytest.raises(StreamError, match="position kept for stream 'web' is none of a file") as refused:
        source.read(kept, 10)
    assert "Give the stream another name" in str(refused.value)


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(StreamError, match="is not a regular file"):
        FileTailSource(tmp_path).read("", 10)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(StreamError, match="is not a regular file"):
        FileTailSource(tmp_path / "pipe").read("", 10)


def test_an_unreadable_place_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StreamError, match="cannot be read: Not a directory"):
        FileTailSource(tmp_path / "file" / "events.jsonl").read("", 10)


def test_a_path_with_nul_is_refused():
    with pytest.raises(StreamError, match="cannot be a path"):
        FileTailSource("a\0b")


def test_a_limit_below_one_is_refused(source):
    with pytest.raises(StreamError, match="at least 1"):
        source.read("", 0)


def test_the_name_is_the_absolute_path_unless_given(path, source, monkeypatch):
    monkeypatch.chdir(path.parent)
    assert FileTailSource("events.jsonl").name == str(path)
    assert source.name == "web"


def test_a_path_that_is_no_unicode_makes_names_that_are(tmp_path):
    path = tmp_path / os.fsdecode(b"\xff.jsonl")
    path.write_text("x\n")
    source = FileTailSource(path)
    assert source.name.endswith("\\udcff.jsonl")
    assert source.read("", 1).dead_letters[0].position == f"{source.name}:1"


def test_memory_does_not_grow_with_the_file(tmp_path):
    def peak(lines):
        path = tmp_path / f"{lines}.jsonl"
        append(path, *range(lines))
        read = Reader(FileTailSource(path))
        tracemalloc.start()
        while read(1000).events:
            pass
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    small = peak(3_000)
    assert peak(20_000) < small * 1.2


def test_a_batch_of_long_lines_is_bounded_in_bytes(path, monkeypatch):
    monkeypatch.setattr("flowforge_stream_file.file_tail._MOST_BYTES", 100)
    path.write_text("".join(f'{{"n": {n}, "text": "{"x" * 60}"}}\n' for n in range(4)))
    read = Reader(FileTailSource(path))
    assert [numbers(read()) for _ in range(3)] == [[0, 1], [2, 3], []]
