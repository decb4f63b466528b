from __future__ import annotations

import pytest

from flowforge_bootstrap.artifacts import write_text
from flowforge_domain.errors import ConfigError


def test_folders_are_made_and_nothing_else_is_left(tmp_path):
    path = write_text(tmp_path / "a" / "b.txt", "ü\n")
    assert path.read_bytes() == "ü\n".encode()
    assert [p.name for p in path.parent.iterdir()] == ["b.txt"]


def test_a_file_is_replaced(tmp_path):
    write_text(tmp_path / "a.txt", "old")
    assert write_text(tmp_path / "a.txt", "new").read_text() == "new"


def test_what_is_in_the_way_is_named(tmp_path):
    (tmp_path / "a").write_text("")
    with pytest.raises(ConfigError, match="cannot be written") as caught:
        write_text(tmp_path / "a" / "b.txt", "")
    assert caught.value.message == f"'{(tmp_path / 'a').as_posix()}' cannot be written: Not a directory."


def test_a_folder_of_that_name_leaves_no_rest(tmp_path):
    (tmp_path / "a.txt").mkdir()
    with pytest.raises(ConfigError, match=r"a\.txt' cannot be written"):
        write_text(tmp_path / "a.txt", "")
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]
