"""Journals as files: appended to, kept to a number, and known to be alive as long as their process is."""

from __future__ import annotations

import subprocess
import sys

import pytest

from flowforge_domain.errors import ConfigError
from flowforge_project.journals import MOST, RUNS, FolderJournals

WRITE = """
import sys
from pathlib import Path
from flowforge_project.journals import FolderJournals
writer = FolderJournals(Path(sys.argv[1])).begin("a-1")
writer.write({"event": "start"})
print("written", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def journals(tmp_path):
    return FolderJournals(tmp_path)


def test_what_is_written_is_there_at_once(journals):
    writer = journals.begin("a-1")
    writer.write({"event": "start"})
    writer.write({"event": "end"})
    read = journals.read("a-1")
    assert (read.entries, read.goes_on) == ([{"event": "start"}, {"event": "end"}], True)
    writer.close()
    assert not journals.read("a-1").goes_on


def test_a_run_that_was_killed_does_not_go_on(journals, tmp_path):
    command = [sys.executable, "-c", WRITE, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "written\n"
        assert journals.read("a-1").goes_on
        process.kill()
        process.wait()
    read = journals.read("a-1")
    assert (read.entries, read.goes_on) == ([{"event": "start"}], False)


def test_the_newest_come_first_and_the_oldest_go(journals):
    for number in range(MOST + 3):
        journals.begin(f"{number:04}-x").close()
    names = journals.names()
    assert (len(names), names[0], names[-1]) == (MOST, f"{MOST + 2:04}-x", "0003-x")


def test_there_is_none_yet(journals):
    assert journals.names() == []


def test_a_journal_that_cannot_be_read_is_named(journals, tmp_path):
    (tmp_path / RUNS / "a-1.jsonl").mkdir(parents=True)
    with pytest.raises(ConfigError) as caught:
        journals.read("a-1")
    assert str(caught.value.where) == ".flowforge/runs/a-1.jsonl"


def test_a_file_in_the_way_is_an_error_of_the_system(journals, tmp_path):
    (tmp_path / ".flowforge").write_text("")
    with pytest.raises(OSError, match=r"Not a directory|exists"):
        journals.begin("a-1")
