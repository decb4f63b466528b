"""The parse cache: same content, same answer; anything but a sealed file of this version is an empty cache."""

from __future__ import annotations

import json
import sys

import pytest

from flowforge_project.cache import ParseCache, open_cache


def fail():
    raise AssertionError("must not be read again")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "deep" / "parse"


def saved(path):
    cache = open_cache(path)
    cache.get(b"sql", b"one", lambda: {"refs": [["users", 1]]})
    cache.get(b"sql", b"two", list)
    cache.save()
    return path


def test_what_was_read_once_is_not_read_again(path):
    cache = open_cache(saved(path))
    assert cache.get(b"sql", b"one", fail) == {"refs": [["users", 1]]}
    assert cache.get(b"sql", b"one", fail) == {"refs": [["users", 1]]}


def test_kind_and_content_both_count(path):
    cache = open_cache(saved(path))
    assert cache.get(b"python", b"one", lambda: "python") == "python"
    assert cache.get(b"sql", b"one ", lambda: "other") == "other"


def test_only_what_was_used_is_kept(path):
    cache = open_cache(saved(path))
    cache.get(b"sql", b"two", fail)
    cache.save()
    assert list(open_cache(path).stored.values()) == [[]]


def test_nothing_is_written_when_nothing_changed(path):
    before = saved(path).stat()
    cache = open_cache(path)
    for content in (b"one", b"two"):
        cache.get(b"sql", content, fail)
    cache.save()
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == (before.st_mtime_ns, before.st_ino)


@pytest.mark.parametrize("damage", range(0, 200, 7))
def test_one_changed_byte_empties_it(path, damage):
    content = bytearray(saved(path).read_bytes())
    content[damage % len(content)] ^= 1
    path.write_bytes(content)
    assert open_cache(path).stored == {}


@pytest.mark.parametrize("length", [0, 1, 64, 65, 66, 100])
def test_a_truncated_file_is_empty(path, length):
    path.write_bytes(saved(path).read_bytes()[:length])
    assert open_cache(path).stored == {}


@pytest.mark.parametrize("content", [b"", b"\0", b"{}", json.dumps({"a": 1}).encode(), b"[" * 100_000, b"\xff\xfe"])
def test_a_foreign_file_is_empty(path, content):
    path.parent.mkdir()
    path.write_bytes(content)
    assert open_cache(path).stored == {}


def test_the_cache_of_another_python_is_empty(path, monkeypatch):
    saved(path)
    with monkeypatch.context() as patched:
        patched.setattr(sys, "version_info", (3, 99, 0))
        stored = open_cache(path).stored
    assert stored == {}
    assert open_cache(path).stored


def test_a_cache_that_cannot_be_written_is_left_alone(tmp_path):
    (tmp_path / "file").write_text("")
    cache = ParseCache(tmp_path / "file" / "parse")
    cache.get(b"sql", b"x", lambda: 1)
    cache.save()
    (tmp_path / "folder").mkdir()
    cache.path = tmp_path / "folder"
    cache.save()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder"]


def test_a_failure_to_read_is_not_kept(path):
    cache = open_cache(path)
    with pytest.raises(ZeroDivisionError):
        cache.get(b"sql", b"x", lambda: 1 // 0)
    assert cache.used == {}
