"""The structure of diffs: what git writes passes, and a hunk that is not whole does not."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swerun.instances.diffs import FlawError, check_diff
from swerun.instances.subsets import load_instances

HEADER = "diff --git a/a.py b/a.py\nindex 1234567..89abcde 100644\n--- a/a.py\n+++ b/a.py\n"
HUNK = "@@ -1,3 +1,4 @@ def a():\n one\n-two\n+2\n+2.5\n three\n"
DIFF = HEADER + HUNK
BINARY = (
    "diff --git a/a.bin b/a.bin\nnew file mode 100644\n"
    "index 0000000000000000000000000000000000000000..f76dd238ade08917e6712764a16a22005a50573d\n"
    "GIT binary patch\nliteral 1\nIcmZPo000310RR91\n\nliteral 0\nHcmV?d00001\n\n"
)


def git(folder, *arguments):
    identity = ("-c", "user.name=a", "-c", "user.email=a@b.example")
    command = ["git", *identity, "-C", folder, *arguments]
    return subprocess.run(command, capture_output=True, check=True).stdout.decode()


@pytest.fixture
def committed(tmp_path):
    """committed(name, before, after) -> git's own diff between two contents; None is no file."""
    git(tmp_path, "init", "-q")

    def commit(changes):
        for name, content in changes.items():
            (tmp_path / name).unlink(missing_ok=True)
            if content is not None:
                (tmp_path / name).write_bytes(content)
        git(tmp_path, "add", "-A")
        git(tmp_path, "commit", "-q", "--allow-empty", "-m", "x")

    def diff(before, after, *options):
        commit(before)
        commit(after)
        return git(tmp_path, "diff", "--binary", "-M", *options, "HEAD^", "HEAD")

    return diff


LINES = b"".join(b"line %d\n" % number for number in range(30))
CHANGES = {
    "a change": ({"a": LINES}, {"a": LINES.replace(b"line 3\n", b"line three\n\n")}),
    "two hunks": ({"a": LINES}, {"a": b"0\n" + LINES[:-8] + b"end\n"}),
    "a new file": ({}, {"a": LINES}),
    "a new empty file": ({}, {"a": b""}),
    "a file less": ({"a": LINES}, {"a": None}),
    "no end of the last line": ({"a": b"a\nb"}, {"a": b"a\nc"}),
    "an end of the last line": ({"a": b"a\nb"}, {"a": b"a\nb\n"}),
    "CRLF": ({"a": b"a\r\nb\r\n"}, {"a": b"a\r\nc\r\n"}),
    "other ends of lines": ({"a": b"a\x0cb\xe2\x80\xa8\n"}, {"a": b"a\x0cc\x85"[:-1] + b"\r\n"}),
    "a renamed file": ({"a": LINES}, {"a": None, "b": LINES}),
    "a renamed and changed file": ({"a": LINES}, {"a": None, "b": LINES + b"more\n"}),
    "a name with spaces": ({"a b": b"a\n"}, {"a b": b"b\n"}),
    "a name in quotes": ({"\u00e4": b"a\n"}, {"\u00e4": b"b\n"}),
    "a binary file": ({"a": b"\0" + bytes(range(256))}, {"a": b"\0new" * 100}),
    "a binary file and another": ({}, {"a": b"\0new" * 100, "b": b"text\n"}),
    "lines that look like headers": ({"a": b"-- a\n"}, {"a": b"++ b\n@@ -1 +1 @@\n"}),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_git_writes_passes(name, committed):
    before, after = CHANGES[name]
    written = committed(before, after)
    assert written
    check_diff(written)
    check_diff(committed(before, after, "-U0", "--full-index"))


@settings(deadline=None, max_examples=100)
@given(st.lists(st.sampled_from(["a", "b", "", " c", "-", "+x", "@@ -1 +1 @@", "d\r"])))
def test_a_hunk_with_one_line_less_or_more_does_not_pass(content):
    lines = [f"+{line}\n" for line in ["first", *content]]
    header = f"@@ -0,0 +1,{len(lines)} @@\n"
    check_diff(HEADER + header + "".join(lines))
    for wrong in (lines[:-1], [*lines, "+more\n"], [*lines, "-less\n"], [*lines, " same\n"]):
        with pytest.raises(FlawError):
            check_diff(HEADER + header + "".join(wrong))


@pytest.mark.parametrize("instance", load_instances("sample"), ids=lambda instance: instance.id)
def test_the_patches_of_the_sample_pass_and_without_one_line_of_a_hunk_do_not(instance):
    for patch in (instance.answer.gold_patch, instance.answer.test_patch):
        check_diff(patch)
        lines = patch.splitlines(keepends=True)
        first = next(i for i, line in enumerate(lines) if line.startswith("@@ "))
        with pytest.raises(FlawError):
            check_diff("".join(lines[: first + 1] + lines[first + 2 :]))


@pytest.mark.parametrize(
    "text",
    [
        "",
        DIFF,
        DIFF.removesuffix("\n"),
        DIFF + DIFF,
        DIFF.replace("\n", "\r\n"),
        DIFF.split("\n", 2)[2],  # a plain diff
        "diff -ru a b\n" + DIFF.split("\n", 2)[2] + "Only in b: c\n",
        "From 1234 Mon Sep 17 00:00:00 2001\nSubject: x\n\nText.\n---\n a.py | 2 +-\n\n"
        + DIFF
        + "-- \n2.39.0\n\n",
        DIFF + "\n",
        DIFF.replace("\n one\n", "\n\n").replace("one", ""),  # a stripped empty line
        BINARY,
        BINARY + DIFF,
        DIFF + "diff --git a/x b/x\nold mode 100644\nnew mode 100755\n" + DIFF,
        "diff --git a/x b/x\nindex 1..2 100644\nBinary files a/x and b/x differ\n" + DIFF,
    ],
)
def test_what_others_write_passes(text):
    check_diff(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (DIFF.replace("+2.5\n", ""), "line 10: found its end, expected 0 old and 1 new lines more"),
        (DIFF.replace("+2.5\n", "") + DIFF, "line 10: found 'diff --git a/a.py b/a.py'"),
        (DIFF.replace("-1,3", "-1,2"), "line 10: found ' three', expected no such line: .* line 5"),
        (DIFF + " four\n", "line 11: found ' four', expected the next hunk or file"),
        (DIFF + "junk\n", "line 11: found 'junk'"),
        (DIFF.replace("-two", "two"), "line 7: found 'two', expected 2 old and 3 new lines more"),
        (HEADER, "line 5: found its end, expected a hunk's header"),
        (HEADER + "junk\n" + HUNK, "line 5: found 'junk', expected a hunk's header"),
        (HEADER + "@@ 1,2 @@\n", "line 5: found '@@ 1,2 @@'"),
        (DIFF.replace("index", "junk\nindex"), "line 2: found 'junk', expected a line of a file's"),
        (DIFF.replace("--- a/a.py\n", ""), r"line 3: found '\+\+\+ b/a.py'"),
        (DIFF.replace("+++ b/a.py\n", ""), "line 3: found '--- a/a.py'"),
        ("diff --git a/a b/a\n", "line 2: found its end"),
        (HUNK + DIFF, "line 1: found '@@ .*expected the header of a file"),
        (BINARY.replace("IcmZPo000310RR91", "Icm"), "line 6: found 'Icm', expected a line of a b"),
        (BINARY.replace("literal 1\n", ""), "line 5: found 'IcmZ.*expected `literal`"),
        (BINARY.rstrip("\n"), "line 10: found its end, expected an empty line"),
    ],
)
def test_what_is_broken_is_answered_with_its_line(text, said):
    with pytest.raises(FlawError, match=said):
        check_diff(text)
