"""One mirror per repository, below the cache folder: fetched once, whoever needs it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from swerun.errors import ImageError, InputError, InstanceError
from swerun.locks import locked
from swerun.repos.plain import at_bare, new_repository, plain_git

GITHUB = "https://github.com"
NAME = re.compile(r"(?![.-])[\w.-]+/(?![.-])[\w.-]+", re.ASCII)  # owner/name
ADDRESS = re.compile(r"(https?|ssh|git|file)://.+|[\w.-]+@[\w.-]+:.+", re.ASCII)
HASH = re.compile(r"[0-9a-f]{40}")
EVERYTHING = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
# Of packs, not of loose objects: a pack is there whole or not at all, so that a commit that is
# there has its history, wherever a fetch was killed. Nothing is thrown away: what a branch no
# longer has may be some instance's base commit.
CONFIGURATION = {"fetch.unpackLimit": "1", "gc.auto": "0", "maintenance.auto": "false"}
# A repository that is not there must not ask for a password, nor a dead connection hang for ever.
ENVIRONMENT = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_HTTP_LOW_SPEED_LIMIT": "1000",
    "GIT_HTTP_LOW_SPEED_TIME": "60",
}
FETCH = ("--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head")

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Mirrors:
    """The mirrors in `cache`/repos, which processes and threads share.

    `origin` is where a repository that is not there comes from: an address before owner/name, or
    a folder with repositories as owner__name or owner/name, with or without .git.
    """

    cache: Path
    say: Say
    origin: str = GITHUB

    def holding(self, repo: str, commit: str) -> Path:
        """The mirror of `repo`, with `commit` (a full hash) and its history in it.

        `repo` is owner/name, or an address of its own. Nothing is fetched for a commit that is
        there. Raises ImageError where it cannot be fetched, InstanceError where there is no such
        commit, InputError where `origin` is no folder.
        """
        if not HASH.fullmatch(commit):
            raise InstanceError(f"{commit!r} is no full hash of a commit of {repo}")
        mirror = self.cache / "repos" / f"{_folder_name(repo)}.git"
        if _has(mirror, commit):
            return mirror
        with locked(mirror.with_suffix(".lock"), lambda: self._wait(repo)):
            if not _has(mirror, commit):
                self._fetch(mirror, repo, commit)
        return mirror

    def _wait(self, repo: str) -> None:
        self.say(f"waiting for another process that fetches {repo}")

    def _fetch(self, mirror: Path, repo: str, commit: str) -> None:
        from git.exc import GitError

        address = self._address(repo)
        self.say(f"fetching {repo} from {address}")
        try:
            new = at_bare(new_repository(mirror, bare=True), mirror)
            for key, value in CONFIGURATION.items():
                new.config(key, value)
            for left in mirror.glob("objects/pack/tmp_*"):  # by a fetch that was killed
                left.unlink()
            _fetch_into(mirror, address, *EVERYTHING)
        except GitError as error:
            raise ImageError(
                f"fetching {repo} from {address} failed: {error}\nIs that its address, and does "
                "it answer? Repositories can come from a folder too: see --repos-from."
            ) from error
        if _has(mirror, commit):
            return
        try:  # on no branch any more: many servers still give it to who knows its hash
            _fetch_into(mirror, address, f"{commit}:refs/swerun/{commit}")
        except GitError as error:
            raise InstanceError(
                f"{repo} has no commit {commit}: it is neither in the history of a branch or tag "
                f"of {address}, fetched just now, nor does it come when asked for: {error}"
            ) from error

    def _address(self, repo: str) -> str:
        if not NAME.fullmatch(repo):
            return repo
        if ADDRESS.fullmatch(self.origin):
            return f"{self.origin.rstrip('/')}/{repo}"
        folder = Path(self.origin).expanduser().absolute()
        if not folder.is_dir():
            raise InputError(f"there is no folder {folder} for repositories to come from")
        flat = repo.replace("/", "__")
        tried = [folder / name for name in (flat, f"{flat}.git", repo, f"{repo}.git")]
        for path in tried:
            if path.is_dir():
                return str(path)
        names = ", ".join(str(path.relative_to(folder)) for path in tried)
        raise ImageError(f"there is no repository {repo} in {folder}: it has none of {names}")


def _folder_name(repo: str) -> str:
    if NAME.fullmatch(repo):
        return repo.replace("/", "__")
    if not ADDRESS.fullmatch(repo):
        raise InstanceError(f"{repo!r} is neither owner/name nor the address of a repository")
    return f"{repo.rstrip('/').rpartition('/')[2]}-{sha256(repo.encode()).hexdigest()[:16]}"


def _fetch_into(mirror: Path, address: str, *wanted: str) -> None:
    """With the user's own configuration: it knows proxies, certificates and credentials."""
    from git import Git

    git = at_bare(Git(mirror), mirror)
    git.update_environment(**ENVIRONMENT)
    git.fetch(*FETCH, "--", address, *wanted)


def _has(mirror: Path, commit: str) -> bool:
    from git.exc import GitError

    if not (mirror / "HEAD").is_file():
        return False
    try:
        at_bare(plain_git(mirror), mirror).cat_file("-e", f"{commit}^{{commit}}")
    except GitError:
        return False
    return True
