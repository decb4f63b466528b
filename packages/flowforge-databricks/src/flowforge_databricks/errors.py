"""Spark's errors in FlowForge's words: one table by SQLSTATE, one by words, one context manager that translates.

Some come as classes of PySpark, some as the gateway's or gRPC's; all of them carry condition and SQLSTATE in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pyspark
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException, PythonException

from flowforge_domain.errors import EngineError, ErrorKind
from flowforge_domain.sqlstate import SQLSTATES, kind_of_state

# The longest prefix of an SQLSTATE counts (https://spark.apache.org/docs/latest/sql-error-conditions-sqlstates.html).
_STATES = {
    **SQLSTATES,
    "0A": ErrorKind.SYNTAX,
    # A function of the user's: whatever words it raises are about its values.
    "38": ErrorKind.DATA,
    "39": ErrorKind.DATA,
    "2D521": ErrorKind.TRANSIENT,
    "42704": ErrorKind.MISSING_RELATION,
    "42711": ErrorKind.DATA,
    "42K02": ErrorKind.UNREACHABLE,
    "42K03": ErrorKind.MISSING_RELATION,
    "46103": ErrorKind.UNREACHABLE,
    "53": ErrorKind.SPACE,
    "HY008": ErrorKind.STOPPED,
    "KD": ErrorKind.DATA,
    "P0001": ErrorKind.DATA,
    "XXKDA": ErrorKind.STOPPED,
}
# Where no SQLSTATE is given, or one that says less; the first row counts whose words are there.
_WORDS = (
    (r"SPARK_JOB_CANCELLED|OPERATION_CANCELED|OPERATION_ABANDONED", ErrorKind.STOPPED),
    (r"No space left on device|Disk quota exceeded|OutOfMemoryError", ErrorKind.SPACE),
    (r"UNAUTHENTICATED|Invalid access token|status: 401\b", ErrorKind.CREDENTIALS),
    (r"PERMISSION_DENIED|Permission denied|AccessControlException", ErrorKind.PERMISSION),
    # What Hadoop's own file system says of a folder that it may not write to.
    (r"Mkdirs failed to create|Read-only file system", ErrorKind.PERMISSION),
    (r"Connection refused|Answer from Java side is empty|stopped SparkContext", ErrorKind.UNREACHABLE),
    (r"UNAVAILABLE|RESOURCE_EXHAUSTED|Connection reset|status: (?:429|503)\b", ErrorKind.TRANSIENT),
    (r"Concurrent(?:Append|DeleteRead|DeleteDelete|Transaction|Modification)Exception", ErrorKind.TRANSIENT),
    (r"CommitFailedException|ValidationException: Found conflicting files", ErrorKind.TRANSIENT),
    (r"INVALID_HANDLE\.SESSION|SESSION_CLOSED|NO_ACTIVE_SESSION", ErrorKind.UNREACHABLE),
    (r"may have already booted the database", ErrorKind.CONFLICT),
    (r"FAILED_READ_FILE|CANNOT_CONVERT|CANNOT_ACCEPT_OBJECT|FIELD_DATA_TYPE|VALUE_OUT_OF_BOUND", ErrorKind.DATA),
    (r"LENGTH_SHOULD_BE_THE_SAME|CANNOT_DETERMINE_TYPE|CANNOT_MERGE_TYPE|CANNOT_INFER", ErrorKind.DATA),
)
_FIXES = {
    ErrorKind.CREDENTIALS: "Check the token in `remote`.",
    ErrorKind.PERMISSION: "Ask the owner to grant it, or choose another database or warehouse.",
    ErrorKind.SPACE: "Free space, or give Spark more in `conf`.",
    ErrorKind.UNREACHABLE: "Check `master` or `remote`, and that Spark runs there.",
    ErrorKind.TRANSIENT: "Run again.",
}
# What Spark says where a format's, or a catalog's, classes are not there, and which package holds them.
_ABSENT = {"CANNOT_LOAD_CATALOG.PLUGIN_CLASS_NOT_FOUND", "DATA_SOURCE_NOT_FOUND"}
_SPARK = ".".join(pyspark.__version__.split(".")[:2])
_PACKAGES = (
    (r"\biceberg\b", f"org.apache.iceberg:iceberg-spark-runtime-{_SPARK}_2.13:VERSION"),
    (r"\bdelta\b", "io.delta:delta-spark_2.13:VERSION"),
    ("", "GROUP:PACKAGE:VERSION"),
)
_MOST = 500
_SAID = re.compile(
    r"\[(?P<condition>[A-Z][A-Z0-9_.]+)\] (?P<text>.*?)(?:\s*SQLSTATE: (?P<state>\w{5})|\n\s+at |\Z)", re.DOTALL
)
_PLACE = re.compile(r"[( ;]line (?P<line>\d+),? pos(?P<one>ition)? (?P<column>\d+)")
# The last of Java's causes, without the classes that raised it.
_CAUSE = re.compile(r"^Caused by: (?:[\w.$]+: )+(?P<text>.+)", re.MULTILINE)
# The last of a function's own traceback: where it was raised, the code there, and what was raised.
_RAISED = re.compile(
    r'.*^  File "(?P<file>[^"\n]+)", line (?P<line>\d+)[^\n]*\n'
    r"(?: {4}[^\n]*\n)*(?P<text>.+?)(?:\s*SQLSTATE: \w{5})?\s*\Z",
    re.DOTALL | re.MULTILINE,
)
# Of a call that gRPC itself ends.
_DETAILS = re.compile(r'^\s*details = "(?P<text>.+)"$', re.MULTILINE)
_SEARCHED = re.compile(r"\n(?:Search path|If you did not qualify|To tolerate|Choose a different name)[^\n]*")


@contextmanager
def translated(sql: str = "") -> Iterator[None]:
    """Raise what Spark raises as `EngineError`; `sql` is the statement that line and column point into."""
    try:
        yield
    except (PySparkException, Py4JError) as error:
        raise engine_error(error, sql) from error
    except (ConnectionError, UnicodeError, OverflowError) as error:
        kind = ErrorKind.UNREACHABLE if isinstance(error, ConnectionError) else ErrorKind.DATA
        raise EngineError(str(error) or type(error).__name__, kind=kind, hint=_FIXES.get(kind, "")) from error


def engine_error(error: Exception, sql: str = "") -> EngineError:
    """Return an error of Spark in FlowForge's words."""
    whole = str(error)
    if isinstance(error, PythonException):
        return EngineError(_raised(whole), kind=ErrorKind.DATA)
    said = _SAID.search(whole)
    told = kind_of_state((said and said["state"]) or _state(error), _STATES)
    kind = told or _kind_of(whole)
    message = _SEARCHED.sub("", said["text"]) if said else _first_line(whole)
    if not told and (causes := _CAUSE.findall(whole)):
        message = f"{message.strip().rstrip('.')}: {causes[-1]}" if said else causes[-1]
    found = _PLACE.search(whole) if sql else None
    line, column = (int(found["line"]), int(found["column"]) + (not found["one"])) if found else (0, 0)
    hint = _jar(said["text"]) if said and said["condition"] in _ABSENT else _FIXES.get(kind, "")
    return EngineError(message.strip(), kind=kind, line=line, column=column, hint=hint)


def _jar(said: str) -> str:
    """Return how a profile gives Spark the classes that it did not find."""
    package = next(package for words, package in _PACKAGES if re.search(words, said))
    return (
        f"Name what holds it, made for Spark {_SPARK}, in `conf`: `spark.jars.packages: {package}`, "
        "or the file of its jar in `spark.jars`."
    )


def _state(error: Exception) -> str:
    return (error.getSqlState() or "") if isinstance(error, PySparkException) else ""


def _kind_of(whole: str) -> ErrorKind:
    return next((kind for words, kind in _WORDS if re.search(words, whole)), ErrorKind.UNKNOWN)


def _raised(whole: str) -> str:
    """Return what a user's function raised, and where: the trace begins with Spark's own steps."""
    found = _RAISED.match(whole)
    if found is None:
        return _first_line(whole)
    return f"{found['text'][:_MOST]} (line {found['line']} of {found['file']})"


def _first_line(whole: str) -> str:
    if details := _DETAILS.search(whole):
        return details["text"]
    lines = [line.strip() for line in whole.splitlines() if line.strip()]
    told = [line.removeprefix(": ") for line in lines if not line.startswith(("An error occurred while", "at "))]
    return (told or lines or ["No reason given."])[0][:_MOST]
