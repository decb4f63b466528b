"""What a caller asks to be selected, with all that its terms need from the world outside the project looked up."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from flowforge_app.past_runs import PastRuns
from flowforge_bootstrap.artifacts import MANIFEST, RESULTS, file_checksum, imported_modules, unreadable
from flowforge_domain.changed_files import changed_nodes
from flowforge_domain.errors import ConfigError
from flowforge_domain.manifest import Manifest
from flowforge_domain.manifest_facts import manifest_facts, modified_parts, modified_tests, require_comparable
from flowforge_domain.selectable import NOWHERE, SelectionContext
from flowforge_domain.selection import Selection, selection
from flowforge_ports.project import ProjectPorts

if TYPE_CHECKING:
    from flowforge_bootstrap.profiles import ResolvedProfile

Names = Iterable[str] | str | None
_RESULT = "result:"


class Choice(TypedDict, total=False):
    """What narrows a command down, beside `select` and `exclude`.

    `selector` names selectors of the project; `state` is a folder with the `manifest.json` and `run_results.json` of
    another run, `changed_since` a git reference.
    """

    selector: Names
    state: str | Path | None
    changed_since: str | None


@dataclass(frozen=True)
class Asked:
    """What a caller asks for, as it is given."""

    select: Names = None
    exclude: Names = None
    selector: Names = None
    state: str | Path | None = None
    changed_since: str | None = None

    def among(self, ports: ProjectPorts, manifest: Manifest, profile: Callable[[], ResolvedProfile]) -> Selection:
        """Return what is asked for, ready for a use case; `profile` is asked where past runs of it are.

        Raises `FlowForgeError` for a selection that says nothing, for a folder without a manifest, and for a reference
        that git does not know.
        """
        plain = selection(self.select, self.exclude, self.selector)
        since = self.changed_since
        asks = _asks_for_results(plain, manifest)
        ended = _results(ports, manifest.root, self.state, profile) if asks else NOWHERE
        modified = _modified(ports, manifest, Path(self.state)) if self.state is not None else NOWHERE
        context = replace(
            modified,
            results=ended.results,
            verdicts=ended.verdicts,
            ran=ended.ran,
            changed=_changed(ports, manifest, since) if since is not None else None,
        )
        return Selection(plain.include, plain.exclude, context)


def _changed(ports: ProjectPorts, manifest: Manifest, since: str) -> frozenset[str]:
    def said(file: str) -> str:
        now = manifest.root / file
        text = now.read_text("utf-8", errors="replace") if now.is_file() else ""
        return f"{ports.changes.said(file, since)}\n{text}"

    return changed_nodes(manifest, ports.changes.since(since), said)


def _modified(ports: ProjectPorts, manifest: Manifest, state: Path) -> SelectionContext:
    file = state / MANIFEST.name
    then = _read(file, f"{file} is no manifest of FlowForge.")
    require_comparable(then, str(file))
    now = manifest_facts(manifest, dict(_checksums(manifest, then)), imported_modules(manifest, ports.reader))
    return SelectionContext(modified=modified_parts(now, then), modified_tests=modified_tests(now, then))


def _checksums(manifest: Manifest, then: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the checksums of the seeds whose content was known then; a large file takes its time."""
    known = then.get("seeds")
    for name, seed in manifest.seeds.items():
        facts = known.get(name) if isinstance(known, Mapping) else None
        if isinstance(facts, Mapping) and facts.get("checksum"):
            yield name, file_checksum(seed.path)


def _asks_for_results(wanted: Selection, manifest: Manifest) -> bool:
    texts = [*wanted.include, *wanted.exclude]
    texts += [text for selector in manifest.selectors.values() for text in (*selector.select, *selector.exclude)]
    return any(_RESULT in text for text in texts)


def _results(
    ports: ProjectPorts, root: Path, state: str | Path | None, profile: Callable[[], ResolvedProfile]
) -> SelectionContext:
    """Return how nodes and tests ended in the last run of the profile; no results where none was recorded.

    Its journal tells of nodes, for the artifact may be that of tests since, or of another profile.
    """
    if state is None:
        ended = PastRuns(ports.journals).ended((used := profile()).name, used.spec.name)
        if ended is not None:
            return ended
    file = root / RESULTS if state is None else Path(state) / RESULTS.name
    if not file.exists():
        return NOWHERE
    wrong = f"{file} holds no results of a run of FlowForge."
    found = _read(file, wrong)
    if not isinstance(found, dict):
        found = {}
    results, verdicts = _statuses(found.get("results"), wrong), _statuses(found.get("tests", []), wrong)
    return SelectionContext(results=dict(results), verdicts=frozenset(verdicts), ran=f"The run that {file} tells of")


def _statuses(listed: Any, wrong: str) -> list[tuple[str, str]]:
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise ConfigError(wrong, hint="Write it again: flowforge run")
    return [(str(one.get("name")), str(one.get("status"))) for one in listed]


def _read(file: Path, wrong: str) -> Any:
    try:
        return json.loads(file.read_bytes())
    except OSError as error:
        raise unreadable(file, error) from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(wrong, hint="Write it again: flowforge run") from error
