"""R7: malformed input ends with one message that names file, line and a fix; never with a trace or a half-written file.

FUZZ_SEED and FUZZ_COUNT choose other inputs; those that once went wrong are in `fuzz/regressions`, for ever.
"""

from __future__ import annotations

import os
import shutil
from itertools import islice

import pytest
from counts import INPUTS
from fuzz.cases import cases
from fuzz.ground import files, fingerprints, write
from fuzz.judge import complaints, reported
from fuzz.known import known
from warm import Command

SEED = int(os.environ.get("FUZZ_SEED", "20261128"))
# Each process is given so many inputs, of projects whose other files are known from before. The first part gives each
# its own, and a project that is new: by day a hundred, by night a thousand.
PARTS = 10
BATCH = 25


@pytest.fixture(scope="module")
def flowforge(flowforge):
    return flowforge.within(1024)


@pytest.fixture(scope="module")
def ground(flowforge, tmp_path_factory):
    """The project as it should be, seeded and run; all that its commands left behind is what they know of its files."""
    root = tmp_path_factory.mktemp("ground") / "shop"
    write(root, files())
    for command in ("seed", "run", "test"):
        ended = flowforge.run([command], root)
        assert ended.code == 0, ended.said
    for folder in (root / ".flowforge").iterdir():
        if folder.name != "cache":
            shutil.rmtree(folder) if folder.is_dir() else folder.unlink()
    return root


@pytest.mark.parametrize("part", range(PARTS))
def test_malformed_inputs_are_refused_in_one_message(part, flowforge, ground, tmp_path, record_property):
    content = files()
    inputs = list(islice(enumerate(cases(SEED, content)), part, INPUTS, PARTS))
    record_property("seed", SEED)
    record_property("trials", len(inputs))
    size, new = (BATCH, ()) if part else (1, (".flowforge",))
    found = []
    for start in range(0, len(inputs), size):
        batch = inputs[start : start + size]
        roots = [tmp_path / str(number) / "shop" for number, _ in batch]
        for root, (_, case) in zip(roots, batch, strict=True):
            shutil.copytree(ground, root, ignore=shutil.ignore_patterns(*new))
            write(root, case.changed)
        before = [fingerprints(root) for root in roots]
        commands = [
            Command(case.arguments, root, case.environment) for root, (_, case) in zip(roots, batch, strict=True)
        ]
        ended = flowforge.run_all(commands, seconds=20)
        for (number, case), root, one, was in zip(batch, roots, ended, before, strict=False):
            if wrong := list(complaints(one, was, fingerprints(root), case.mutated)):
                found.append(reported(root, SEED, number, wrong, one, case.arguments))
            else:
                shutil.rmtree(root.parent)
    assert not found, "\n\n".join([f"{len(found)} of {len(inputs)} went wrong", *found[:20]])


@pytest.mark.parametrize("once", known("duckdb"), ids=lambda once: once.name)
def test_what_once_went_wrong_does_not_again(once, flowforge, ground, tmp_path):
    root = shutil.copytree(ground, tmp_path / "shop")
    write(root, once.case.changed)
    before = fingerprints(root)
    (ended,) = flowforge.run_all([Command(once.case.arguments, root, once.case.environment)], seconds=20)
    assert ended.code == once.code, ended.said
    assert once.says in ended.said
    assert list(complaints(ended, before, fingerprints(root), once.mutated)) == []
