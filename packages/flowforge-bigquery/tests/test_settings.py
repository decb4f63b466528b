"""Settings: which go together, what is never shown, and what makes of them the client's own."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from flowforge_bigquery.connection import labels_of
from flowforge_bigquery.settings import BigQuerySettings


def test_a_dataset_is_enough():
    assert BigQuerySettings(dataset="d").project is None


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"dataset": ""},
        {"dataset": "d", "token": "t", "keyfile": "k.json"},
        {"dataset": "d", "anonymous": True},
        {"dataset": "d", "maximum_bytes_billed": 0},
        {"dataset": "d", "nothing": 1},
    ],
)
def test_what_does_not_go_together_is_refused(given):
    with pytest.raises(ValidationError):
        BigQuerySettings(**given)


def test_the_token_is_never_shown():
    settings = BigQuerySettings(dataset="d", token="hunter22")
    assert "hunter22" not in repr(settings) + str(settings) + settings.model_dump_json()


@pytest.mark.parametrize("token", ["hunter22\n", "hunter22 x", "hunter22é", ""])
def test_a_token_that_no_header_holds_is_refused_without_it(token):
    with pytest.raises(ValidationError, match="no spaces, line ends") as refused:
        BigQuerySettings(dataset="d", token=token)
    assert "hunter22" not in str(refused.value)


@pytest.mark.parametrize("value", ["0", "1", "true", "false"])
def test_use_bigframes_is_read_from_the_environment(value):
    assert BigQuerySettings(dataset="d", use_bigframes=value).use_bigframes is (value in {"1", "true"})


def test_labels_are_tidied():
    given = {"Project": "It's; drop table", "model": "é" * 100, "1st": "x", "": "x", "run": "2024-01-01T00:00:00"}
    assert labels_of(given) == {
        "project": "it_s__drop_table",
        "model": "é" * 63,
        "run": "2024-01-01t00_00_00",
    }
