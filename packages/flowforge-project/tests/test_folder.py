"""What lies in a project's folder: links, odd names, unreadable things, encodings."""

from __future__ import annotations

import os
import shutil

import pytest

from flowforge_domain.errors import ConfigError
from flowforge_project.folder import ProjectFile, decode, files_below, open_folder
from flowforge_project.functions import ModuleFunctions
from flowforge_project.reader import FolderReader
from flowforge_project.templates import FileTemplates

SUFFIXES = (".ff.sql",)


def names(project):
    return [file.name for file in files_below(project.root, "models", SUFFIXES)]


def test_files_come_sorted_by_name_with_forward_slashes(project):
    project.write({f"models/{name}.ff.sql": "" for name in ("b", "a/z", "a/b/c", "B")})
    assert names(project) == [
        "models/B.ff.sql",
        "models/a/b/c.ff.sql",
        "models/a/z.ff.sql",
        "models/b.ff.sql",
    ]


def test_hidden_files_folders_and_bytecode_are_passed_over(project):
    hidden = ("models/.git/a", "models/.a", "models/__pycache__/a", "models/x/.b/a")
    project.write({f"{name}.ff.sql": "" for name in (*hidden, "models/shown")})
    assert names(project) == ["models/shown.ff.sql"]


def test_a_missing_folder_is_empty(project):
    assert names(project) == []


@pytest.mark.parametrize("name", ["with space", "ünïcode", "日本", "a'b", 'a"b', "a;b", "100%", "{{x}}", "a.b", "-x"])
def test_printable_names_are_names(project, name):
    manifest = project.write({f"models/{name}.ff.sql": "select 1"}).manifest()
    assert list(manifest.nodes) == [name]


@pytest.mark.parametrize("name", ["a\nb", "a\tb", "a\x1b[2Jb", "a\u202eb", "a\udcffb"])
def test_unprintable_names_are_refused_and_never_printed_raw(project, name):
    (project.root / "models").mkdir()
    (project.root / "models" / f"{name}.ff.sql").write_text("select 1")
    with pytest.raises(ConfigError, match="unprintable") as caught:
        names(project)
    assert str(caught.value).isascii()


def test_a_link_to_a_file_inside_is_followed(project):
    project.write({"shared/a.sql": "select 1"})
    (project.root / "models").mkdir()
    (project.root / "models" / "a.ff.sql").symlink_to("../shared/a.sql")
    assert names(project) == ["models/a.ff.sql"]


def outside(tmp_path, link):
    (tmp_path / "secret.sql").write_text("select 'secret'")
    link.symlink_to(tmp_path / "secret.sql")


@pytest.mark.parametrize(
    "link",
    [
        outside,
        lambda tmp_path, link: link.symlink_to("/etc/hostname"),
        lambda tmp_path, link: link.symlink_to("../../secret.sql"),
        lambda tmp_path, link: link.symlink_to(link),
        lambda tmp_path, link: link.symlink_to("nowhere"),
        lambda tmp_path, link: link.symlink_to(".", target_is_directory=True),
        lambda tmp_path, link: os.mkfifo(link),
    ],
    ids=["outside", "absolute", "parents", "itself", "dangling", "folder", "pipe"],
)
def test_what_is_no_file_of_the_project_is_refused(project, tmp_path, link):
    (project.root / "models").mkdir()
    link(tmp_path, project.root / "models" / "a.ff.sql")
    with pytest.raises(ConfigError) as caught:
        names(project)
    assert str(caught.value.where) == "models/a.ff.sql"


def test_a_link_to_a_folder_is_refused_and_other_links_are_none_of_our_business(project):
    project.write({"other/a.ff.sql": "select 1", "models/b.ff.sql": "select 1"})
    (project.root / "models" / "README.md").symlink_to("/etc/hostname")
    assert names(project) == ["models/b.ff.sql"]
    (project.root / "models" / "more").symlink_to("../other")
    with pytest.raises(ConfigError, match="symbolic link"):
        names(project)


def test_a_folder_that_cannot_be_read_is_named(project):
    # Deeper than any path may be long: unreadable for every user, root too.
    folder = os.open(project.root, os.O_RDONLY)
    for name in ("models", *["deep" * 60] * 18):
        os.mkdir(name, dir_fd=folder)
        inner = os.open(name, os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = inner
    os.close(folder)
    try:
        with pytest.raises(ConfigError, match="The folder cannot be read: File name too long"):
            names(project)
    finally:
        shutil.rmtree(project.root / "models")


def test_a_folder_in_the_place_of_a_file_is_named(project):
    (project.root / "project.yml").mkdir()
    with pytest.raises(ConfigError, match="cannot be read: Is a directory") as caught:
        FolderReader(project.root).manifest()
    assert str(caught.value.where) == "project.yml"


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("select 'ä'".encode("latin-1"), 1),
        (b"select 1\n\n\xff", 3),
        ("select 1".encode("utf-16"), 1),
        ("select 1".encode("utf-16-le"), 1),
        (b"a\nb\0c", 2),
        (b"\xed\xa0\x80", 1),
    ],
    ids=["latin-1", "line 3", "utf-16", "utf-16-le", "nul", "surrogate"],
)
def test_text_that_is_not_utf8_is_refused_with_its_line(content, line):
    with pytest.raises(ConfigError, match=r"not UTF-8|NUL byte") as caught:
        decode(content, "models/a.ff.sql")
    assert str(caught.value.where) == f"models/a.ff.sql:{line}"


def test_a_byte_order_mark_is_dropped():
    assert decode("\ufeffselect 1".encode(), "x") == "select 1"


def test_a_file_that_went_away_is_named(project):
    with pytest.raises(ConfigError, match="No such file"):
        ProjectFile(str(project.root / "a"), "a").text()


def test_opening_a_folder_gives_the_ports(project):
    project.write({"project.yml": ""})
    ports = open_folder(project.root)
    assert isinstance(ports.reader, FolderReader)
    assert isinstance(ports.renderer, FileTemplates)
    assert isinstance(ports.functions, ModuleFunctions)


def test_opening_says_what_a_project_is(project):
    with pytest.raises(ConfigError, match="no FlowForge project"):
        open_folder(project.root)
    with pytest.raises(ConfigError, match="There is no folder") as caught:
        open_folder(project.root / "nothing")
    assert "--select NAME" in caught.value.hint


def test_opening_a_folder_inside_a_project_leads_out_of_it(project):
    project.write({"models/a.ff.sql": "select 1"})
    with pytest.raises(ConfigError, match="no FlowForge project") as caught:
        open_folder(project.root / "models")
    assert caught.value.hint == "The project is its parent: cd .."


@pytest.mark.parametrize("name", ["project", "sources", "profiles"])
def test_a_file_of_the_project_that_is_called_yaml_is_refused(tmp_path, name):
    (tmp_path / "models").mkdir()
    (tmp_path / f"{name}.yaml").write_text("name: shop\n")
    reader = open_folder(tmp_path).reader
    with pytest.raises(ConfigError, match=r"must end with \.yml") as caught:
        reader.profiles({}) if name == "profiles" else reader.manifest()
    assert (str(caught.value.where), caught.value.hint) == (f"{name}.yaml", f"Rename it to {name}.yml.")
