"""The generated projects are what the figures say they are."""

from __future__ import annotations

from bench.projects import DATABASE, LAYERS, forget, write_light

from flowforge_domain.manifest import run_order
from flowforge_project.folder import open_folder


def test_a_light_project_is_read_in_the_order_that_the_generator_gives(tmp_path):
    names = write_light(tmp_path / "light", 57)
    manifest = open_folder(tmp_path / "light").reader.manifest()
    assert run_order(manifest) == names
    assert len(names) == len(set(names)) == 57
    parents = {name: len(manifest.nodes[name].deps) for name in names}
    assert {parents[name] for name in names if name.startswith("m0")} == {0}
    assert {parents[name] for name in names if not name.startswith("m0")} == {1, 2, 3}
    assert len({name.split("_")[0] for name in names}) == LAYERS


def test_equal_counts_give_equal_projects(tmp_path):
    written = []
    for name in ("a", "b"):
        write_light(tmp_path / name, 20)
        files = sorted((tmp_path / name).rglob("*.sql"))
        written.append([(file.name, file.read_text()) for file in files])
    assert written[0] == written[1]


def test_forgetting_takes_the_cache_or_the_database(tmp_path):
    write_light(tmp_path / "light", 5)
    cache, database = tmp_path / "light" / ".flowforge", tmp_path / "light" / DATABASE
    cache.mkdir()
    database.touch()
    forget(tmp_path / "light", cache=True, database=False)()
    assert (cache.exists(), database.exists()) == (False, True)
    forget(tmp_path / "light", cache=False, database=True)()
    assert not database.exists()
