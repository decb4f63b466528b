from __future__ import annotations

from datetime import timedelta

import pytest

from flowforge_bootstrap.engines import now, open_by_name
from flowforge_domain.errors import PluginError, ProfileError


def test_open_by_name(tmp_path):
    engine = open_by_name("sqlite", {"path": "x.db"}, tmp_path)
    assert engine.session.query("select 1").rows == [(1,)]
    engine.session.close()
    assert (tmp_path / "x.db").is_file()


def test_wrong_settings_and_unknown_engines(tmp_path):
    with pytest.raises(ProfileError, match=r"Unknown key 'sqlite\.pth'"):
        open_by_name("sqlite", {"pth": "x.db"}, tmp_path)
    with pytest.raises(PluginError):
        open_by_name("oracle", {}, tmp_path)


def test_now_is_utc():
    assert now().utcoffset() == timedelta(0)
