"""Datasets of the hub, over real HTTP: which commit, what is fetched, what is said of trouble."""

from __future__ import annotations

import json

import pytest

from swerun.errors import InputError, InstanceError
from swerun.instances.hub import ENDPOINT, Hub
from swerun.instances.subsets import KNOWN, load_subset
from tests.instances.hub_server import serving
from tests.instances.some_rows import jsonl, older, parquet, smith_row, v5

VERIFIED = KNOWN["verified"].dataset
SHARD = "data/{}-00000-of-00001.parquet"


@pytest.fixture
def at(hub, tmp_path):
    return Hub(hub.url, tmp_path / "cache")


def ids(subset):
    return [instance.id for instance in subset.instances]


def test_the_newest_commit_is_loaded_and_named(hub, at):
    first = hub.push(VERIFIED, {SHARD.format("test"): parquet(v5("org__repo-1"))})
    assert load_subset("verified", hub=at).source == f"{VERIFIED}@{first}"
    second = hub.push(VERIFIED, {SHARD.format("test"): parquet(v5("org__repo-2"))})
    newest = load_subset("verified", hub=at)
    assert (newest.source, ids(newest)) == (f"{VERIFIED}@{second}", ["org__repo-2"])
    assert newest.grade_network == "bridge"


def test_a_revision_is_a_commit_a_tag_or_a_branch_before_or_behind_the_name(hub, at):
    first = hub.push(VERIFIED, {SHARD.format("test"): parquet(v5("org__repo-1"))})
    hub.push(VERIFIED, {SHARD.format("test"): parquet(v5("org__repo-2"))})
    hub.tags["v1"] = 0
    pinned = f"{VERIFIED}@{first}"
    for name, revision in [
        (f"verified@{first}", None),
        ("verified@v1", None),
        ("verified", "v1"),
        ("verified@v1", "v1"),
        (f"{VERIFIED}@{first}", None),
        (VERIFIED, first),
    ]:
        assert load_subset(name, revision=revision, hub=at).source == pinned
    assert ids(load_subset("verified@main", hub=at)) == ["org__repo-2"]
    with pytest.raises(InputError, match="two revisions: give one"):
        load_subset("verified@v1", revision="v2", hub=at)


def test_once_fetched_it_is_loaded_without_the_hub_at_the_newest_commit_that_is_here(tmp_path):
    with serving() as hub:
        at = Hub(hub.url, tmp_path)
        first = hub.push(VERIFIED, {SHARD.format("test"): parquet(v5("org__repo-1"))})
        before = load_subset("verified", hub=at)
    assert load_subset("verified", hub=at) == before
    assert load_subset("verified", revision=first, hub=at) == before
    assert load_subset(f"{VERIFIED}@{first}", hub=at).instances == before.instances


def test_a_commit_that_is_here_asks_the_hub_nothing(hub, at):
    first = hub.push(VERIFIED, {SHARD.format("test"): parquet(v5())})
    load_subset("verified", hub=at)
    hub.seen.clear()
    load_subset("verified", revision=first, hub=at)
    assert hub.seen == []


def test_the_files_of_other_splits_are_not_fetched(hub, at):
    files = {SHARD.format(split): parquet(v5(f"org__{split}-1")) for split in ("test", "train")}
    hub.push("org/name", files)
    for name, split in [("org/name", None), ("org/name", "test")]:
        assert ids(load_subset(name, split=split, hub=at)) == ["org__test-1"]
    assert not any("train" in path for path in hub.seen)
    assert ids(load_subset("org/name", split="train", hub=at)) == ["org__train-1"]


def test_a_split_in_several_files_is_loaded_whole(hub, at):
    shards = {
        f"data/test-0000{n}-of-00003.parquet": parquet(v5(f"org__repo-{n}")) for n in range(3)
    }
    hub.push("org/name", shards)
    assert ids(load_subset("org/name", hub=at)) == ["org__repo-0", "org__repo-1", "org__repo-2"]


@pytest.mark.parametrize("layout", ["data/test-0000{}-of-00002.parquet", "rows/{}.parquet"])
def test_a_part_that_was_fetched_does_not_pass_for_the_whole(hub, at, layout):
    files = {layout.format(n): parquet(v5(f"org__repo-{n}")) for n in range(2)}
    card = b"---\nconfigs:\n- config_name: default\n  data_files: '*/*.parquet'\n---\n"
    commit = hub.push("org/name", files | {"README.md": card})
    hub.refused = layout.format(1)
    with pytest.raises(InputError, match="access was refused"):
        load_subset("org/name", hub=at)
    assert list(at.cache.rglob(layout.format(0)))
    hub.refusal = (403, "")
    for split in (None, "test", "train"):
        with pytest.raises(InputError, match="access was refused"):
            load_subset(f"org/name@{commit}", split=split, hub=at)
    hub.refused, hub.refusal = "", None
    assert len(load_subset(f"org/name@{commit}", hub=at).instances) == 2


@pytest.mark.parametrize(
    ("files", "split", "found"),
    [
        ({"test.jsonl": jsonl(v5("org__repo-1"))}, None, "org__repo-1"),
        ({"dev.parquet": parquet(v5("a")), "test.parquet": parquet(v5("b"))}, None, "b"),
        ({"dev.parquet": parquet(v5("a")), "test.parquet": parquet(v5("b"))}, "validation", "a"),
        (
            {
                "README.md": b"---\nconfigs:\n- config_name: default\n  data_files:\n"
                b"  - split: lite\n    path: rows/a.jsonl\n---\n",
                "rows/a.jsonl": jsonl(v5("a")),
            },
            None,
            "a",
        ),
    ],
)
def test_other_layouts_are_read_as_datasets_reads_them(hub, at, files, split, found):
    hub.push("org/name", files)
    assert ids(load_subset("org/name", split=split, hub=at)) == [found]
    assert ids(load_subset("org/name", split=split, hub=at)) == [found]


@pytest.mark.parametrize(
    "files",
    [
        {SHARD.format("dev"): parquet(v5()), SHARD.format("train"): parquet(v5())},
        {"dev.jsonl": jsonl(v5()), "train.jsonl": jsonl(v5())},
    ],
)
def test_a_split_that_there_is_not_is_answered_with_those_there_are(hub, at, files):
    hub.push("org/name", files)
    with pytest.raises(InputError, match=r"no split 'test'; it has (dev, train|train, validation)"):
        load_subset("org/name", split="test", hub=at)
    with pytest.raises(InputError, match="several splits: choose one with --split"):
        load_subset("org/name", hub=at)
    with pytest.raises(InputError, match=r"no split '.'"):
        load_subset("org/name", split="*", hub=at)


@pytest.mark.parametrize("name", KNOWN)
def test_a_name_is_its_dataset_and_its_split(hub, at, name):
    known = KNOWN[name]
    row = smith_row() if name == "smith" else older()
    other = parquet(row, row)
    hub.push(known.dataset, {SHARD.format(known.split): parquet(row), SHARD.format("z"): other})
    subset = load_subset(name, hub=at)
    assert len(subset.instances) == 1
    assert subset.source.startswith(known.dataset + "@")


def test_rows_that_are_malformed_are_named_with_dataset_and_commit(hub, at):
    first = hub.push("org/name", {SHARD.format("test"): parquet(v5(), v5("a", image=""))})
    with pytest.raises(InstanceError, match=rf"org/name@{first}: row 2 \(a\): image: found ''"):
        load_subset("org/name", hub=at)


def test_files_that_are_none_are_told_of_with_dataset_and_commit(hub, at):
    first = hub.push("org/name", {SHARD.format("test"): b"no parquet"})
    with pytest.raises(InstanceError, match=f"the files of org/name@{first} cannot be read"):
        load_subset("org/name", hub=at)


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (404, "RepoNotFound", "there is no such dataset, or it is private and HF_TOKEN"),
        (404, "", "there is no such dataset"),
        (401, "", r"access was refused \(HTTP 401\): set HF_TOKEN"),
        (403, "", r"access was refused \(HTTP 403\): set HF_TOKEN"),
        (403, "GatedRepo", "access has to be asked for: accept its conditions .* HF_TOKEN"),
        (404, "RevisionNotFound", "the dataset has no such revision"),
        (429, "", r"limits your rate \(HTTP 429\): wait some minutes"),
        (500, "", r"the hub answers with HTTP 500: try again later"),
    ],
)
def test_what_the_hub_refuses_is_said_with_what_was_tried_and_what_to_do(
    hub, at, status, code, said
):
    hub.refusal = (status, code)
    with pytest.raises(InputError, match=said) as error:
        load_subset("lite", hub=at)
    assert f"SWE-bench/SWE-bench_Lite at {hub.url}: " in str(error.value)
    assert code == "RevisionNotFound" or "give that path as --subset" in str(error.value)


def test_a_hub_that_is_not_there_is_told_of_with_its_address(tmp_path):
    with serving() as hub:
        gone = Hub(hub.url, tmp_path)
    with pytest.raises(InputError, match=rf"{gone.endpoint}: the hub cannot be reached \(Connect"):
        load_subset("verified", hub=gone)


def test_a_name_that_no_dataset_can_have_is_told_of(at):
    with pytest.raises(InputError, match="Did you mean verified"):
        load_subset("verifed", hub=at)
    with pytest.raises(InputError, match=r"'a/b/c'.* a dataset of the hub"):
        load_subset("a/b/c", hub=at)
    with pytest.raises(InputError, match=r"-a/b at .*: "):
        load_subset("-a/b", hub=at)


def test_without_a_hub_nothing_is_asked_of_one():
    with pytest.raises(InputError, match="verified is on the hub, and this looks on this machine"):
        load_subset("verified")


@pytest.mark.parametrize(
    ("environment", "endpoint"),
    [
        ({}, ENDPOINT),
        ({"HF_ENDPOINT": ""}, ENDPOINT),
        ({"HF_ENDPOINT": "https://mirror.example/"}, "https://mirror.example"),
    ],
)
def test_the_endpoint_is_the_environments_or_the_usual_one(tmp_path, environment, endpoint):
    assert Hub.of(environment, tmp_path) == Hub(endpoint, tmp_path / "hub")


def test_two_readings_of_one_commit_are_the_same(hub, at, tmp_path):
    hub.push("org/name", {SHARD.format("test"): parquet(v5("a"), v5("b"))})
    (tmp_path / "rows.json").write_text(json.dumps([v5("a"), v5("b")]))
    local = load_subset(str(tmp_path / "rows.json"))
    assert load_subset("org/name", hub=at).instances == local.instances
