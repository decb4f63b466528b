"""`--vars`: a mapping or one clear error, which shows nothing of what was given."""

from __future__ import annotations

import pytest

from flowforge_domain.errors import ConfigError
from flowforge_project.variables import read_variables


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("{start: 2026-01-01, n: 3}", {"start": "2026-01-01", "n": 3}),
        ("start: 2026-01-01", {"start": "2026-01-01"}),
        ('{"a": [1, true, null], "b": {"c": 1.5}}', {"a": [1, True, None], "b": {"c": 1.5}}),
        ("{nothing: }", {"nothing": None}),
        ("{}", {}),
    ],
)
def test_yaml_and_json(text, given):
    assert read_variables(text) == given


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "--vars takes a mapping."),
        (" ", "--vars takes a mapping."),
        ("s3cret", "--vars takes a mapping."),
        ("[s3cret]", "--vars takes a mapping."),
        ("{a: s3cret", "The YAML cannot be read"),
        ("{a: s3cret, a: 1}", "The key 'a' stands twice."),
        ("{a: !x s3cret}", "Tags are not supported."),
        ("{start:s3cret}", "--vars gives 'start' no value: a space belongs behind its colon."),
    ],
)
def test_a_text_that_is_none(text, message):
    with pytest.raises(ConfigError) as caught:
        read_variables(text)
    assert message in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert caught.value.hint
