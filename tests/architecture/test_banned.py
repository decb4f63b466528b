"""What this code base does without: unpickling, eval, shells, patching, and state at module level."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted(ROOT.glob("packages/*/src/**/*.py"))
EVERYTHING = [
    *SOURCES,
    *sorted(
        path
        for top in ("packages/*/tests", "tests", "tools")
        for path in ROOT.glob(f"{top}/**/*.py")
        if ".venv" not in path.parts
    ),
]

SERIALIZERS = {"pickle", "cPickle", "_pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}
CALLS = {"yaml.load", "yaml.load_all", "yaml.full_load", "yaml.unsafe_load", "os.system", "os.popen"}
EXECUTORS = {"eval", "exec"}
MUTABLE_CALLS = {
    "dict",
    "list",
    "set",
    "bytearray",
    "defaultdict",
    "deque",
    "OrderedDict",
    "Counter",
    "WeakValueDictionary",
}
MUTATORS = {"append", "add", "update", "extend", "insert", "setdefault", "pop", "popitem", "clear", "remove", "discard"}
MUTABLE_NODES = (ast.Dict, ast.List, ast.Set, ast.DictComp, ast.ListComp, ast.SetComp)

# A Python model is the user's own code: running it is what the loader is for.
MODEL_LOADER = "packages/flowforge-project/src/flowforge_project/"
# The one mutable shell, so that a script may look nodes up by name.
REGISTRY_HOME = "packages/flowforge/src/flowforge/core.py"


def test_nothing_dangerous_is_called_or_imported():
    assert offenders(EVERYTHING, dangers) == []


def test_eval_and_exec_run_in_the_model_loader_alone():
    found = offenders(SOURCES, executions)
    assert [place for place in found if not place.startswith(MODEL_LOADER)] == []
    assert len({place.partition(":")[0] for place in found}) <= 1


def test_nothing_is_patched():
    assert offenders(EVERYTHING, patches) == []


def test_no_state_at_module_level_but_the_registry():
    assert [place for place in offenders(SOURCES, state) if not place.startswith(REGISTRY_HOME)] == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from cloudpickle import dumps",
        "yaml.load(text, Loader=yaml.SafeLoader)",
        "os.system('ls')",
        "subprocess.run('ls', shell=True)",
    ],
)
def test_planted_danger_is_found(source):
    assert list(dangers(ast.parse(source))) == [1]


@pytest.mark.parametrize(
    "source", ["json.load(f)", "run(['ls'], shell=False)", "yaml.safe_load(text)", "loader.load(x)"]
)
def test_harmless_calls_pass(source):
    assert list(dangers(ast.parse(source))) == []


@pytest.mark.parametrize("source", ["eval('1')", "exec(code, scope)", "builtins.exec(code)"])
def test_planted_execution_is_found(source):
    assert list(executions(ast.parse(source))) == [1]


def test_methods_named_like_an_execution_pass():
    assert list(executions(ast.parse("session.exec(sql)\nre.compile(x)\nself._exec(sql)"))) == []


@pytest.mark.parametrize(
    "source",
    ["from unittest.mock import patch", "from unittest import mock", "import unittest.mock", "mocker.patch('a.b')"],
)
def test_planted_patch_is_found(source):
    assert list(patches(ast.parse(source))) == [1]


@pytest.mark.parametrize(
    "source",
    [
        "cache = {}",
        "_seen: list[str] = []",
        "names = [n for n in x]",
        "registry = defaultdict(list)",
        "other = collections.deque()",
        "LIMITS = {}\ndef f():\n    LIMITS['a'] = 1",
        "LIMITS = {}\ndef f():\n    del LIMITS['a']",
        "SEEN = set()\ndef f():\n    SEEN.add(1)",
        "count = 0\ndef f():\n    global count\n    count += 1",
        "@cache\ndef f(path): ...",
        "@functools.lru_cache(maxsize=None)\ndef f(path): ...",
        "if True:\n    cache = {}",
    ],
)
def test_planted_state_is_found(source):
    assert list(state(ast.parse(source)))


@pytest.mark.parametrize(
    "source",
    [
        "LIMITS = {'a': 1}\ndef f(): return LIMITS['a']",
        "_KINDS: dict[str, int] = {}",
        "__all__ = ['a']",
        "names = ('a', 'b')",
        "def f():\n    seen = []\n    seen.append(1)",
        "class A:\n    fields = ['a']",
        "def f():\n    NAMES = []\n    NAMES.append(1)",
        "@cache\ndef pattern(): ...",
        "@cached_property\ndef f(self): ...",
    ],
)
def test_constants_and_locals_are_left_alone(source):
    assert list(state(ast.parse(source))) == []


def offenders(paths, rule) -> list[str]:
    return [
        f"{path.relative_to(ROOT).as_posix()}:{line}"
        for path in paths
        for line in rule(ast.parse(path.read_text(encoding="utf-8"), str(path)))
    ]


def dangers(tree: ast.Module) -> Iterator[int]:
    for node in ast.walk(tree):
        unpickles = SERIALIZERS.intersection(module.partition(".")[0] for module in modules(node))
        if unpickles or (isinstance(node, ast.Call) and (ast.unparse(node.func) in CALLS or in_a_shell(node))):
            yield node.lineno


def in_a_shell(call: ast.Call) -> bool:
    return any(
        k.arg == "shell" and not (isinstance(k.value, ast.Constant) and not k.value.value) for k in call.keywords
    )


def modules(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [f"{node.module}.{alias.name}" for alias in node.names]
    return []


def executions(tree: ast.Module) -> Iterator[int]:
    called = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    yield from (c.lineno for c in called if ast.unparse(c.func).removeprefix("builtins.") in EXECUTORS)


def patches(tree: ast.Module) -> Iterator[int]:
    for node in ast.walk(tree):
        imported = any(module.startswith("unittest.mock") for module in modules(node))
        if imported or (isinstance(node, ast.Attribute) and ast.unparse(node).startswith("mocker.patch")):
            yield node.lineno


def state(tree: ast.Module) -> Iterator[int]:
    """Find what can change while the program runs: a heuristic that knows literals, caches and `global`."""
    constants = set()
    for node in at_module_level(tree.body):
        for name in mutable_names(node):
            if re.fullmatch(r"_*[A-Z][A-Z0-9_]*|__\w+__", name):
                constants.add(name)
            else:
                yield node.lineno
    for node in ast.walk(tree):
        if isinstance(node, ast.Global) or is_cached(node) or changed(node) in constants:
            yield node.lineno


def at_module_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for node in body:
        yield node
        if isinstance(node, ast.If | ast.Try | ast.With):
            yield from at_module_level(node.body)


def mutable_names(node: ast.stmt) -> list[str]:
    if not isinstance(node, ast.Assign | ast.AnnAssign) or not is_mutable(node.value):
        return []
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def is_mutable(value: ast.expr | None) -> bool:
    if isinstance(value, ast.Call):
        return ast.unparse(value.func).rpartition(".")[2] in MUTABLE_CALLS
    return isinstance(value, MUTABLE_NODES)


def is_cached(node: ast.AST) -> bool:
    # Without arguments it is a constant that is computed late.
    if not isinstance(node, ast.FunctionDef) or not ast.unparse(node.args):
        return False
    return any(re.match(r"(functools\.)?(cache|lru_cache)\b", ast.unparse(d)) for d in node.decorator_list)


def changed(node: ast.AST) -> str | None:
    """Return the name whose content this node changes."""
    match node:
        case ast.Subscript(value=ast.Name(id=name), ctx=ast.Store() | ast.Del()):
            return name
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method)) if method in MUTATORS:
            return name
    return None
