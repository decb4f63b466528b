"""Columns and order of a layered graph."""

from __future__ import annotations

from itertools import pairwise

from flowforge_docs_html.layers import crossings, layered, ranks


def test_a_vertex_stands_behind_everything_it_reads() -> None:
    assert ranks(range(4), [(0, 1), (1, 2), (0, 2), (2, 3)]) == {0: 0, 1: 1, 2: 2, 3: 3}


def test_what_reads_nothing_stands_close_to_its_first_reader() -> None:
    assert ranks(range(4), [(0, 1), (1, 2), (3, 2)])[3] == 1


def test_a_cycle_gets_columns_all_the_same() -> None:
    assert ranks(range(3), [(0, 1), (1, 2), (2, 0)]) == {0: 0, 1: 1, 2: 2}


def test_a_vertex_that_reads_itself_gets_a_column() -> None:
    assert ranks([0, 1], [(0, 0), (0, 1)]) == {0: 0, 1: 1}


def test_crossings_are_counted_in_pairs() -> None:
    assert crossings([[0, 1], [2, 3]], {0: [2], 1: [3]}) == 0
    assert crossings([[0, 1], [2, 3]], {0: [3], 1: [2]}) == 1
    assert crossings([[0, 1], [2, 3]], {0: [2, 3], 1: [2, 3]}) == 1


def test_a_tangle_that_can_be_undone_is_undone() -> None:
    edges = [(i, 19 - i) for i in range(10)]
    joined = [*edges, *((i, 20 + i) for i in range(10)), *((20 + i, 30) for i in range(10))]
    found = layered(range(31), joined, 31, 1000)
    after: dict[int, list[int]] = {}
    for chain in found.chains:
        for tail, head in pairwise(chain):
            after.setdefault(tail, []).append(head)
    assert crossings(found.columns, after) == 0


def test_a_long_edge_bends_in_every_column_it_crosses() -> None:
    found = layered(range(4), [(0, 1), (1, 2), (2, 3), (0, 3)], 4, 10)
    assert found.chains[3] == [0, 4, 5, 3]
    assert [4 in column or 5 in column for column in found.columns] == [False, True, True, False]


def test_bends_that_cost_too_much_are_left_out() -> None:
    edges = [*((i, i + 1) for i in range(50)), (0, 50), (10, 13)]
    found = layered(range(51), edges, 51, 10)
    assert found.chains[50] == [0, 50]
    assert len(found.chains[51]) == 4
