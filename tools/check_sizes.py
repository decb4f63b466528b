"""Keep the code small by measure: functions, files, classes, ports and the five files that hold the idea.

`python tools/check_sizes.py [ROOT]` reads packages/*/src, prints a table and names every offender as file:line.
"""

from __future__ import annotations

import ast
import io
import statistics
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

MEDIAN_FUNCTION, SHORT_FUNCTION, SHORT_SHARE, LONGEST_FUNCTION = 8, 10, 0.65, 50
MEDIAN_FILE, LONGEST_FILE = 120, 400
MOST_METHODS, MOST_PORT_MEMBERS = 12, 8
BROAD_EXCEPTS_PER_1000, COMMENTS_PER_100 = 1, 5
IDEA_LINES = 800
IDEA = (
    "packages/flowforge-domain/src/flowforge_domain/model.py",
    "packages/flowforge-domain/src/flowforge_domain/dag.py",
    "packages/flowforge-ports/src/flowforge_ports/engine.py",
    "packages/flowforge-app/src/flowforge_app/run_models.py",
    "packages/flowforge-duckdb/src/flowforge_duckdb/engine.py",
)

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Sized:
    """One thing with a place and a size."""

    where: str
    name: str
    size: int


@dataclass
class Survey:
    """Everything measured in one tree."""

    files: list[Sized] = field(default_factory=list)
    functions: list[Sized] = field(default_factory=list)
    classes: list[Sized] = field(default_factory=list)
    ports: list[Sized] = field(default_factory=list)
    broad_excepts: list[Sized] = field(default_factory=list)
    comments: int = 0
    code_lines: int = 0
    idea_lines: int = 0


@dataclass(frozen=True)
class Row:
    """One line of the table: what was measured, how it came out, what it may be, and who breaks it."""

    what: str
    found: str
    limit: str
    ok: bool
    offenders: tuple[str, ...] = ()
    advisory: bool = False


def main(argv: list[str]) -> int:
    root = Path(argv[0]) if argv else Path(__file__).resolve().parent.parent
    rows = judge(survey(root))
    if not rows:
        print(f"check_sizes: no Python files under {root / 'packages'}/*/src", file=sys.stderr)
        return 1
    broken = [row for row in rows if not row.ok and not row.advisory]
    print("\n".join(table(rows)))
    for row in broken:
        print("\n".join(f"{place}  ({row.what}: {row.limit})" for place in row.offenders))
    return 1 if broken else 0


def survey(root: Path) -> Survey:
    """Measure packages/*/src below `root`."""
    found = Survey()
    for path in sorted(root.glob("packages/*/src/**/*.py")):
        measure(path.relative_to(root).as_posix(), path.read_text(encoding="utf-8"), found)
    return found


def measure(where: str, source: str, found: Survey) -> None:
    lines = len(source.splitlines())
    found.files.append(Sized(f"{where}:1", where, lines))
    found.idea_lines += lines if where in IDEA else 0
    for node in ast.walk(ast.parse(source, where)):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                found.functions.append(sized(where, node, (node.end_lineno or 0) - node.lineno + 1))
            case ast.ClassDef():
                found.classes.append(sized(where, node, sum(isinstance(n, FunctionNode) for n in node.body)))
                if is_protocol(node):
                    found.ports.append(sized(where, node, len(members(node))))
            case _ if is_broad(node):
                found.broad_excepts.append(Sized(f"{where}:{node.lineno}", "except", 1))  # type: ignore[attr-defined]
    count_comments(source, found)


def sized(where: str, node: FunctionNode | ast.ClassDef, size: int) -> Sized:
    return Sized(f"{where}:{node.lineno}", node.name, size)


def is_protocol(node: ast.ClassDef) -> bool:
    return any(ast.unparse(base).split("[")[0].split(".")[-1] == "Protocol" for base in node.bases)


def members(node: ast.ClassDef) -> set[str]:
    """Methods and attributes alike: a caller has to know both."""
    named = {n.name for n in node.body if isinstance(n, FunctionNode)}
    return named | {ast.unparse(n.target) for n in node.body if isinstance(n, ast.AnnAssign)}


def is_broad(node: ast.AST) -> bool:
    """Tell a handler, or a `suppress`, that takes every error there is."""
    if isinstance(node, ast.ExceptHandler):
        return node.type is None or names_everything(node.type)
    if isinstance(node, ast.Call):
        return ast.unparse(node.func).endswith("suppress") and any(map(names_everything, node.args))
    return False


def names_everything(node: ast.expr) -> bool:
    return any(isinstance(n, ast.Name) and n.id in {"Exception", "BaseException"} for n in ast.walk(node))


def count_comments(source: str, found: Survey) -> None:
    noise = {tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    code: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            found.comments += not token.string.startswith(("# type:", "# noqa"))
        elif token.type not in noise:
            code.update(range(token.start[0], token.end[0] + 1))
    found.code_lines += len(code)


def judge(found: Survey) -> list[Row]:
    """Compare a survey with the limits; empty when there was nothing to measure."""
    if not found.files:
        return []
    return [*function_rows(found.functions), *file_rows(found), *class_rows(found), *ratio_rows(found)]


def function_rows(functions: list[Sized]) -> Iterator[Row]:
    if not functions:
        return
    lengths = [f.size for f in functions]
    middle, share = statistics.median(lengths), sum(n <= SHORT_FUNCTION for n in lengths) / len(lengths)
    longest_first = sorted(functions, key=lambda f: -f.size)
    worst = tuple(name(f) for f in longest_first[:5])
    yield Row("function lines, median", f"{middle:g}", f"at most {MEDIAN_FUNCTION}", middle <= MEDIAN_FUNCTION, worst)
    yield Row(
        f"functions within {SHORT_FUNCTION} lines",
        f"{share:.0%}",
        f"at least {SHORT_SHARE:.0%}",
        share >= SHORT_SHARE,
        worst,
    )
    yield none_over("function lines, longest", LONGEST_FUNCTION, functions)


def file_rows(found: Survey) -> Iterator[Row]:
    middle = statistics.median(f.size for f in found.files)
    worst = tuple(name(f) for f in sorted(found.files, key=lambda f: -f.size)[:5])
    yield Row("file lines, median", f"{middle:g}", f"at most {MEDIAN_FILE}", middle <= MEDIAN_FILE, worst)
    yield none_over("file lines, longest", LONGEST_FILE, found.files)
    idea = tuple(name(f) for f in found.files if f.name in IDEA)
    within = found.idea_lines < IDEA_LINES
    yield Row("the five files to the idea, lines", str(found.idea_lines), f"under {IDEA_LINES}", within, idea)


def class_rows(found: Survey) -> Iterator[Row]:
    yield none_over("methods of a class", MOST_METHODS, found.classes)
    yield none_over("members of a port", MOST_PORT_MEMBERS, found.ports)


def ratio_rows(found: Survey) -> Iterator[Row]:
    broad = 1000 * len(found.broad_excepts) / max(1, sum(f.size for f in found.files))
    places = tuple(name(e) for e in found.broad_excepts)
    limit = f"at most {BROAD_EXCEPTS_PER_1000}"
    yield Row("broad excepts per 1000 lines", f"{broad:.2f}", limit, broad <= BROAD_EXCEPTS_PER_1000, places)
    comments = 100 * found.comments / max(1, found.code_lines)
    yield Row(
        "comments per 100 code lines",
        f"{comments:.1f}",
        f"under {COMMENTS_PER_100}",
        comments < COMMENTS_PER_100,
        advisory=True,
    )


def none_over(what: str, limit: int, things: list[Sized]) -> Row:
    over = tuple(name(t) for t in things if t.size > limit)
    most = max((t.size for t in things), default=0)
    return Row(what, str(most), f"at most {limit}", not over, over)


def name(thing: Sized) -> str:
    return f"{thing.where} {thing.name} has {thing.size}" if thing.name != "except" else thing.where


def table(rows: list[Row]) -> Iterator[str]:
    for row in rows:
        verdict = "ok" if row.ok else "advice" if row.advisory else "TOO MUCH"
        yield f"{row.what:<36}{row.found:>7}   {row.limit:<14}{verdict}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
