"""Whole processes are measured, in turn, and one that fails says so."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from bench.figures import Figure, Measured, processes, ratio_beyond, walls
from bench.processes import BARE, PYTHON, CommandFailedError, Sample, Variant, interleaved, run
from bench.report import as_markdown, as_text

MEASURED = """
from bench.processes import PYTHON, run
idle, busy = run(PYTHON, "-c", "pass"), run(PYTHON, "-c", "sum(range(3_000_000)); bytearray(200 << 20)")
print(busy.cpu - idle.cpu, busy.peak - idle.peak)
"""


def test_a_process_is_counted_by_itself():
    # From a small process, as the bench is one: Linux counts to a child what its parent held when it was started.
    tools = str(Path(__file__).parents[2] / "tools")
    done = subprocess.run(
        [PYTHON, "-c", MEASURED], env={**os.environ, "PYTHONPATH": tools}, capture_output=True, text=True, check=True
    )
    cpu, peak = map(float, done.stdout.split())
    assert cpu > 0
    assert 150 < peak < 250


def test_a_failure_tells_what_the_command_said():
    with pytest.raises(CommandFailedError, match=r"(?s)ended with 3.*no such thing"):
        run(PYTHON, "-c", "import sys; print('no such thing', file=sys.stderr); sys.exit(3)")


def test_variants_take_turns_after_a_warm_up(tmp_path):
    done = []
    variants = [Variant(name, [PYTHON, "-c", "pass"], lambda name=name: done.append(name)) for name in "ab"]
    samples = interleaved(variants, 2)
    assert done == ["a", "b", "a", "b", "b", "a"]
    assert {name: len(taken) for name, taken in samples.items()} == {"a": 2, "b": 2}


def test_start_up_is_subtracted_on_both_sides():
    taken = {"ours": 4.0, "ours small": 1.0, "bare": 2.5, "bare small": 0.5}
    samples = {name: [Sample(wall, 0, 0)] for name, wall in taken.items()}
    assert ratio_beyond(walls, samples, ("ours", "ours small"), ("bare", "bare small")) == 1.5


def test_what_is_missed_or_not_measured_is_in_the_table():
    samples = {"a": [Sample(1, 2, 3), Sample(3, 4, 5)]}
    measured = Measured("run", [Figure("too slow", 2.0, "x", 1.5)], processes(samples), rounds=2)
    failed = Measured("seed", failure="no such command")
    page = as_markdown([measured, failed], 0.1, "2024-01-01", ["run", "seed"])
    assert "| run | too slow | 2.00 x | 1.50 x | ✗ missed |" in page
    assert "| a | 2.000 | 3.000 | 4 |" in page
    assert "| seed | seed | not measured |  | ✗ |" in page
    assert "seed: not measured, no such command" in as_text([Measured("seed", failure="no such command")], 9.0)


def test_topics_that_are_not_measured_stay_on_the_page():
    order = ["dag", "run", "seed"]
    topics = [Measured(topic, [Figure(f"of {topic}", 1.0, "x")], rounds=2) for topic in ("run", "seed")]
    before = as_markdown(topics, 0.1, "2024-01-01", order)
    new = [Measured(topic, [Figure("new", 3.0, "x")], notes=["why"], rounds=5) for topic in ("run", "dag")]
    page = as_markdown(new, 0.1, "2024-02-02", order, before)
    figures = [line for line in page.splitlines() if line.startswith(("| dag", "| run", "| seed"))]
    assert figures == [
        "| dag | new | 3.00 x |  |  |",
        "| run | new | 3.00 x |  |  |",
        "| seed | of seed | 1.00 x |  |  |",
    ]
    assert page.count("Taken 2024-02-02.") == 2
    assert page.count("why") == 2
    assert page.index("### dag, 5 rounds") < page.index("### run, 5 rounds") < page.index("### seed, 2 rounds")
    assert as_markdown([], 0.1, None, order, page) == page


def test_a_busy_machine_is_told():
    assert "trust CPU" in as_text([], 99.0)
    assert "trust CPU" not in as_text([], 0.0)


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")
def test_a_command_tells_its_own_peak_and_that_of_what_it_began():
    done = subprocess.run([PYTHON, str(BARE / "own_peaks.py"), "--version"], capture_output=True, text=True, check=True)
    python, others = map(float, done.stdout.split()[-2:])
    assert 10 < python < 1000
    assert others == 0
