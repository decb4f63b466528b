"""Profiles: `env_var()` and nothing else, faults only where they matter, and no secret in any message."""

from __future__ import annotations

import pytest

from flowforge_domain.errors import ConfigError, FlowForgeError, ProfileError
from flowforge_domain.secret import Secret
from flowforge_project.reader import FolderReader


def profiles(project, text, **environment):
    return FolderReader(project.write({"profiles.yml": text}).root).profiles(environment)


def test_no_file_no_profiles(project):
    assert FolderReader(project.root).profiles({}) == {}


def test_settings_are_given_as_read_with_their_lines(project):
    text = "default:\n  engine: duckdb\n  duckdb:\n    path: x.db\n    threads: 4\nother: {engine: sqlite}\n"
    found = profiles(project, text)
    assert found["default"].settings == {"engine": "duckdb", "duckdb": {"path": "x.db", "threads": 4}}
    assert found["default"].lines[("duckdb", "threads")] == 5
    assert str(found["other"].where) == "profiles.yml:6"
    assert found["default"].fault == ""


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{{ env_var('A') }}", "one"),
        ('{{env_var( "A" )}}', "one"),
        ("x{{ env_var('A') }}y{{ env_var('A') }}", "xoneyone"),
        ("{{ env_var('B', 'two') }}", "two"),
        ("{{ env_var('A', 'two') }}", "one"),
        ("{{ env_var('B', '') }}", ""),
        ("{{ env_var('EMPTY') }}", ""),
        ("{{ env_var('BRACES') }}", "{{ env_var('A') }}"),
        ("{ no template }", "{ no template }"),
    ],
)
def test_env_var_is_filled_in_once(project, text, value):
    quoted = '"' + text.replace('"', '\\"') + '"'
    found = profiles(project, f"default:\n  a: [{quoted}]\n", A="one", EMPTY="", BRACES="{{ env_var('A') }}")
    assert found["default"].settings == {"a": [Secret(value) if "{{" in text else value]}


def test_what_comes_from_the_environment_shows_in_no_output(project):
    found = profiles(project, "default:\n  password: \"{{ env_var('PASSWORD') }}\"\n", PASSWORD="hunter2")
    assert "hunter2" not in f"{found} {found!r} {found['default'].settings}"


def test_a_missing_variable_is_a_fault_of_its_profile_alone(project):
    text = "good: {engine: x}\nbad:\n  engine: x\n  x:\n    password: \"{{ env_var('PASWORD') }}\"\n"
    found = profiles(project, text, PASSWORD="hunter2")
    assert found["good"].fault == ""
    assert found["bad"].fault == "The environment variable 'PASWORD' is not set. Did you mean 'PASSWORD'?"
    assert found["bad"].fix == "Set it in your shell or .env."
    assert str(found["bad"].where) == "profiles.yml:5"


@pytest.mark.parametrize(
    "call",
    ["var('x')", "env_var(X)", "env_var()", "env_var('A', 5)", "env_var('A') | upper", "''.__class__", "", "1 + 1"],
)
def test_nothing_else_is_rendered(project, call):
    found = profiles(project, f'default:\n  a: "{{{{ {call} }}}}"\n', A="hunter2")
    assert found["default"].fault == "only env_var('NAME') or env_var('NAME', 'default') can stand in {{ … }}."
    assert found["default"].settings == {}
    assert found["default"].fix == "Write env_var with its name in quotes, or a plain value."


@pytest.mark.parametrize("word", ["env_vr", "envvar", "env_vars", "ENV_VAR", "env-var"])
def test_a_misspelt_call_is_told(project, word):
    found = profiles(project, f"default:\n  a: \"{{{{ {word}('A') }}}}\"\n", A="hunter2")
    assert found["default"].fix == "Did you mean env_var?"


@pytest.mark.parametrize("text", ["- a\n", "hello\n", "5\n"])
def test_a_file_that_is_no_mapping_is_refused(project, text):
    with pytest.raises(ProfileError, match="maps names to settings"):
        profiles(project, text)


@pytest.mark.parametrize("text", ["default: duckdb\n", "default: [a]\n", "default:\n"])
def test_a_profile_that_is_no_mapping_is_refused(project, text):
    with pytest.raises(ProfileError, match="'default' is no mapping"):
        profiles(project, text)


@pytest.mark.parametrize(
    "text",
    [
        "default:\n  password: 'hunter2\n",
        "default:\n  password: !hunter2\n",
        "default:\n  password: *hunter2\n",
        "default:\n  password: hunter2: x\n",
        "default:\n  password: @hunter2\n",
        "default:\n  password: {{ hunter2 }}\n",
        "default:\n  password: hunter2\n  password: hunter2\n",
        "default:\n  password: |hunter2\n",
        "default:\n\tpassword: hunter2\n",
        "default: hunter2\n",
        "default:\n  password: \"hunter2 {{ env_var('X') }}\"\n",
        "default:\n  password: hunter2\x07\n",
        "hunter2\n",
    ],
)
def test_no_message_shows_a_secret(project, text):
    try:
        found = profiles(project, text)
    except FlowForgeError as error:
        assert (
            "hunter2" not in f"{error}{error.__cause__!r}{error.__context__ if not error.__suppress_context__ else ''}"
        )
    else:
        assert "hunter2" not in found["default"].fault


def test_a_profiles_file_with_a_foreign_encoding_names_its_line(project):
    with pytest.raises(ConfigError, match="not UTF-8") as caught:
        profiles(project, b"default:\n  a: \xe4\n")
    assert str(caught.value.where) == "profiles.yml:2"


@pytest.mark.timeout(60)
@pytest.mark.parametrize("value", ["{{" * 10_000, "{{" + " " * 10_000, "{{ env_var('A'" + " " * 10_000, "{{ " * 10_000])
def test_braces_that_are_never_closed_are_text_however_many(project, value):
    found = profiles(project, f'default: {{engine: x, password: "{value}"}}\n', A="one")
    assert found["default"].settings["password"].reveal() == value
