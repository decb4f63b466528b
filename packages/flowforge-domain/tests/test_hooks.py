"""What a hook's first words say of it, and what data versions tell of hooks."""

from __future__ import annotations

import pytest

from flowforge_domain.dialect import Dialect
from flowforge_domain.fingerprint import Inputs, differences, hooks_of_version, version_below_hooks, version_by
from flowforge_domain.fingerprint import version_for_hooks as seen
from flowforge_domain.hooks import defines, leaves_data, may_change_rows

PLAIN = Dialect("plain", {}, "")


@pytest.mark.parametrize(
    ("sql", "leaves", "about_tables", "may_change"),
    [
        ("-- now\n GRANT select on t to u", True, False, False),
        ("create unique index i on t (a)", True, True, False),
        ("create or replace persistent secret s (type s3)", True, True, False),
        ("attach 'x.db' as x", True, False, False),
        ("load spatial", True, False, False),
        ("load data inpath 'x' into table t", False, False, True),
        ("create table t (a int)", False, True, True),
        ("alter table t add a int", False, True, False),
        ("analyzed as (select 1)", False, False, True),
        ("delete from t", False, False, True),
    ],
)
def test_first_words_say_what_a_hook_is(sql, leaves, about_tables, may_change):
    assert (leaves_data(sql, PLAIN), defines(sql, PLAIN), may_change_rows(sql, PLAIN)) == (
        leaves,
        about_tables,
        may_change,
    )


def test_a_data_version_tells_of_the_hooks_since():
    a, b = "post_hook of a (models/a.ff.sql:1)", "post_hook of b (models/b.ff.sql:1)"
    first = version_by(a, "v1")
    last = version_by(a, version_by(b, first))
    assert (hooks_of_version("v1"), hooks_of_version(last)) == ([], [b, a])
    assert len({"v1", first, last}) == 3
    assert version_below_hooks(last) == "v1"
    # To the hooks of a model only their own count, and what was loaded or built.
    assert seen(first, "a") == seen(last, "a") == seen(last, "b") == "v1"
    assert seen(first, "b") != "v1"
    assert seen("v1", "a") != "v1"
    before, now = (Inputs("", upstream={"t": version}) for version in ("v1", last))
    assert list(differences(before, now)) == [f"t has new data: {a} may have written to it"]
