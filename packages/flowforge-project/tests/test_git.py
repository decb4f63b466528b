"""What git says has changed, in real repositories."""

from __future__ import annotations

import subprocess

import pytest

from flowforge_domain.errors import ConfigError
from flowforge_project.git import GitChanges


def git(folder, *arguments):
    identity = ("-c", "user.name=me", "-c", "user.email=me@example.com", "-c", "commit.gpgsign=false")
    return subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


def write(folder, **texts):
    for name, text in texts.items():
        (folder / name).write_text(text)


@pytest.fixture
def repository(tmp_path):
    """A project in a folder of a repository, with one commit."""
    git(tmp_path, "init", "-q", "-b", "main")
    project = tmp_path / "shop"
    project.mkdir()
    write(project, **{"a.sql": "1", "b c.sql": "1", "ä.sql": "1", ".gitignore": "ignored.sql\n"})
    write(tmp_path, outside="1")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "one")
    return project


def test_nothing_has_changed_at_first(repository):
    assert GitChanges(repository).since("HEAD") == frozenset()


def test_changed_staged_deleted_and_new_files_are_told_relative_to_the_project(repository):
    write(repository, **{"a.sql": "2", "ä.sql": "2", "new.sql": "1", "ignored.sql": "1", "b c.sql": "2"})
    write(repository.parent, outside="2", beside="1")
    git(repository, "add", "b c.sql")
    assert GitChanges(repository).since("main") == {"a.sql", "ä.sql", "b c.sql", "new.sql"}


def test_what_lies_behind_a_symbolic_link_has_changed_with_it(repository):
    (repository.parent / "shared" / "deep").mkdir(parents=True)
    write(repository.parent / "shared", file="1", other="1")
    write(repository.parent / "shared" / "deep", low="1")
    for link, target in (("one.sql", "../shared/file"), ("two.sql", "../shared/other"), ("folder", "../shared/deep")):
        (repository / link).symlink_to(target)
    git(repository, "add", "..")
    git(repository, "commit", "-qm", "two")
    assert GitChanges(repository).since("HEAD") == frozenset()
    write(repository.parent / "shared", file="2")
    write(repository.parent / "shared" / "deep", low="2", new="1")
    assert GitChanges(repository).since("HEAD") == {"one.sql", "folder/low", "folder/new"}


def test_what_lies_behind_a_link_out_of_the_repository_is_not_known(repository, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "m.py"
    elsewhere.write_text("1")
    (repository / "m.py").symlink_to(elsewhere)
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "two")
    assert GitChanges(repository).since("HEAD") == {"m.py"}


def test_what_the_other_branch_did_meanwhile_is_not_ours(repository):
    git(repository, "switch", "-qc", "work")
    write(repository, **{"a.sql": "2"})
    git(repository, "commit", "-qam", "mine")
    git(repository, "switch", "-q", "main")
    write(repository, **{"b c.sql": "2"})
    git(repository, "commit", "-qam", "theirs")
    git(repository, "switch", "-q", "work")
    assert GitChanges(repository).since("main") == {"a.sql"}


def test_what_a_file_said_is_told_also_of_one_that_is_gone(repository):
    write(repository, **{"a.sql": "2", "new.sql": "1"})
    (repository / "ä.sql").unlink()
    said = [GitChanges(repository).said(file, "main") for file in ("a.sql", "ä.sql", "new.sql")]
    assert said == ["1", "1", ""]


@pytest.mark.parametrize("reference", ["nope", "-h", "--output=x", "", "a\nb", "HEAD:a.sql"])
def test_what_is_no_commit_is_refused(repository, reference):
    with pytest.raises(ConfigError, match="git knows no commit"):
        GitChanges(repository).since(reference)
    assert not (repository / "x").exists()


def test_outside_of_a_repository_one_line_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", "/")
    with pytest.raises(ConfigError, match="lies in no git repository"):
        GitChanges(tmp_path).since("main")


def test_without_git_one_line_says_so(repository, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ConfigError, match="git is not installed"):
        GitChanges(repository).since("main")


def test_no_program_that_a_repository_names_is_run(repository):
    trap = repository / "trap"
    git(repository, "config", "core.fsmonitor", f"touch {trap}")
    git(repository, "config", "diff.external", f"touch {trap}")
    write(repository, **{"a.sql": "2"})
    assert "a.sql" in GitChanges(repository).since("HEAD")
    assert not trap.exists()


def test_a_hook_of_git_leads_to_no_other_repository(repository, monkeypatch):
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    assert GitChanges(repository).since("HEAD") == frozenset()
