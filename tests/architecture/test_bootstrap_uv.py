"""The bootstrap refuses a wrong wheel, finds links in both index formats and keeps credentials to itself."""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from pathlib import Path

import bootstrap_uv
import pytest
from bootstrap_uv import SIMPLE_JSON, VERSION, BootstrapError, Index, Wheel

ROOT = Path(__file__).parents[2]


@pytest.fixture
def wheel():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(f"uv-{VERSION}.data/scripts/uvx", b"not this one")
        archive.writestr(f"uv-{VERSION}.data/scripts/uv", b"binary")
    return buffer.getvalue()


def test_binary_comes_out_of_the_wheel(wheel):
    assert bootstrap_uv.unpack(Wheel("any", hashlib.sha256(wheel).hexdigest()), wheel) == b"binary"


def test_wheel_with_another_hash_is_refused(wheel):
    with pytest.raises(BootstrapError, match=r"not the pinned 00.*Fix:"):
        bootstrap_uv.unpack(Wheel("any", "00"), wheel)


@pytest.mark.parametrize(
    ("kind", "page"),
    [
        (SIMPLE_JSON, json.dumps({"files": [{"url": "/other.whl"}, {"url": "/f/uv-any.whl"}]})),
        ("text/html", '<a href="/other.whl">o</a> <a href="/f/uv-any.whl#sha256=00">uv-any.whl</a>'),
    ],
)
def test_link_is_found_in_both_index_formats(kind, page):
    assert bootstrap_uv.find_link(page.encode(), kind, "uv-any.whl").partition("#")[0] == "/f/uv-any.whl"


def test_missing_file_names_itself():
    with pytest.raises(BootstrapError, match=r"does not have uv-any\.whl"):
        bootstrap_uv.find_link(b'{"files": []}', SIMPLE_JSON, "uv-any.whl")


@pytest.mark.parametrize(
    "value", ["https://me:s%40cret@host.test/simple/", "mine=https://me:s%40cret@host.test/simple"]
)
def test_credentials_of_an_index_go_into_a_header(value):
    index = Index.from_environment({"UV_DEFAULT_INDEX": value})
    assert (index.page, index.host) == ("https://host.test/simple/uv/", "host.test")
    assert index.authorization == "Basic bWU6c0BjcmV0"


def test_index_falls_back_to_pypi():
    index = Index.from_environment({"UV_DEFAULT_INDEX": ""})
    assert (index.page, index.authorization) == ("https://pypi.org/simple/uv/", None)


def test_unreachable_index_is_one_line_with_one_fix(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://me:hidden@127.0.0.1:9/simple")
    monkeypatch.setattr(bootstrap_uv, "ROOT", tmp_path)
    assert bootstrap_uv.main() == 1
    said = capsys.readouterr().err
    assert (said.count("\n"), said.count("Fix:"), "hidden" in said) == (1, 1, False)


def test_unreadable_certificates_are_named():
    with pytest.raises(BootstrapError, match=r"'/nowhere\.pem'.*Fix:"):
        Index.from_environment({"PIP_CERT": "/nowhere.pem"})


def test_unknown_platform_is_named():
    with pytest.raises(BootstrapError, match=r"plan9.*Fix:"):
        bootstrap_uv.wheel_for("plan9")


def test_this_platform_has_a_wheel():
    assert bootstrap_uv.wheel_for(bootstrap_uv.platform_key()).filename.startswith(f"uv-{VERSION}-py3-none-")


@pytest.mark.skipif(os.name == "nt", reason="plants a shell script")
def test_pinned_binary_is_left_alone_and_another_version_is_not(tmp_path):
    binary = tmp_path / "uv"
    binary.write_text(f"#!/bin/sh\necho uv {VERSION}\n")
    binary.chmod(0o755)
    assert bootstrap_uv.install(tmp_path) == binary
    binary.write_text("#!/bin/sh\necho uv 0.1.0\n")
    assert not bootstrap_uv.is_pinned(binary)
