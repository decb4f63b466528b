"""The size check finds what it is meant to find: each limit is broken once in a planted tree."""

from __future__ import annotations

import check_sizes
import pytest


@pytest.fixture
def tree(tmp_path):
    def plant(source, path="packages/a/src/a/mod.py"):
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(source, encoding="utf-8")
        return tmp_path

    return plant


def function(name, lines):
    return f"def {name}():\n" + "    x = 1\n" * (lines - 1) + "\n"


def broken(root):
    rows = check_sizes.judge(check_sizes.survey(root))
    return {row.what: row.offenders for row in rows if not row.ok and not row.advisory}


def test_small_code_passes(tree):
    assert broken(tree(function("f", 8))) == {}


def test_function_over_fifty_lines_is_named(tree):
    root = tree("".join(function(f"f{n}", 3) for n in range(9)) + function("long", 51))
    assert broken(root) == {"function lines, longest": ("packages/a/src/a/mod.py:37 long has 51",)}


def test_function_of_fifty_lines_passes(tree):
    assert broken(tree("".join(function(f"f{n}", 3) for n in range(9)) + function("long", 50))) == {}


def test_docstring_counts(tree):
    source = 'def f():\n    """Say.\n' + "    more\n" * 48 + '    """\n'
    assert "function lines, longest" in broken(tree(source))


def test_median_function(tree):
    root = tree(function("a", 9) + function("b", 9) + function("c", 2))
    assert set(broken(root)) == {"function lines, median"}


def test_share_of_short_functions(tree):
    root = tree("".join(function(f"s{n}", 2) for n in range(6)) + "".join(function(f"l{n}", 11) for n in range(4)))
    assert set(broken(root)) == {"functions within 10 lines"}


def test_file_over_four_hundred_lines(tree):
    tree("x = 1\n", "packages/a/src/a/small.py")
    tree("x = 1\n", "packages/a/src/a/tiny.py")
    assert broken(tree("x = 1\n" * 401)) == {
        "file lines, longest": ("packages/a/src/a/mod.py:1 packages/a/src/a/mod.py has 401",)
    }


def test_median_file(tree):
    assert set(broken(tree("x = 1\n" * 121))) == {"file lines, median"}


def test_class_of_thirteen_methods(tree):
    source = "class C:\n" + "".join(f"    def m{n}(self): ...\n" for n in range(13))
    assert broken(tree(source)) == {"methods of a class": ("packages/a/src/a/mod.py:1 C has 13",)}


@pytest.mark.parametrize("base", ["Protocol", "Protocol[T]", "typing.Protocol"])
def test_ninth_member_of_a_port(tree, base):
    source = f"class P({base}):\n    name: str\n" + "".join(f"    def m{n}(self): ...\n" for n in range(8))
    assert broken(tree(source)) == {"members of a port": ("packages/a/src/a/mod.py:1 P has 9",)}


@pytest.mark.parametrize(
    "source",
    [
        "try:\n    f()\nexcept Exception:\n    pass\n",
        "try:\n    f()\nexcept (ValueError, BaseException):\n    pass\n",
        "try:\n    f()\nexcept:\n    pass\n",
        "with contextlib.suppress(Exception):\n\n\n    f()\n",
    ],
)
def test_broad_except(tree, source):
    (place,) = broken(tree(source))["broad excepts per 1000 lines"]
    assert place.startswith("packages/a/src/a/mod.py:")


def test_narrow_except_passes(tree):
    assert broken(tree("try:\n    f()\nexcept (ValueError, errors.Broken):\n    pass\n")) == {}


def test_five_files_to_the_idea(tree):
    for path in check_sizes.IDEA:
        root = tree("x = 1\n" * 100, path)
    assert broken(root) == {}
    tree("x = 1\n" * 400, check_sizes.IDEA[0])
    assert "the five files to the idea, lines" in broken(root)


def test_comments_are_advice(tree, capsys):
    root = tree("# why\nx = 1\n")
    assert check_sizes.main([str(root)]) == 0
    assert "advice" in capsys.readouterr().out


def test_offender_is_printed_and_the_exit_code_is_one(tree, capsys):
    root = tree(function("long", 51))
    assert check_sizes.main([str(root)]) == 1
    assert "packages/a/src/a/mod.py:1 long has 51" in capsys.readouterr().out


def test_empty_tree_is_an_error_not_a_pass(tmp_path):
    assert check_sizes.main([str(tmp_path)]) == 1
