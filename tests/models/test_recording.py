"""Recordings as files: what is written is what is read, and those that ship are whole."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swerun.agent.tools import TOOLS
from swerun.errors import InputError
from swerun.instances.subsets import load_instances
from swerun.models.completions import usage_of
from swerun.models.protocols import PROTOCOLS
from swerun.models.recording import (
    INFO,
    RecordingInfo,
    check_writable,
    made_now,
    read_info,
    read_replies,
    recorded,
    recordings,
    same,
    shipped,
    write_recording,
)
from swerun.records import Limits, Observation, Reply, Sampling, Step, Usage
from tests.fakes import NOW, files_below

RECORDING = RecordingInfo(
    name="r",
    recorded_from="some-model",
    note="Of a test.",
    date="2026-01-01",
    protocol="text",
    prompt_hash="abc",
    limits=Limits(steps=7),
    sampling=Sampling(temperature=0.5, extra_body={"top_k": 20}),
)
SHIPPED = sorted(path.parent for path in shipped().glob(f"*/{INFO}"))
CONVERSATIONS = [path for folder in SHIPPED for path in sorted(folder.glob("*.jsonl"))]
BY_HAND = [path for path in CONVERSATIONS if path.parent.name == "handwritten"]


def name(path):
    return "-".join(path.parts[-2:])


def a_step(content, *observations, usage=None, index=0):
    reply = Reply(
        text=content,
        finish_reason="stop",
        raw={"role": "assistant", "content": content},
        usage=usage or Usage(input_tokens=10, output_tokens=2),
    )
    seen = tuple(Observation(call_id="block", text=text) for text in observations)
    return Step(index=index, at=NOW, reply=reply, observations=seen)


# what is written and read


def test_what_was_written_is_what_is_read(tmp_path):
    steps = [a_step("Hm.", "exit code 0\nls"), a_step("Two.", "a", "b"), a_step("End.")]
    write_recording(tmp_path / "new", RECORDING, {"a__b-1": steps, "a__b-2": steps[:1]})
    assert read_info(tmp_path / "new") == RECORDING
    assert read_replies(tmp_path / "new", "a__b-1") == [recorded(step) for step in steps]
    assert len(read_replies(tmp_path / "new", "a__b-2")) == 1
    assert list(files_below(tmp_path / "new")) == ["a__b-1.jsonl", "a__b-2.jsonl", INFO]


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.text(), st.lists(st.text(), max_size=3)), max_size=4))
def test_any_text_that_was_written_is_read(tmp_path_factory, said):
    folder = tmp_path_factory.mktemp("recording")
    steps = [a_step(content, *seen) for content, seen in said]
    write_recording(folder, RECORDING, {"a": steps})
    read = read_replies(folder, "a")
    assert [(r.message["content"], list(r.observations)) for r in read] == said


@pytest.mark.parametrize("end", ["\n", "\r\n", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"])
def test_no_end_of_a_line_in_a_reply_ends_the_line_of_the_file(end, tmp_path):
    write_recording(tmp_path, RECORDING, {"a": [a_step(f"one{end}two", f"three{end}four")]})
    (read,) = read_replies(tmp_path, "a")
    assert (read.message["content"], read.observations) == (f"one{end}two", (f"three{end}four",))


def test_usage_is_recorded_as_endpoints_serve_it_and_silence_as_silence():
    reported = recorded(a_step("Hm.", usage=Usage(input_tokens=10, output_tokens=2)))
    assert reported.usage == {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12}
    assert recorded(a_step("Hm.", usage=Usage(unreported=1))).usage is None


@pytest.mark.parametrize(
    "usage",
    [
        Usage(input_tokens=10, output_tokens=2),
        Usage(input_tokens=10, cached_tokens=8, output_tokens=2),
        Usage(input_tokens=10, output_tokens=2, reasoning_tokens=1),
        Usage(input_tokens=10, cached_tokens=8, output_tokens=2, reasoning_tokens=1),
        Usage(unreported=1),
    ],
)
def test_a_recording_keeps_all_that_was_told_of_tokens(usage):
    assert usage_of(recorded(a_step("Hm.", usage=usage)).usage) == usage


@pytest.mark.parametrize("name", ["file", "file/below", "x" * 300])
def test_a_folder_that_cannot_be_written_to_is_refused_by_its_name(name, tmp_path):
    (tmp_path / "file").write_text("no folder")
    for tried in (
        lambda: check_writable(tmp_path / name),
        lambda: write_recording(tmp_path / name, RECORDING, {}),
    ):
        with pytest.raises(InputError, match="no recording can be written") as caught:
            tried()
        assert str(tmp_path / name) in str(caught.value)


def test_a_folder_that_not_even_root_may_write_to_is_refused():
    with pytest.raises(InputError, match="/proc/recordings"):
        check_writable(Path("/proc/recordings"))


def test_looking_whether_a_folder_can_be_written_to_makes_none(tmp_path):
    check_writable(tmp_path)
    check_writable(tmp_path / "a" / "b")
    with contextlib.chdir(tmp_path):
        check_writable(Path("recordings"))
    assert list(tmp_path.iterdir()) == []


def test_a_new_recording_takes_the_place_of_those_of_its_instances_alone(tmp_path):
    write_recording(tmp_path, RECORDING, {"a": [a_step("Old.")], "b": [a_step("Old.")]})
    write_recording(tmp_path, RECORDING, {"a": [a_step("New.")]})
    assert read_replies(tmp_path, "a")[0].message["content"] == "New."
    assert read_replies(tmp_path, "b")[0].message["content"] == "Old."


def test_what_somebody_wrote_of_its_origin_outlives_a_new_recording(tmp_path):
    told = RECORDING.model_copy(update={"licence": "Apache-2.0", "quantisation": "Q4_K_M"})
    write_recording(tmp_path, told, {})
    fresh = RECORDING.model_copy(update={"date": "2026-02-02", "prompt_hash": "new", "note": ""})
    made = made_now(tmp_path, fresh)
    assert (made.licence, made.quantisation, made.note) == ("Apache-2.0", "Q4_K_M", "Of a test.")
    assert (made.date, made.prompt_hash) == ("2026-02-02", "new")
    assert made_now(tmp_path / "nothing", fresh) == fresh


def test_an_instance_that_was_not_recorded_is_a_key_that_is_not_there(tmp_path):
    with pytest.raises(KeyError, match="a__b-9"):
        read_replies(tmp_path, "a__b-9")


@pytest.mark.parametrize("text", [None, "", "{}", "[]", '{"name": "r", "typo": 1}'])
def test_what_is_no_recording_is_refused_by_the_name_of_its_file(text, tmp_path):
    if text is not None:
        (tmp_path / INFO).write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=INFO) as caught:
        read_info(tmp_path)
    assert str(tmp_path) in str(caught.value)


# what is the same


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("3 passed in 0.12s", "3 passed in 1.50s"),
        ("Ran 3 tests in 0.001 seconds", "Ran 3 tests in 12.345 seconds"),
        ("real\t0m7.307s", "real\t1m0.214s"),
        ("from root@fa5cb39f9d63.", "from root@a65b48b54b68."),
        ("<Schedule object at 0x7f0a1b2c3d>", "<Schedule object at 0x55d1e2f3a4>"),
        ("/tmp/tmpab12cd/x", "/tmp/tmpzz99yy/x"),
        ("at 2026-01-02 10:11:12.345", "at 2026-03-04T05:06"),
        ("-rw-r--r-- 1 a a 10 Jan  2 10:11 a.py", "-rw-r--r-- 1 a a 10 Dec 31 23:59 a.py"),
    ],
)
def test_what_differs_every_time_is_no_difference(one, other):
    assert same([one], [other])


@pytest.mark.parametrize(
    ("shown", "before"),
    [
        (["3 passed in 0.12s"], ["2 passed, 1 failed in 0.12s"]),
        (["exit code 0\n"], ["exit code 1\n"]),
        (["a", "b"], ["b", "a"]),
        (["a"], ["a", "a"]),
        ([], [""]),
        (["version 1.2"], ["version 1.3"]),
    ],
)
def test_what_means_something_is_a_difference(shown, before):
    assert not same(shown, before)


# those that ship


def test_there_is_a_recording_to_show_what_swerun_does():
    assert "handwritten" in recordings()
    assert sorted(recordings()) == [folder.name for folder in SHIPPED]


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda folder: folder.name)
def test_a_recording_that_ships_says_what_it_is_and_holds_something(folder):
    about = read_info(folder)
    assert about.name == folder.name
    assert about.protocol in PROTOCOLS
    assert about.note
    assert list(folder.glob("*.jsonl"))


@pytest.mark.parametrize("path", CONVERSATIONS, ids=name)
def test_a_conversation_that_ships_is_about_an_instance_of_the_sample(path):
    assert path.stem in {instance.id for instance in load_instances("sample")}


def calls_of(path):
    """The calls of each reply, or what is wrong with it."""
    protocol = PROTOCOLS[read_info(path.parent).protocol]
    said = [(r.message, r.finish_reason) for r in read_replies(path.parent, path.stem)]
    read = [protocol.read(message, finish, TOOLS) for message, finish in said]
    return [one.calls or one.problem for one in read]


@pytest.mark.parametrize("path", CONVERSATIONS, ids=name)
def test_a_conversation_that_ships_is_read_by_its_protocol_and_fits_in_its_limits(path):
    replies = calls_of(path)
    assert 0 < len(replies) <= read_info(path.parent).limits.steps
    assert all(replies)


@pytest.mark.parametrize("path", BY_HAND, ids=name)
def test_a_conversation_by_hand_is_well_formed_and_ends_by_submitting_or_at_its_limit(path):
    replies = calls_of(path)
    assert all(call.problem is None for calls in replies for call in calls)
    at_limit = len(replies) == read_info(path.parent).limits.steps
    assert at_limit or replies[-1][-1].tool == "submit"


@pytest.mark.parametrize("path", CONVERSATIONS, ids=name)
def test_a_conversation_that_ships_tells_nothing_of_the_machine_it_was_made_on(path):
    text = path.read_text(encoding="utf-8")
    assert "/home/" not in text
    assert "/Users/" not in text
