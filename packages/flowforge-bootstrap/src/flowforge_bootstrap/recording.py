"""Records what a command does: a journal while it goes on, and artifacts at its end, however that comes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flowforge_app.journaling import Journaling
from flowforge_bootstrap.artifacts import RESULTS, as_json, write_compiled, write_manifest, write_text
from flowforge_domain.errors import ConfigError
from flowforge_domain.journal import RunOptions, RunRecord, run_results
from flowforge_domain.manifest import Manifest
from flowforge_domain.results import Status
from flowforge_ports.progress import Notice

_COMPILED = {Status.BUILT.value, Status.FAILED.value}


@contextmanager
def recorded(command: str, given: Mapping[str, Any], options: RunOptions) -> Iterator[Mapping[str, Any]]:
    """Give the objects of a command, with a progress that records it; without a command, as they are.

    `given` are the objects by their names in the container, `options` what the command was asked for.
    """
    if not command:
        yield given
        return
    progress, holder = given["progress"], given["claim"].holder
    journaling = Journaling(given["project"].journals, holder, command, progress, options)
    ended: BaseException | None = None
    try:
        yield {**given, "progress": journaling}
    except BaseException as error:
        ended = error
        raise
    finally:
        record = journaling.end(ended)
        if record is not None:
            try:
                _write(record, given["manifest"], given["compiler"].compiled)
            except ConfigError as error:
                # What was built is worth more than what is told of it.
                progress(Notice(error.message))


def _write(record: RunRecord, manifest: Manifest, compiled: Mapping[str, str]) -> None:
    root: Path = manifest.root
    if record.engine:
        write_text(root / RESULTS, as_json(run_results(record)))
    write_manifest(manifest)
    built = [name for name, model in record.models.items() if model.status in _COMPILED and name in compiled]
    write_compiled(root, {manifest.nodes[name].file: compiled[name] for name in built})
