"""Records what a command does: a journal while it goes on, and artifacts at its end, however that comes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from flowforge_app.journaling import Journaling
from flowforge_bootstrap.artifacts import RESULTS, as_json, write_manifest, write_text
from flowforge_bootstrap.remains import CompiledFiles, sweep
from flowforge_domain.errors import ConfigError
from flowforge_domain.journal import RunOptions, RunRecord, run_results
from flowforge_domain.manifest import Manifest
from flowforge_domain.results import RunReport
from flowforge_ports.progress import Event, Notice
from flowforge_ports.project import ProjectReader


@contextmanager
def recorded(command: str, given: Mapping[str, Any], options: RunOptions) -> Iterator[Mapping[str, Any]]:
    """Give the objects of a command, with a progress that records it; without a command, as they are.

    `given` are the objects by their names in the container, `options` what the command was asked for.
    """
    if not command:
        yield given
        return
    progress, holder = given["progress"], given["claim"].holder
    journaling = Journaling(given["project"].journals, holder, command, progress, options, given["profile"].spec.name)
    manifest = given["manifest"]
    sweep(manifest.root, {node.file for node in manifest.nodes.values()})
    compiled = CompiledFiles(manifest.root)
    ended: BaseException | None = None

    def heard(event: Event) -> None:
        journaling(event)
        if isinstance(event, RunReport):
            compiled.begin()

    try:
        yield {**given, "progress": heard, "compiler": replace(given["compiler"], heard=compiled, kept=compiled.place)}
    except BaseException as error:
        ended = error
        raise
    finally:
        record = journaling.end(ended)
        if record is not None:
            try:
                _write(record, manifest, given["project"].reader)
                compiled.write()
            except ConfigError as error:
                # What was built is worth more than what is told of it.
                progress(Notice(error.message))


def _write(record: RunRecord, manifest: Manifest, reader: ProjectReader) -> None:
    # Seeds alone have no plan, and thus no target; they leave the results of the last run.
    if record.target:
        write_text(manifest.root / RESULTS, as_json(run_results(record)))
    if not record.models and record.checks:
        return
    write_manifest(manifest, reader)
