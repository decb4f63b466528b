"""All engines installed against DuckDB alone: what a plugin that is not used costs every command.

Two venvs, made for the occasion from the lock: one with `flowforge-duckdb` and what it needs, one with every package of
the workspace and every driver. The same project, the same interpreter. And what each plugin's import takes.
"""

from __future__ import annotations

import os
import statistics
import subprocess
from collections.abc import Sequence
from importlib.metadata import entry_points
from pathlib import Path

from bench.figures import Figure, Measured, Values, cpus, processes, walls
from bench.paired import differences, median_difference
from bench.processes import BARE, PYTHON, Samples, Variant, interleaved, run
from bench.projects import write_light

_ROOT = Path(__file__).parents[2]
_ALONE, _ALL = "DuckDB alone", "all engines"
_PACKAGES = {_ALONE: ("--package", "flowforge-duckdb"), _ALL: ("--all-packages", "--all-extras")}
# "The same" in milliseconds: `dag` looks at every plugin, the others at none.
_COMMANDS = {"--version": 5, "--help": 5, "dag": 10}
_EMPTY = "python -c pass"
_IMPORT_MS = 5
_NOTE = (
    "Both venvs hold what `uv.lock` names, FlowForge's own packages as wheels. Each command is counted beyond "
    f"`{_EMPTY}` of its own venv: some drivers bring `.pth` files that every start of Python reads. `dag` reads a "
    "project of five models, parsed before. A plugin's import is timed inside a process that has imported FlowForge's "
    "ports."
)


def measure(folder: Path, rounds: int) -> Measured:
    """Compare commands between two venvs, and time the import of each engine's plugin."""
    samples = interleaved(_commands(folder), rounds)
    figures = [figure for command, most in _COMMANDS.items() for figure in _beyond(samples, command, most)]
    figures += [
        Figure(f"`import {plugin}` beyond the ports, CPU", _import_seconds(plugin, rounds) * 1000, "ms", _IMPORT_MS)
        for plugin in _plugins()
    ]
    return Measured("engines", figures, processes(samples), (_NOTE,), rounds)


def _plugins() -> Sequence[str]:
    found = entry_points(group="flowforge")
    return sorted(entry.value for entry in found if hasattr(entry.load(), "flowforge_engines"))


def _import_seconds(plugin: str, rounds: int) -> float:
    """Return the median of `rounds`; the first, which may compile, is left out."""
    command = [PYTHON, str(BARE / "plugin_import.py"), plugin]
    taken = [float(subprocess.run(command, capture_output=True, check=True).stdout) for _ in range(rounds + 1)]
    return statistics.median(taken[1:])


def _commands(folder: Path) -> list[Variant]:
    project = folder / "project"
    write_light(project, 5)
    variants = []
    for packages in _PACKAGES:
        programs = _venv(folder, packages) / "bin"
        variants.append(Variant(_name(_EMPTY, packages), [str(programs / "python"), "-c", "pass"]))
        for command in _COMMANDS:
            place = [str(project)] if command == "dag" else []
            variants.append(Variant(_name(command, packages), [str(programs / "flowforge"), command, *place]))
    return variants


def _venv(folder: Path, packages: str) -> Path:
    """Return a venv with these packages only; raise `CommandFailedError` when uv cannot make it."""
    venv = folder / packages.replace(" ", "_")
    uv = os.environ.get("UV", str(_ROOT / ".uv" / "uv"))
    how = ("--frozen", "--no-default-groups", "--no-editable", "--compile-bytecode", *_PACKAGES[packages])
    run("env", f"UV_PROJECT_ENVIRONMENT={venv}", uv, "sync", "--project", str(_ROOT), "--python", PYTHON, *how)
    return venv


def _beyond(samples: Samples, command: str, most: float) -> list[Figure]:
    return [
        Figure(f"`flowforge {command}`, {_ALL} beyond {_ALONE}", _difference(walls, samples, command), "ms", most),
        Figure("the same, CPU", _difference(cpus, samples, command), "ms", most),
    ]


def _difference(values: Values, samples: Samples, command: str) -> float:
    all_of_them, alone = (
        differences(values(samples, _name(command, packages)), values(samples, _name(_EMPTY, packages)))
        for packages in (_ALL, _ALONE)
    )
    return median_difference(all_of_them, alone) * 1000


def _name(command: str, packages: str) -> str:
    return f"{_EMPTY}, {packages}" if command == _EMPTY else f"`flowforge {command}`, {packages}"
