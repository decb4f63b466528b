from __future__ import annotations

import pytest

from flowforge_domain.dialect import Dialect
from flowforge_domain.errors import EngineError, ErrorKind
from flowforge_domain.late_views import Renewals, follow, possible_readers

DIALECT = Dialect("ticks", {}, "", quote="`")


def test_readers_are_found_through_others():
    definitions = {
        "main.c": "create view c as select * from b",
        "main.b": "create view b as select * from T",
        "main.z": "create view z as select * from tt, t_1",
        "more.d": "create view d as select x from main.c",
    }
    assert possible_readers("t", definitions) == ["main.b", "main.c", "more.d"]
    assert possible_readers("main.d", definitions) == ["more.d"]


@pytest.mark.parametrize(
    ("relation", "text"),
    [
        ('"my ""t"""', 'select * from "my ""t"""'),
        ('"it\'s"', "select * from query('from \"it''s\"')"),
        ("main.t", 'select * from db."Main"."T"'),
        ('"-t-"', 'select * from x join "-t-"'),
    ],
)
def test_a_name_is_found_however_it_is_written(relation, text):
    assert possible_readers(relation, {"v": text}) == ["v"]


class Views:
    """Views that are broken until they are made from a text that fits, and those they need first stand."""

    def __init__(self, needs, fits=()):
        self.needs, self.fits, self.made = needs, fits, []

    def broken(self):
        return {view: "no column" for view in self.needs if view not in self.made}

    def make(self, view, statement):
        if view not in self.fits or not {*self.needs[view]} <= {*self.made}:
            return f"{statement} does not fit"
        self.made.append(view)
        return ""


def test_views_are_made_in_the_order_in_which_they_can_be():
    views = Views({"a": ["b"], "b": ["c"], "c": []}, fits="abc")
    follow("t", views.broken, views.make, Renewals(lambda view: f"create {view}"), DIALECT)
    assert views.made == ["c", "b", "a"]


def test_all_that_are_lost_are_listed_with_what_drops_them():
    views = Views({"a": [], "b": [], "c": []})
    with pytest.raises(EngineError) as caught:
        follow("t", views.broken, views.make, Renewals(later=lambda view: view == "b"), DIALECT)
    assert caught.value.kind is ErrorKind.DEPENDENTS
    assert str(caught.value).splitlines() == [
        "t cannot be changed so: view a could not be read any more: no column",
        "Nor could view c.",
        "Keep what it needs, or drop it: drop view `c`; drop view `a`",
    ]


def test_a_view_that_no_text_mends_is_told_by_its_text_or_by_who_has_it():
    def text(view):
        if view == "b":
            raise EngineError("It is of another.", hint="Build it.")
        return f"create {view}"

    views = Views({"a": [], "b": []})
    with pytest.raises(EngineError, match="view a, as its model is now, could not be read any more: create a does not"):
        follow("t", views.broken, views.make, Renewals(text), DIALECT)
    views = Views({"b": []})
    with pytest.raises(EngineError, match=r"no column\nIt is of another.\nBuild it."):
        follow("t", views.broken, views.make, Renewals(text), DIALECT)


def test_what_is_made_later_is_left():
    views = Views({"a": []})
    follow("t", views.broken, views.make, Renewals(lambda _: "create a", lambda _: True), DIALECT)
    assert views.made == []
