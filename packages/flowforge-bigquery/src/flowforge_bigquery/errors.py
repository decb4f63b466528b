"""BigQuery's errors in FlowForge's words: one table by reason, one by words, one context manager that translates."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import TimeoutError as WaitedTooLong
from contextlib import contextmanager

import requests
from google.api_core.exceptions import GoogleAPICallError, RetryError
from google.auth.exceptions import GoogleAuthError, TransportError

from flowforge_domain.errors import EngineError, ErrorKind

# https://cloud.google.com/bigquery/docs/error-messages
_REASONS = {
    "accessDenied": ErrorKind.PERMISSION,
    "authError": ErrorKind.CREDENTIALS,
    "backendError": ErrorKind.TRANSIENT,
    "blocked": ErrorKind.PERMISSION,
    "billingNotEnabled": ErrorKind.PERMISSION,
    "bytesBilledLimitExceeded": ErrorKind.SPACE,
    "duplicate": ErrorKind.CONFLICT,
    "internalError": ErrorKind.TRANSIENT,
    "invalid": ErrorKind.DATA,
    "invalidQuery": ErrorKind.SYNTAX,
    "jobBackendError": ErrorKind.TRANSIENT,
    "jobInternalError": ErrorKind.TRANSIENT,
    "jobRateLimitExceeded": ErrorKind.TRANSIENT,
    "notFound": ErrorKind.MISSING_RELATION,
    "quotaExceeded": ErrorKind.SPACE,
    "rateLimitExceeded": ErrorKind.TRANSIENT,
    "required": ErrorKind.DATA,
    "resourceInUse": ErrorKind.CONFLICT,
    "resourcesExceeded": ErrorKind.SPACE,
    "responseTooLarge": ErrorKind.SPACE,
    "stopped": ErrorKind.STOPPED,
    "tableUnavailable": ErrorKind.TRANSIENT,
    "timeout": ErrorKind.STOPPED,
}
# Where an answer names no reason.
_CODES = {
    400: ErrorKind.SYNTAX,
    401: ErrorKind.CREDENTIALS,
    403: ErrorKind.PERMISSION,
    404: ErrorKind.MISSING_RELATION,
    409: ErrorKind.CONFLICT,
    412: ErrorKind.CONFLICT,
    408: ErrorKind.TRANSIENT,
    429: ErrorKind.TRANSIENT,
    499: ErrorKind.STOPPED,
    500: ErrorKind.TRANSIENT,
    502: ErrorKind.TRANSIENT,
    503: ErrorKind.TRANSIENT,
    504: ErrorKind.TRANSIENT,
}
# An invalid query may be a sound one over data, or names, that do not bear it.
_WORDS = (
    (r"Unrecognized name: |Name .+ not found inside |Column .+ is not present in", ErrorKind.MISSING_COLUMN),
    (r"(?:Table|Dataset) .+ was not found|Not found: (?:Table|Dataset)", ErrorKind.MISSING_RELATION),
    (
        r"division by zero|Could not cast|Bad \w+ value|Invalid \w+ (?:value|string)|out of range|overflow",
        ErrorKind.DATA,
    ),
    (r"could not serialize access|aborted due to concurrent update", ErrorKind.TRANSIENT),
    (r"cancelled|canceled", ErrorKind.STOPPED),
)
_FIXES = {
    ErrorKind.CREDENTIALS: "Log in with `gcloud auth application-default login`, or give a keyfile in the profile.",
    ErrorKind.PERMISSION: "Ask for the roles BigQuery Data Editor on the dataset and BigQuery Job User on the project.",
    ErrorKind.SPACE: "Make the query lighter, or give the project more slots.",
    ErrorKind.CONFLICT: "Run again: another job was in the way.",
    ErrorKind.UNREACHABLE: "Check the network and https://status.cloud.google.com, then run again.",
    ErrorKind.TRANSIENT: "Run again; https://status.cloud.google.com tells of outages.",
}
_BARE = "must be qualified with a dataset"
_NO_DATASET = "A view knows no default dataset: name what it reads by ref() or source(), or write dataset.table."
# So it says of clusters too.
_LAYOUT = "Cannot replace a table with a different partitioning spec"
_FIXES_OF_LIMITS = {
    "bytesBilledLimitExceeded": "Raise `maximum_bytes_billed` in the profile, or let the query read less.",
    "quotaExceeded": "Wait until it is filled again, or ask for a greater one: https://cloud.google.com/bigquery/quotas.",
    "responseTooLarge": "Let the query give fewer rows or columns, or make a table of them.",
}
_PLACE = re.compile(r" at \[(\d+):(\d+)\]")
_TERMINAL = re.compile(r"\x1b\[\d*m")


@contextmanager
def translated() -> Iterator[None]:
    """Raise what the client raises inside the block as `EngineError`."""
    try:
        yield
    except GoogleAPICallError as error:
        raise _call_error(error) from error
    except WaitedTooLong as error:
        message, hint = "The job took too long.", "Give it more time in `job_timeout`, or make the query lighter."
        raise EngineError(message, kind=ErrorKind.STOPPED, hint=hint) from error
    except (RetryError, requests.RequestException, TransportError, ConnectionError, OSError) as error:
        cause = error.cause if isinstance(error, RetryError) and error.cause else error
        if isinstance(cause, GoogleAPICallError):
            raise _call_error(cause) from error
        kind = ErrorKind.TRANSIENT if _broke_off(cause) else ErrorKind.UNREACHABLE
        raise _error(f"BigQuery cannot be reached: {_first_line(cause)}", kind) from error
    except GoogleAuthError as error:
        raise _error(_first_line(error), ErrorKind.CREDENTIALS) from error


def kind_of(reason: str, code: int | None, message: str) -> ErrorKind:
    """Return what an error's reason, HTTP status and words mean; words tell invalid queries apart."""
    kind = _REASONS.get(reason) or _CODES.get(code or 0, ErrorKind.UNKNOWN)
    if kind in {ErrorKind.SYNTAX, ErrorKind.UNKNOWN}:
        return next((meant for words, meant in _WORDS if re.search(words, message, re.IGNORECASE)), kind)
    return kind


def is_other_layout(error: EngineError) -> bool:
    """Tell whether a table was not replaced because the new one has other partitions or clusters."""
    return _LAYOUT in error.message


def _call_error(error: GoogleAPICallError) -> EngineError:
    details = [each for each in error.errors or () if isinstance(each, dict)]
    said = details[0] if details else {}
    reason = str(said.get("reason") or error.reason or "")
    message = _TERMINAL.sub("", str(said.get("message") or error.message or "No reason given."))
    found = _PLACE.search(message)
    line, column = (int(found[1]), int(found[2])) if found else (0, 0)
    kind = kind_of(reason, error.code, message)
    hint = _NO_DATASET if _BARE in message else _FIXES_OF_LIMITS.get(reason) or _FIXES.get(kind, "")
    return EngineError(message, kind=kind, line=line, column=column, hint=hint)


def _error(message: str, kind: ErrorKind) -> EngineError:
    return EngineError(message, kind=kind, hint=_FIXES[kind])


def _broke_off(error: BaseException) -> bool:
    """Tell a connection that was there and broke off, or took too long to answer, from one that never came about."""
    broken = (ConnectionResetError, ConnectionAbortedError, BrokenPipeError, requests.ReadTimeout)
    return isinstance(error, broken) or bool(re.search(r"reset by peer|aborted|Broken pipe", str(error)))


def _first_line(error: BaseException) -> str:
    return next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)[:300]
