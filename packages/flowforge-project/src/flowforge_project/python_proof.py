"""What in the code of a Python model may give another result another time: all that is not known to compute only."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterator

from flowforge_domain.dialect import VOLATILE
from flowforge_domain.sql_scan import volatile_forms

# Modules that give the same for the same arguments, but for the names below.
_MODULES = frozenset({
    "__future__", "abc", "array", "base64", "binascii", "bisect", "calendar", "cmath", "collections",
    "collections.abc", "contextlib", "copy", "dataclasses", "datetime", "decimal", "difflib", "enum", "fractions",
    "functools", "hashlib", "heapq", "hmac", "html", "ipaddress", "itertools", "json", "keyword", "logging",
    "math", "numbers", "operator", "re", "statistics", "string", "struct", "textwrap", "types", "typing",
    "typing_extensions", "unicodedata", "urllib.parse", "warnings", "zlib", "zoneinfo", "flowforge",
    "flowforge.core", "flowforge_testkit.sqlite.frames", "pandas", "pandas.api.types", "pandas.tseries.offsets",
    "numpy", "numpy.typing", "numpy.linalg", "numpy.ma", "numpy.fft", "pyarrow", "pyarrow.compute",
    "pyarrow.types", "polars", "polars.selectors", "pyspark.sql", "pyspark.sql.column", "pyspark.sql.dataframe",
    "pyspark.sql.functions", "pyspark.sql.types", "pyspark.sql.window", "snowflake.snowpark",
    "snowflake.snowpark.column", "snowflake.snowpark.dataframe", "snowflake.snowpark.functions",
    "snowflake.snowpark.types", "snowflake.snowpark.window", "bigframes", "bigframes.dataframe",
    "bigframes.pandas", "bigframes.series",
})  # fmt: skip
# Attributes, and names that are imported, which reach past the arguments: to the clock, chance, files, sessions, what
# another model of the process has set, or by a computed name to anything.
_READING = re.compile(
    r"""now|today|utcnow|perf_counter\w*|monotonic|time_ns|localtime|gmtime|localtimestamp|curdate|unix_timestamp
    |sysdate|systimestamp|getdate|(?:get_)?current_(?:date|time|timestamp|user|role|database|schema|catalog|timezone
    |session|version|account|region|warehouse|statement|transaction|available_roles)
    |random|rand|randn|randint|randstr|random_\w+|default_rng|sample|sampleBy|sample_by|shuffle|uuid\w*|uniform|normal
    |zipf|seq[1248]|monotonically_increasing_id|spark_partition_id|input_file_\w+|secrets|urandom|token_\w+
    |read|read_\w+|readStream|scan_\w+|load|loadtxt|from\w*file|fromregex|genfromtxt|memmap|memory_map|urlopen
    |open_(?:file|stream|memmap|csv|json|input_\w+)|OSFile|input_stream|ParquetFile|ParquetDataset|ExcelFile|HDFStore
    |DataSource|FileHandler|Path|file_digest|dataset|fs|flight|io|sys|environb?|getenv|getpass
    |sql|SQLContext|sql_expr|call_(?:udf|function|builtin|table_function|sproc)|table|execute\w*|connect|Session
    |_?session|sparkSession|sparkContext|SparkSession|getOrCreate|get_active_session|Project|REGISTRY|load_project
    |getcontext|setcontext|set_option|options|seterr|NpzFile|deserialize
    |eval|exec|__(?:import|builtins|globals|dict|subclasses|getattribute|loader)__""",
    re.VERBOSE,
)
_BUILTINS = frozenset({
    "open", "eval", "exec", "compile", "input", "globals", "locals", "vars", "hash", "id", "breakpoint", "__import__",
    "__builtins__", "__loader__", "__spec__", "__file__", "__path__",
})  # fmt: skip
_BY_NAME = frozenset({"getattr", "attrgetter", "methodcaller"})
_MOMENTS = frozenset({"now", "today", "yesterday", "tomorrow"})
# A text may be SQL, or an expression of a frame: what it calls counts, and no plain word of prose.
_IN_TEXTS = volatile_forms(VOLATILE - _MOMENTS - {"sample", "tablesample"} | {f"{name}()" for name in _MOMENTS})


def unproved(tree: ast.Module | None, file: str, foreign: Callable[[ast.AST], Iterator[str]]) -> str:
    """Return the first thing that may give another result, and where it stands; "" where nothing does.

    `foreign` yields the modules that are imported and are not of the project.
    """
    if tree is None:
        return f"no Python ({file})"
    for place in _walk(tree):
        if found := next(_found(place, foreign), ""):
            return f"{found} ({file}:{getattr(place, 'lineno', 0)})"
    return ""


def _found(place: ast.AST, foreign: Callable[[ast.AST], Iterator[str]]) -> Iterator[str]:
    yield from (f"module {name}" for name in foreign(place) if name not in _MODULES)
    match place:
        case ast.ImportFrom(module=module, names=names):
            yield from (f"{module or '.'}.*" for one in names if one.name == "*" and any(foreign(place)))
            yield from (one.name for one in names if any(foreign(place)) and _READING.fullmatch(one.name))
        case ast.Attribute(attr=name) if _READING.fullmatch(name):
            yield name
        case ast.Attribute(value=ast.Name(id=module), attr=name) if module in _MODULES and _is_module(name, module):
            yield f"module {module}.{name}"
        case ast.Name(id=name) if name in _BUILTINS:
            yield name
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in _BY_NAME:
            yield from [name] * _by_unknown_name(place)
        case ast.Constant(value=str(text)):
            yield from _in_text(text)


def _is_module(name: str, module: str) -> bool:
    """Tell whether a module's attribute may be another module that it imports itself, such as `logging.os`."""
    return name in sys.stdlib_module_names - _MODULES and (module, name) != ("datetime", "time")


def _by_unknown_name(call: ast.Call) -> bool:
    texts = [place.value for place in call.args if isinstance(place, ast.Constant)]
    names = [text for text in texts if isinstance(text, str)]
    return not names or any(_READING.fullmatch(part) for name in names for part in name.split("."))


def _in_text(text: str) -> Iterator[str]:
    if text.strip().lower() in _MOMENTS:
        yield repr(text)
    for word, call in re.findall(r"(\w+)\s*(\(?)", text):
        # What a frame evaluates may call any variable of the code behind an `@`.
        if _IN_TEXTS.fullmatch(f"{word}()" if call else word) or (call and "@" in text and _READING.fullmatch(word)):
            yield word


def _walk(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield all parts of code but what is there for the checker of types alone."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        place = waiting.pop()
        match place:
            case ast.If(test=ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING"), orelse=other):
                waiting.extend(reversed(other))
            case _:
                yield place
                waiting.extend(reversed(list(ast.iter_child_nodes(place))))
