"""Put the pinned uv into .uv/ of this repository with nothing but the standard library.

Neither pip nor ensurepip is used: a fresh Debian has neither. The wheel comes from the package index, is compared
with the hash pinned below, and gives up its one binary.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import platform
import re
import ssl
import stat
import subprocess
import sys
import zipfile
from html.parser import HTMLParser
from http.client import HTTPException
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit
from urllib.request import Request, urlopen

VERSION = "0.13.9"
ROOT = Path(__file__).resolve().parent.parent
SIMPLE_JSON = "application/vnd.pypi.simple.v1+json"


class Wheel(NamedTuple):
    """The platform part of a wheel's file name, and the sha256 it must have."""

    tag: str
    sha256: str

    @property
    def filename(self) -> str:
        return f"uv-{VERSION}-py3-none-{self.tag}.whl"


# To move the pin: change VERSION and copy the five hashes from the JSON of https://pypi.org/simple/uv/.
WHEELS = {
    "linux-x86_64-glibc": Wheel(
        "manylinux_2_17_x86_64.manylinux2014_x86_64",
        "d7f459fe4fd247d830351c75686d3996ace3c6f3f728eb0e85a30b7ada0cef19",
    ),
    "linux-x86_64-musl": Wheel(
        "musllinux_1_1_x86_64", "2c45530751517d6c3bbc69a19473f6effe47cce047bede01ffd8af7ea7b36b25"
    ),
    "linux-aarch64": Wheel(
        "manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64",
        "5435c5ce14a56431208ca0996416d310f1598e8c2c8ba707688985a16bb82dbe",
    ),
    "darwin-x86_64": Wheel("macosx_10_12_x86_64", "c16ed11e013557536b3e60065f1b912f6407bd6518e041b961e23ef9e6b4fbf5"),
    "darwin-arm64": Wheel("macosx_11_0_arm64", "66c512266d633bef48384a1f53003f41f2a8e7b36fe6e7fbfd3e0fd52d96fa63"),
    "windows-amd64": Wheel("win_amd64", "6a44b2ed8111d2f60d2b92627c5dccda3f7ed7570b18ce115e569cd68c28246b"),
}


class BootstrapError(Exception):
    """Say in one line why uv could not be installed, and the one thing to do."""


def main() -> int:
    try:
        install(ROOT / ".uv")
    except BootstrapError as error:
        print(f"bootstrap_uv: {error}", file=sys.stderr)
        return 1
    return 0


def install(folder: Path) -> Path:
    """Leave the pinned uv in `folder` and return its path; quick when it is already there."""
    if sys.version_info < (3, 11):  # noqa: UP036 - whatever `python3` is here runs this file first
        raise BootstrapError(
            f"Python 3.11 or newer is needed, this is {platform.python_version()}. Fix: make PYTHON=python3.11"
        )
    binary = folder / ("uv.exe" if os.name == "nt" else "uv")
    if not is_pinned(binary):
        wheel = wheel_for(platform_key())
        write_binary(binary, unpack(wheel, download(wheel)))
    binary.touch()  # make compares its time with this script's
    return binary


def is_pinned(binary: Path) -> bool:
    try:
        answer = subprocess.run([binary, "--version"], capture_output=True, text=True, check=False)
    except OSError:
        return False
    return answer.stdout.split()[:2] == ["uv", VERSION]


def platform_key() -> str:
    system, machine = platform.system().lower(), platform.machine().lower()
    if (system, machine) == ("linux", "x86_64"):
        return "linux-x86_64-" + ("glibc" if platform.libc_ver()[0] == "glibc" else "musl")
    return f"{system}-{'aarch64' if (system, machine) == ('linux', 'arm64') else machine}"


def wheel_for(key: str) -> Wheel:
    if key not in WHEELS:
        raise BootstrapError(
            f"no uv is pinned for {key}. Fix: install uv {VERSION} yourself and run make UV=/path/to/uv"
        )
    return WHEELS[key]


def download(wheel: Wheel) -> bytes:
    """Fetch the wheel from the configured index."""
    index = Index.from_environment(os.environ)
    try:
        page, kind = index.get(index.page, accept=f"{SIMPLE_JSON}, text/html;q=0.1")
        url = urljoin(index.page, find_link(page, kind, wheel.filename))
        return index.get(url, accept="*/*")[0]
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise BootstrapError(
            f"{index.host} did not answer ({reason}). "
            "Fix: check the network, or name your mirror with UV_DEFAULT_INDEX and its certificate with SSL_CERT_FILE"
        ) from error


def unpack(wheel: Wheel, content: bytes) -> bytes:
    """Return the uv binary inside the wheel, once the wheel is the one we pinned."""
    found = hashlib.sha256(content).hexdigest()
    if found != wheel.sha256:
        raise BootstrapError(
            f"{wheel.filename} has sha256 {found}, not the pinned {wheel.sha256}. "
            "Fix: use an index that serves PyPI's own files"
        )
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive.read(next(n for n in archive.namelist() if re.search(r"/scripts/uv(\.exe)?$", n)))


def write_binary(binary: Path, content: bytes) -> None:
    # Written beside and renamed: two makes at once never run a half-written binary.
    partial = binary.with_name(f"{binary.name}.{os.getpid()}")
    try:
        binary.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(content)
        partial.chmod(partial.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
        partial.replace(binary)
    except OSError as error:
        raise BootstrapError(f"cannot write {binary}: {error.strerror}. Fix: make that folder writable") from error


class Index(NamedTuple):
    """A package index: its root without credentials, the Authorization header they make, and the certificates."""

    root: str
    authorization: str | None
    tls: ssl.SSLContext

    @classmethod
    def from_environment(cls, env: os._Environ[str] | dict[str, str]) -> Index:
        names = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL")
        configured = next((env[name] for name in names if env.get(name)), "https://pypi.org/simple")
        parts = urlsplit(re.sub(r"^[\w.-]+=", "", configured))  # uv allows `name=url`
        bare = parts._replace(netloc=parts.netloc.rpartition("@")[2])
        certificates = env.get("PIP_CERT") or env.get("SSL_CERT_FILE") or None
        try:
            tls = ssl.create_default_context(cafile=certificates)
        except OSError as error:
            raise BootstrapError(
                f"cannot read the certificates in {certificates!r}. Fix: correct SSL_CERT_FILE"
            ) from error
        return cls(urlunsplit(bare).rstrip("/"), basic_authorization(parts.username, parts.password), tls)

    @property
    def page(self) -> str:
        return f"{self.root}/uv/"

    @property
    def host(self) -> str:
        return urlsplit(self.root).netloc

    def get(self, url: str, accept: str) -> tuple[bytes, str]:
        """Return the body and its content type; credentials go to the index's own host only."""
        headers = {"Accept": accept, "User-Agent": "flowforge-bootstrap"}
        if self.authorization and urlsplit(url).netloc == self.host:
            headers["Authorization"] = self.authorization
        with urlopen(Request(url, headers=headers), timeout=60, context=self.tls) as answer:
            return answer.read(), answer.headers.get_content_type()


def basic_authorization(username: str | None, password: str | None) -> str | None:
    if username is None:
        return None
    token = f"{unquote(username)}:{unquote(password or '')}".encode()
    return f"Basic {base64.b64encode(token).decode()}"


def find_link(page: bytes, kind: str, filename: str) -> str:
    """Return the link to `filename` on an index page in either of the two standard formats."""
    if kind == SIMPLE_JSON:
        links = [entry["url"] for entry in json.loads(page)["files"]]
    else:
        links = html_links(page.decode("utf-8", "replace"))
    for link in links:
        if urlsplit(link).path.rpartition("/")[2] == filename:
            return str(link)
    raise BootstrapError(f"the index does not have {filename}. Fix: unset UV_DEFAULT_INDEX to use pypi.org")


def html_links(page: str) -> list[str]:
    parser = LinkParser()
    parser.feed(page)
    return parser.links


class LinkParser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value for name, value in attrs if (tag, name) == ("a", "href") and value]


if __name__ == "__main__":
    sys.exit(main())
