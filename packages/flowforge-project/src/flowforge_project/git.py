"""Fulfils `ChangeFinder` with git: which files differ from those of a commit, and what they said then."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from flowforge_domain.errors import ConfigError

# A repository's own settings may name programs; none is run for a question.
_SAFE = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "core.quotePath=false")
_PATIENCE = 60
_DIFFERENT = ("diff", "--name-only", "-z", "--no-ext-diff", "--no-renames")
_UNTRACKED = ("ls-files", "-z", "--others", "--exclude-standard")
_LINK = "120000"


@dataclass(frozen=True)
class GitChanges:
    """The changes in a project folder inside a git repository."""

    root: Path

    def since(self, reference: str) -> frozenset[str]:
        """Return the files that differ from where the work left `reference`, untracked ones too.

        A symbolic link differs with what it leads to, a file or those of a folder. They are relative to the project,
        with forward slashes. Raises `ConfigError` when the folder is in no repository, and for a reference that git
        does not know.
        """
        commit = self._commit(reference)
        named = [*self._names(*_DIFFERENT, "--relative", commit, "--"), *self._names(*_UNTRACKED)]
        return frozenset(named).union(self._behind_links(commit, named))

    def said(self, file: str, reference: str) -> str:
        """Return what a file of the project said where the work left `reference`, "" where it was not there."""
        found = self._try("cat-file", "blob", f"{self._commit(reference)}:./{file}")
        return found.stdout if found.returncode == 0 else ""

    def _behind_links(self, commit: str, named: Sequence[str]) -> Iterator[str]:
        staged = (line.partition("\t") for line in self._names("ls-files", "-z", "--stage"))
        links = [name for mode, _, name in staged if mode.startswith(_LINK)]
        links += [name for name in named if (self.root / name).is_symlink()]
        if not links:
            return
        top = Path(self._git("rev-parse", "--show-toplevel").rstrip("\n")).resolve()
        elsewhere = [*self._names(*_DIFFERENT, commit, "--"), *self._names(*_UNTRACKED, "--full-name", ":/")]
        changed = [top / name for name in elsewhere]
        for link in links:
            target = (self.root / link).resolve()
            if not target.is_relative_to(top):
                # Nobody knows what it was.
                yield link
            below = (path.relative_to(target) for path in changed if path.is_relative_to(target))
            yield from ((Path(link) / path).as_posix() for path in below)

    def _names(self, *arguments: str) -> list[str]:
        """Return what git lists, each with a NUL behind it."""
        return [name for name in self._git(*arguments).split("\0") if name]

    def _commit(self, reference: str) -> str:
        """Return the commit at which the work left `reference`."""
        self._require_repository()
        unknown = ConfigError(
            f"git knows no commit {reference!r}.",
            hint="Name a branch, tag or commit, such as main; in a shallow clone fetch it first.",
        )
        if not reference or reference.startswith("-") or not reference.isprintable():
            raise unknown
        found = self._try("rev-parse", "--verify", "--quiet", "--end-of-options", f"{reference}^{{commit}}")
        if found.returncode != 0:
            raise unknown
        commit = found.stdout.strip()
        base = self._try("merge-base", commit, "HEAD")
        return base.stdout.split("\n")[0] if base.returncode == 0 and base.stdout else commit

    def _require_repository(self) -> None:
        if self._try("rev-parse", "--is-inside-work-tree").stdout.strip() != "true":
            raise ConfigError(
                f"{str(self.root)!r} lies in no git repository that can be read.",
                hint="--changed-since needs one: git init, or select by --select.",
            )

    def _git(self, *arguments: str) -> str:
        answer = self._try(*arguments)
        if answer.returncode != 0:
            said = answer.stderr.strip().splitlines()
            raise ConfigError(f"git failed: {said[0] if said else answer.returncode}", hint="Check: git status")
        return answer.stdout

    def _try(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        # Variables such as GIT_DIR, as in a hook of git's own, would lead to another repository.
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        try:
            return subprocess.run(  # noqa: S603 - no shell, and the only text from outside was looked at
                ["git", *_SAFE, *arguments],  # noqa: S607 - where git lies is the user's to say
                cwd=self.root,
                env={**kept, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"},
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=_PATIENCE,
                check=False,
            )
        except FileNotFoundError as error:
            raise ConfigError("git is not installed, and --changed-since asks it.", hint="Install git.") from error
        except subprocess.TimeoutExpired as error:
            raise ConfigError(f"git took over {_PATIENCE} s.", hint="Check: git status") from error
