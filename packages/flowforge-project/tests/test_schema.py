"""The format of every YAML file: each unknown key and wrong type is refused with file, line and one fix."""

from __future__ import annotations

import re

import pytest
from pydantic import BaseModel

from flowforge_domain.checks import RULES
from flowforge_domain.errors import ConfigError
from flowforge_project.schema import FORMATS, ModelEntry, Strict, check_file, check_settings
from flowforge_project.yaml_files import YamlFile, read_yaml


def check(text, kind="project"):
    return check_file(FORMATS[kind], read_yaml(text, f"{kind}.yml"))


def refusal(text, kind="project"):
    with pytest.raises(ConfigError) as caught:
        check(text, kind)
    return caught.value


# Where each entry of the format can stand: the text above it, and its indentation.
PLACES = {
    "ProjectEntry": ("project", "", ""),
    "ModelsEntry": ("models", "", ""),
    "ModelEntry": ("project", "models:\n  a:\n", "    "),
    "SnapshotColumns": ("project", "models:\n  a:\n    snapshot_meta_column_names:\n", "      "),
    "ColumnEntry": ("project", "models:\n  a:\n    columns:\n      id:\n", "        "),
    "SeedEntry": ("project", "seeds:\n  a:\n", "    "),
    "CheckEntry": ("project", "tests:\n  - type: unique\n    table: a\n    column: b\n", "    "),
    "SelectorEntry": ("project", "selectors:\n  a:\n", "    "),
    "RetriesEntry": ("project", "retries:\n", "  "),
    "SourceEntry": ("sources", "crm:\n  users:\n", "    "),
}


KEYS = [(e.__name__, field.alias or name) for e in Strict.__subclasses__() for name, field in e.model_fields.items()]


def test_every_entry_has_its_place_in_this_test():
    assert {entry.__name__ for entry in Strict.__subclasses__()} == set(PLACES)


@pytest.mark.parametrize(("entry", "key"), KEYS)
def test_a_misspelt_key_leads_to_the_nearest(entry, key):
    kind, above, indent = PLACES[entry]
    misspelt = f"{key}x"
    error = refusal(f"{above}{indent}{misspelt}: 1\n", kind)
    assert error.message == f"Unknown key {misspelt!r}."
    assert error.hint == f"Did you mean {key!r}?"
    line = above.count("\n") + 1
    assert str(error.where) == f"{kind}.yml:{line}"
    assert error.snippet == f"{line:>5} | {indent}{misspelt}: 1\n{' ' * (8 + len(indent))}^"


@pytest.mark.parametrize(("entry", "key"), KEYS)
def test_a_value_of_another_kind_is_refused_on_its_line(entry, key):
    kind, above, indent = PLACES[entry]
    wrong = "five" if key in ("threshold", "min", "max", "max_delay_minutes", "attempts", "delay") else "5"
    above = re.sub(rf"^(    |  - ){key}: .*\n", "  - tags: []\n" if key == "type" else "", above, flags=re.MULTILINE)
    error = refusal(f"{above}{indent}{key}: {wrong}\n", kind)
    assert "must be" in error.message
    assert f"{key}`" in error.message
    assert str(error.where) == f"{kind}.yml:{above.count(chr(10)) + 1}"


@pytest.mark.parametrize(("entry", "key"), KEYS)
def test_a_key_left_empty_is_as_good_as_none_but_that_of_a_merge(entry, key):
    kind, above, indent = PLACES[entry]
    if key == "unique_key":
        assert "names no column" in refusal(f"{above}{indent}{key}:\n", kind).message
    elif entry != "CheckEntry":
        emptied = check(f"{above}{indent}{key}:\n", kind)
        assert emptied == check(above, kind) or emptied == check(f"{above.rstrip()} {{}}\n", kind)


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("text", ["- a\n", "hello\n", "5\n", "true\n", "[[]]\n"])
def test_a_file_that_is_no_mapping_is_refused(kind, text):
    error = refusal(text, kind)
    assert error.message == "The file must be a mapping."
    assert str(error.where) == f"{kind}.yml:1"


@pytest.mark.parametrize("kind", FORMATS)
def test_an_empty_file_says_nothing(kind):
    assert check("", kind) == {}


def test_a_selector_may_be_one_text_or_a_list_of_them():
    selectors = check("selectors: {a: tag:x, b: [x, y+], c: {select: x, exclude: [y], description: d}}")["selectors"]
    assert selectors == {
        "a": {"select": ["tag:x"]},
        "b": {"select": ["x", "y+"]},
        "c": {"select": ["x"], "exclude": ["y"], "description": "d"},
    }


@pytest.mark.parametrize("name", ["a b", "a,b", "+a", "a:b", "1", ""])
def test_the_name_of_a_selector_is_a_plain_word(name):
    error = refusal(f"selectors:\n  {name!r}: x\n")
    assert error.message == f"{name!r} is no name of a selector."
    assert str(error.where) == "project.yml:2"


def test_meta_and_vars_are_free():
    text = "vars: {a: {b: [1, x, null, true, 1.5]}}\nmodels:\n  m: {meta: {any: {thing: 1}}}\n"
    assert check(text)["vars"] == {"a": {"b": [1, "x", None, True, 1.5]}}
    assert check(text)["models"]["m"]["meta"] == {"any": {"thing": 1}}


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_takes_its_parameters_and_no_others(rule):
    values = {"threshold": 1.5, "min": 1, "max": 5, "max_delay_minutes": 60}
    head = f"tests:\n  - type: {rule}\n    table: t\n" + ("    column: c\n" if RULES[rule].needs_column else "")
    own = {key: values[key] for key in RULES[rule].parameters}
    given = "".join(f"    {key}: {value}\n" for key, value in own.items())
    assert check(head + given)["tests"][0].items() >= own.items()
    for key in values.keys() - own.keys():
        error = refusal(f"{head}{given}    {key}: {values[key]}\n")
        assert f"takes no {key!r}" in error.message
        assert str(error.where) == f"project.yml:{(head + given).count(chr(10)) + 1}"
    for key in RULES[rule].required:
        assert f"needs {key!r}" in refusal(head).message


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_says_whether_it_needs_a_column(rule):
    column = "" if RULES[rule].needs_column else ", column: c"
    error = refusal(f"tests: [{{type: {rule}, table: t{column}}}]")
    assert error.message == f"The test {rule!r} {'takes no' if column else 'needs'} `column`."


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ("type: row_count_between, table: t, min: 5, max: 1", "`min` 5 is more than `max` 1."),
        ("type: row_count_between, table: t, min: 1.5", "`tests[0].min` must be a whole number."),
        ("type: row_count_between, table: t, min: true", "`tests[0].min` must be a whole number."),
        ("type: unique, table: t, column: c, severity: warning", "`tests[0].severity` must be 'error' or 'warn'."),
        ("type: greater_equal, table: t, column: c, threshold: true", "`tests[0].threshold` must be a number."),
        ("type: greater_equal, table: t, column: c, threshold: .inf", "`tests[0].threshold` must be a number."),
        (
            "type: freshness, table: t, column: c, max_delay_minutes: 0",
            "`tests[0].max_delay_minutes` must be more than 0.",
        ),
        ("table: t, column: c", "`type` is missing."),
        ("type: unique, column: c", "`table` is missing."),
    ],
)
def test_parameters_are_checked(parameters, message):
    assert refusal(f"tests: [{{{parameters}}}]").message == message


def test_numbers_keep_their_kind():
    tests = check("tests: [{type: greater_equal, table: t, column: c, threshold: 5}]")["tests"]
    assert repr(tests[0]["threshold"]) == "5"


@pytest.mark.parametrize("value", [b"x", ..., 1j, {1: 2}, {"a": b"x"}, object()])
def test_settings_hold_only_what_json_can(value):
    with pytest.raises(ConfigError):
        check_settings(YamlFile("a.ff.py", {"meta": {"x": value}}, {("meta",): 4}, ""))


def test_settings_of_python_become_lists():
    given = {"tags": ("a",), "meta": {"x": {2, 1}, "y": [(1,)]}}
    assert check_settings(YamlFile("a.ff.py", given, {})) == {"tags": ["a"], "meta": {"x": [1, 2], "y": [[1]]}}


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb"])
def test_broken_characters_are_refused(text):
    for settings in ({"description": text}, {"tags": [text]}, {"meta": {"x": text}}, {"meta": {text: 1}}):
        with pytest.raises(ConfigError) as caught:
            check_settings(YamlFile("a.ff.py", settings, {}))
        str(caught.value).encode()


def test_entries_have_no_types_that_a_message_would_betray():
    for entry in (*Strict.__subclasses__(), FORMATS["sources"]):
        assert issubclass(entry, BaseModel)
        assert entry.__name__ not in str(refusal("models: {a: [1]}"))
    assert ModelEntry().materialized == "table"
