"""The journal of a run: one line of JSON an event, each behind its own checksum, so that a torn end shows.

What was built is told by the state rows in the target; the journal tells what happened, also of a run that was killed.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from operator import itemgetter
from typing import Any
from zlib import crc32

from flowforge_domain.errors import ConfigError
from flowforge_domain.holder import Holder
from flowforge_domain.results import CheckResult, ModelResult, SeedResult, Status
from flowforge_domain.secret import is_secret_name

FORMAT = 1
NOT_RUN, UNFINISHED = "not run", "unfinished"
OK, FAILED, INTERRUPTED, RUNNING, CRASHED = "ok", "failed", "interrupted", "running", "crashed"
_checked = itemgetter("name", "status", "type", "table", "column", "severity", "file", "line", "seconds", "cause")
_told = itemgetter("relation", "materialized", "rows", "seconds", "cause")

Entry = Mapping[str, Any]
_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True).encode


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """One model or seed of a run: `status` is that of its result, `NOT_RUN`, or `UNFINISHED` if it only began."""

    name: str
    status: str = NOT_RUN
    relation: str = ""
    materialized: str = ""
    rows: int | None = None
    seconds: float = 0.0
    cause: str = ""


@dataclass(frozen=True, slots=True)
class CheckRecord:
    """One data-quality test of a run: `status` is that of its verdict, or `NOT_RUN`; `cause` is why it did not pass."""

    name: str
    status: str = NOT_RUN
    type: str = ""
    table: str = ""
    column: str = ""
    severity: str = ""
    file: str = ""
    line: int = 0
    seconds: float = 0.0
    cause: str = ""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What a run was asked for beside its selection, so that it can be taken up alike.

    `env` is the profile that was used, `engine` the one that was asked for, "" for the profile's own. `variables` are
    those that were given over the project's, `unkept` the names of those that no journal holds.
    """

    env: str = ""
    engine: str = ""
    full_refresh: bool = False
    no_cache: bool = False
    variables: Mapping[str, Any] = field(default_factory=dict)
    unkept: tuple[str, ...] = ()


NO_OPTIONS = RunOptions()


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run: `status` is one of `OK`, `FAILED`, `INTERRUPTED`, `RUNNING`, `CRASHED`; times are ISO 8601 in UTC.

    `error` is what ended it before its models did.
    """

    run: str
    command: str = ""
    status: str = CRASHED
    started: str = ""
    seconds: float = 0.0
    pid: int = 0
    host: str = ""
    engine: str = ""
    target: str = ""
    error: str = ""
    models: Mapping[str, ModelRecord] = field(default_factory=dict)
    options: RunOptions = NO_OPTIONS
    checks: Sequence[CheckRecord] = ()

    def count(self, *statuses: str) -> int:
        """Return how many models ended in one of these ways."""
        return sum(1 for model in self.models.values() if model.status in statuses)


def holding(options: RunOptions, variables: Mapping[str, Any]) -> RunOptions:
    """Return options with given variables, but for those that look like secrets or that JSON could not give back."""
    kept = {name: value for name, value in variables.items() if not _sounds_secret({name: value}) and _is_json(value)}
    return replace(options, variables=kept, unkept=tuple(name for name in variables if name not in kept))


def as_arguments(options: RunOptions) -> str:
    """Return options as a command line would give them."""
    said = [
        f"--env {options.env}" * bool(options.env),
        f"--engine {options.engine}" * bool(options.engine),
        f"--vars '{json.dumps(options.variables)}'" * bool(options.variables),
        "--full-refresh" * options.full_refresh,
        "--no-cache" * options.no_cache,
    ]
    return " ".join(filter(None, said))


def journal_name(holder: Holder) -> str:
    """Return the name of a run's journal; names sort by time."""
    return f"{holder.started.partition('+')[0].replace('-', '').replace(':', '')}Z-{holder.run}"


def journal_line(entry: Entry) -> bytes:
    """Return an entry as a line of the journal."""
    text = _encode(entry).encode("ascii")
    return b"%08x %s\n" % (crc32(text), text)


def read_lines(content: bytes) -> list[Entry]:
    """Return the entries up to the first line that is torn or damaged."""
    found: list[Entry] = []
    for line in content.split(b"\n")[:-1]:
        checksum, _, text = line.partition(b" ")
        if checksum != b"%08x" % crc32(text):
            break
        found.append(json.loads(text))
    return found


def start_entry(holder: Holder, command: str, options: RunOptions = NO_OPTIONS, engine: str = "") -> Entry:
    """Return the first entry of a journal; `engine` is that of the profile."""
    said = {"run": holder.run, "pid": holder.pid, "host": holder.host, "at": holder.started}
    asked = {name: value for name, value in asdict(options).items() if value}
    return {"event": "start", "format": FORMAT, "command": command, **said, "engine": engine, "options": asked}


def plan_entry(engine: str, target: str, models: Sequence[str], tests: Sequence[str] = ()) -> Entry:
    """Return the entry that says what is going to be built and tested, by names and titles, and where."""
    return {"event": "plan", "engine": engine, "target": target, "models": list(models), "tests": list(tests)}


def began_entry(name: str, at: float) -> Entry:
    """Return the entry of a model or seed that begins, `at` seconds after the start."""
    return {"event": "began", "model": name, "at": at}


def result_entry(result: ModelResult | SeedResult, at: float) -> Entry:
    """Return the entry of a model or seed that has ended."""
    if isinstance(result, SeedResult):
        status, materialized, cause = Status.BUILT, "seed", ""
    else:
        status, materialized = result.status, result.materialized
        cause = str(result.error) if result.error is not None else result.reason
    return {
        "event": status.value,
        "model": result.name,
        "relation": result.relation,
        "materialized": materialized,
        "rows": result.rows,
        "seconds": round(result.seconds, 6),
        "cause": cause,
        "at": at,
    }


def check_entry(result: CheckResult, at: float) -> Entry:
    """Return the entry of a test that has ended."""
    check = result.check
    return {
        "event": "test",
        "name": check.title,
        "status": result.verdict.value,
        "type": check.type,
        "table": check.table,
        "column": check.column,
        "severity": check.severity,
        "file": check.where.path,
        "line": check.where.line,
        "seconds": round(result.seconds, 6),
        "cause": str(result.error or result.failure or result.skipped),
        "at": at,
    }


def end_entry(status: str, seconds: float, error: str) -> Entry:
    """Return the last entry of a journal."""
    return {"event": "end", "status": status, "seconds": seconds, "error": error}


def told(name: str, entries: Iterable[Entry], goes_on: bool) -> RunRecord:
    """Return the run that a journal of this name tells of; `goes_on` is whether somebody still writes it.

    Raises `ConfigError` for a journal of another version.
    """
    record = RunRecord(name.rpartition("-")[2], started=_started(name), status=RUNNING if goes_on else CRASHED)
    models: dict[str, ModelRecord] = {}
    planned: list[str] = []
    checks: list[CheckRecord] = []
    for entry in entries:
        match entry["event"]:
            case "start":
                _require_format(entry, name)
                said = {key: entry[key] for key in ("run", "command", "pid", "host")}
                # Earlier journals told the engine with their plan alone.
                said["engine"] = entry.get("engine", "")
                record = replace(record, started=entry["at"], options=_options(entry), **said)
            case "plan":
                record = replace(record, engine=entry["engine"], target=entry["target"])
                models |= {model: ModelRecord(model) for model in entry["models"]}
                planned += entry.get("tests", ())
            case "began":
                models[entry["model"]] = ModelRecord(entry["model"], UNFINISHED)
            case "test":
                checks.append(CheckRecord(*_checked(entry)))
            case "end":
                record = replace(record, status=entry["status"], seconds=entry["seconds"], error=entry["error"])
            case status:
                models[entry["model"]] = ModelRecord(entry["model"], status, *_told(entry))
    return replace(record, models=models, checks=_in_order(planned, checks))


def _in_order(planned: Sequence[str], ended: Sequence[CheckRecord]) -> list[CheckRecord]:
    """Return tests in the order in which they were planned, however they ran, with those that were not."""
    not_run = Counter(planned) - Counter(check.name for check in ended)
    order = {name: place for place, name in reversed([*enumerate(planned)])}
    both = [*ended, *(CheckRecord(name) for name in not_run.elements())]
    return sorted(both, key=lambda check: (order.get(check.name, len(planned)), check.file, check.line))


def run_results(record: RunRecord) -> dict[str, Any]:
    """Return a run as the artifact `run_results.json` tells it, all keys always there."""
    keys = [name for name in RunRecord.__dataclass_fields__ if name not in ("models", "options", "checks")]
    model_keys = list(ModelRecord.__dataclass_fields__)
    results = [{key: getattr(model, key) for key in model_keys} for model in record.models.values()]
    tests = [asdict(check) for check in record.checks]
    return {"format": FORMAT, **{key: getattr(record, key) for key in keys}, "results": results, "tests": tests}


def _options(entry: Entry) -> RunOptions:
    said = entry.get("options", {})
    known = {each.name: said[each.name] for each in fields(RunOptions) if each.name in said}
    return RunOptions(**{**known, "unkept": tuple(known.get("unkept", ()))})


def _sounds_secret(value: Any) -> bool:
    """Tell whether any name in nested values looks like that of a secret."""
    if isinstance(value, Mapping):
        return any(is_secret_name(str(name)) or _sounds_secret(child) for name, child in value.items())
    return isinstance(value, list | tuple) and any(map(_sounds_secret, value))


def _is_json(value: Any) -> bool:
    try:
        return bool(json.loads(_encode(value)) == value)
    except (TypeError, ValueError, RecursionError):
        return False


def _started(name: str) -> str:
    """Return the time in a journal's name, for one whose first line is torn."""
    day, _, time = name.rpartition("-")[0].rstrip("Z").partition("T")
    return f"{day[:4]}-{day[4:6]}-{day[6:]}T{time[:2]}:{time[2:4]}:{time[4:]}+00:00" if time else ""


def _require_format(entry: Entry, name: str) -> None:
    if entry.get("format") != FORMAT:
        message = f"The journal {name} is of another version of FlowForge (format {entry.get('format')!r})."
        raise ConfigError(f"{message} Read it with that version, or delete it.")
