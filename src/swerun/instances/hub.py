"""The hub: which commit of a dataset is meant, its files on this machine, and their rows.

huggingface_hub fetches, `datasets` reads what was fetched: the first takes the endpoint as an
argument, the second would take what the environment said when it was imported. A commit that is
here is read without the network.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swerun.errors import InputError, InstanceError
from swerun.instances.refusals import ELSEWHERE, explained

ENDPOINT = "https://huggingface.co"
USUAL = "test"
SHARD = re.compile(r"data/(.+)-\d{5}-of-\d{5}\.parquet")
DATA = ("*.parquet", "*.jsonl", "*.json", "*.csv", "README.md")


@dataclass(frozen=True, slots=True)
class Hub:
    """Where datasets come from, and the folder that keeps them."""

    endpoint: str
    cache: Path

    @classmethod
    def of(cls, environment: Mapping[str, str], cache: Path) -> Hub:
        """HF_ENDPOINT as huggingface_hub has it; datasets lie in a folder of swerun's cache.

        The token is huggingface_hub's own matter: HF_TOKEN, or what its login has stored.
        """
        return cls((environment.get("HF_ENDPOINT") or ENDPOINT).rstrip("/"), cache / "hub")


@dataclass(frozen=True, slots=True)
class Published:
    """The rows of a dataset's split, and the commit that they are of."""

    commit: str
    rows: Sequence[Mapping[str, Any]]


def published(hub: Hub, dataset: str, revision: str | None, split: str | None) -> Published:
    """A split of `dataset` (org/name) at a branch, tag or commit, or at its newest commit.

    Without `split` it is `test`, or the only one. Where the hub cannot be reached, the newest is
    the newest that is here. Raises InputError for what cannot be had, and says what to do.
    """
    if split and not re.fullmatch(r"[\w.]+", split):
        raise InputError(f"{dataset} has no split {split!r}: a split's name is a word")
    with explained(hub.endpoint, f"{dataset}@{revision}" if revision else dataset):
        commit = _commit(hub, dataset, revision)
        fetched = _here(commit, split) or _fetched(commit, split)
    return Published(commit.name, _read(commit, fetched, split))


@dataclass(frozen=True, slots=True)
class Commit:
    """A dataset at one of its commits."""

    hub: Hub
    dataset: str
    name: str

    def files(self) -> list[str]:
        """What the hub has of it."""
        from huggingface_hub import HfApi

        api = HfApi(endpoint=self.hub.endpoint)
        return api.list_repo_files(self.dataset, repo_type="dataset", revision=self.name)

    def snapshot(self, patterns: Sequence[str], *, local: bool = False) -> Path:
        """The folder with all files that match, fetched where they are not here."""
        from huggingface_hub import snapshot_download

        folder = snapshot_download(
            self.dataset,
            repo_type="dataset",
            revision=self.name,
            endpoint=self.hub.endpoint,
            cache_dir=self.hub.cache,
            allow_patterns=list(patterns),
            local_files_only=local,
        )
        return Path(folder)


@dataclass(frozen=True, slots=True)
class Fetched:
    """A folder of this machine; `shards` are the files of the one split that matters, if known.

    A dataset's train split may be a hundred times as large as what is asked for, so where the names
    of its files tell which split they are of, the others are not fetched.
    """

    folder: Path
    split: str = ""
    shards: tuple[Path, ...] = ()


def _commit(hub: Hub, dataset: str, revision: str | None) -> Commit:
    from huggingface_hub import HfApi

    api = HfApi(endpoint=hub.endpoint)
    resolved = api.resolve_revision(
        dataset, repo_type="dataset", revision=revision, cache_dir=hub.cache
    )
    return Commit(hub, dataset, resolved.resolved)


def _here(commit: Commit, split: str | None) -> Fetched | None:
    from huggingface_hub.errors import LocalEntryNotFoundError

    for patterns, of in (([_shards(split or USUAL)], split or USUAL), (DATA, "")):
        with suppress(LocalEntryNotFoundError):  # it is not here, or not all of it
            found = _sharded(commit.snapshot(patterns, local=True), of)
            if found.shards or not of:
                return found
    return None


def _fetched(commit: Commit, split: str | None) -> Fetched:
    splits = sorted({m[1] for m in map(SHARD.fullmatch, commit.files()) if m})
    if not splits:
        return Fetched(commit.snapshot(DATA))
    wanted = _chosen(commit.dataset, splits, split)
    return _sharded(commit.snapshot([_shards(wanted), "README.md"]), wanted)


def _shards(split: str) -> str:
    return f"data/{split}-?????-of-?????.parquet"


def _sharded(folder: Path, split: str) -> Fetched:
    return Fetched(folder, split, tuple(sorted(folder.glob(_shards(split)))) if split else ())


def _read(commit: Commit, fetched: Fetched, split: str | None) -> list[Mapping[str, Any]]:
    from datasets import disable_progress_bars, enable_progress_bars, load_dataset
    from datasets import load_dataset_builder as builder_of
    from datasets.exceptions import DatasetGenerationError
    from datasets.utils import are_progress_bars_disabled

    arrow = str(commit.hub.cache / "arrow")
    quiet = are_progress_bars_disabled()
    disable_progress_bars()  # a bar for a second's work, also where nobody watches
    try:
        if fetched.shards:
            files = {fetched.split: [str(shard) for shard in fetched.shards]}
            read = load_dataset("parquet", data_files=files, split=fetched.split, cache_dir=arrow)
            return list(read.to_list())
        builder = builder_of(str(fetched.folder), cache_dir=arrow)
        wanted = _chosen(commit.dataset, sorted(map(str, builder.config.data_files or ())), split)
        read = load_dataset(str(fetched.folder), split=wanted, cache_dir=arrow)
        return list(read.to_list())
    except (DatasetGenerationError, ValueError, FileNotFoundError) as error:
        raise InstanceError(
            f"the files of {commit.dataset}@{commit.name} cannot be read: {error}. {ELSEWHERE}"
        ) from error
    finally:
        if not quiet:
            enable_progress_bars()


def _chosen(dataset: str, splits: Sequence[str], split: str | None) -> str:
    known = ", ".join(splits)
    if split is not None and split not in splits:
        raise InputError(f"{dataset} has no split {split!r}; it has {known}")
    if split is None and USUAL not in splits and len(splits) != 1:
        raise InputError(f"{dataset} has several splits: choose one with --split ({known})")
    return split or (USUAL if USUAL in splits else splits[0])
