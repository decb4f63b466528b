"""What is wrong with how a command took a malformed input: nothing, if FlowForge keeps its word."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from warm import Ended

MOST_LINES = 15
SECONDS = 5.0
MEGABYTES = 1024
# Where the line of a statement is no line of the file, the statement's line is shown instead; or a setting is named.
# What hangs on the relation of a model hangs on none of its lines.
_SHOWN = re.compile(r"See the SQL that was run|`\w+` names |cannot be replaced: ")
# Where a profile names another place that could be meant, and nothing was built there yet, no file is wrong.
_ELSEWHERE = re.compile(r"There is no table '\w+' in the target")
_LOADING = re.compile(r"^✗ (project|sources|profiles)\.yml", re.MULTILINE)
# What is declared for a seed is held against its file when that is loaded.
_AT_THE_ENGINE = re.compile(r", declared for column |`column_types` names ")
_PLACE = re.compile(
    r"(project\.yml|sources\.yml|profiles\.yml|\.env|(?:models|seeds|macros)/[^\s:'\"]+|FF_ENGINE|`path`)(:\d+)?"
)


def complaints(ended: Ended, before: Mapping[str, str], after: Mapping[str, str], mutated: str = "") -> Iterator[str]:
    """Tell what is wrong; `before` and `after` are the project's files, `mutated` is the one that was changed."""
    if ended.code not in (0, 1, 2):
        yield f"exit code {ended.code}"
    if "Traceback (most recent call last)" in ended.said:
        yield "a traceback"
    if len(ended.err.splitlines()) > MOST_LINES:
        yield f"{len(ended.err.splitlines())} lines on standard error"
    if longest_block(ended.out) > MOST_LINES:
        yield f"a message of {longest_block(ended.out)} lines"
    if ended.seconds > SECONDS:
        yield f"{ended.seconds:.1f} seconds"
    if ended.peak > MEGABYTES:
        yield f"{ended.peak} MB"
    if ended.code == 1:
        yield from _of_a_refusal(ended, before, after, mutated)


def left_behind(ended: Ended, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    """Tell what a command should not have left in a database; `before` and `after` tell what each relation is."""
    if helpers := [name for name in after if "._flowforge_" in name and not name.endswith("._flowforge_state")]:
        yield f"{helpers} are left"
    if ended.code == 1:
        names = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
        if changed := [name for name in names if not name.endswith("._flowforge_state")]:
            yield f"refused, and yet {changed} changed in the database"


def _of_a_refusal(ended: Ended, before: Mapping[str, str], after: Mapping[str, str], mutated: str) -> Iterator[str]:
    places = _PLACE.findall(ended.said)
    if mutated:
        if not places and not _ELSEWHERE.search(ended.said):
            yield "no file is named"
        elif (
            mutated.startswith(("models/", "macros/"))
            and not any(line for _, line in places)
            and not _SHOWN.search(ended.said)
        ):
            yield "no line is named"
    if not ended.out.strip():
        if len(ended.err.strip().splitlines()) < 2:
            yield "no fix"
        if _LOADING.search(ended.err) and not _AT_THE_ENGINE.search(ended.err) and _new(before, after):
            yield f"loading failed, and yet {_new(before, after)} was written"


def _new(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Return what was written; what the cache knows of files that could be read may be kept."""
    written = (name for name in after if after[name] != before.get(name))
    return sorted(name for name in written if not name.startswith(".flowforge/cache/"))


def longest_block(out: str) -> int:
    """Return the lines of the longest message in a report: those from a `↳` on that are indented."""
    longest = length = 0
    for line in out.splitlines():
        if "↳" in line:
            length = 1
        elif length and line.startswith("   "):
            length += 1
        else:
            length = 0
        longest = max(longest, length)
    return longest


def reported(root: Path, seed: int, number: int, wrong: list[str], ended: Ended, arguments: list[str]) -> str:
    """Return all that is needed to look into a case."""
    said = "\n".join([*ended.out.splitlines()[-20:], *ended.err.splitlines()[:40]])
    return f"seed {seed}, input {number}: {'; '.join(wrong)}\n  flowforge {arguments} in {root}\n{said}"
