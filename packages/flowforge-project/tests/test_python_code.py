"""What of a Python model's file makes the rows that it keeps."""

from __future__ import annotations

import pytest

from flowforge_domain.config import ModelConfig
from flowforge_domain.model import Node
from flowforge_project.python_code import python_code

KEPT = ModelConfig(materialized="incremental")
MODEL = 'from flowforge import model\n\n@model("p", ["s"])\ndef p(s):\n    return s\n'
MADE = "def _(s):\n    return s"


def making(root, text, line=3, name="p.ff.py", config=KEPT):
    (root / name).write_text(text, encoding="utf-8")
    return python_code(Node("p", "python", root / name, file=name, lines={"": line}, config=config), root).making


@pytest.mark.parametrize(
    "text",
    [
        MODEL,
        MODEL.replace('"p", ["s"]', 'name="p", deps=["s"], tags=["x"]'),
        MODEL.replace("import model", "import model as m").replace("@model", "@m"),
        MODEL.replace("def p(s):", "def other(s: dict) -> list:"),
        MODEL.replace("import model\n", "import model, source; import json\n"),
        MODEL + '\n@model("q", ["s"])\ndef q(s):\n    return 1\n',
    ],
)
def test_what_is_said_and_what_stands_besides_does_not(tmp_path, text):
    assert making(tmp_path, text) == MADE


def test_nor_does_the_place_of_the_file(tmp_path):
    assert making(tmp_path, MODEL, name="moved.ff.py") == MADE


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (
            MODEL.replace("\n    return", "\n    s = json.loads(s)\n    return").replace(
                "model\n", "model; import json\n"
            ),
            "import json",
        ),
        (MODEL.replace("@model", "@timed\n@model"), "@timed\ndef p(s):"),
        (MODEL.replace("model\n\n", "model; from math import *\n\n"), "from math import *"),
        (MODEL.replace("return s", "return q(s)") + '\n@model("q", ["s"])\ndef q(s):\n    return 1\n', "def q(s):"),
    ],
)
def test_what_the_function_uses_does(tmp_path, text, kept):
    assert kept in making(tmp_path, text, line=text.split("@model")[0].count("\n") + 1)


def test_two_models_of_one_file_that_change_places_are_others(tmp_path):
    first = MODEL + '\n@model("q", ["s"])\ndef q(s):\n    return 1\n'
    assert making(tmp_path, first) != making(tmp_path, first, line=7)


def test_of_a_model_without_rows_of_old_nothing_is_asked(tmp_path):
    assert making(tmp_path, MODEL, config=ModelConfig()) == ""
