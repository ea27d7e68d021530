"""Notes on images, and who uses one."""

from __future__ import annotations

import subprocess
import sys

import pytest

from swerun.images.ledger import Ledger, Note

NOTE = Note(image="org/x:1", id="sha256:1", names=("org/x:1", "mirror/org/x:1"), run="r")


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path / "notes")


def test_a_note_is_found_by_its_image_until_it_is_forgotten(ledger):
    assert ledger.note("org/x:1") is None
    assert ledger.notes() == []
    ledger.write(NOTE)
    ledger.write(other := NOTE.model_copy(update={"image": "org/y:1"}))
    assert ledger.note("org/x:1") == NOTE
    assert sorted(ledger.notes(), key=lambda note: note.image) == [NOTE, other]
    ledger.forget("org/x:1")
    ledger.forget("org/x:1")
    assert ledger.note("org/x:1") is None
    assert ledger.notes() == [other]


def test_a_newer_note_replaces_an_older_one(ledger):
    ledger.write(NOTE)
    ledger.write(newer := NOTE.model_copy(update={"id": "sha256:2"}))
    assert ledger.notes() == [newer]


def test_a_note_that_is_broken_or_of_another_version_is_none(ledger):
    ledger.write(NOTE)
    (file,) = ledger.folder.glob("*.json")
    for text in ("", "{", '{"image": "org/x:1"}', NOTE.model_dump_json()[:-1] + ', "more": 1}'):
        file.write_text(text)
        assert ledger.note("org/x:1") is None


def test_an_image_is_unused_only_while_nobody_uses_it(ledger):
    def unused():
        with ledger.unused("org/x:1") as unused:
            return unused

    assert unused()
    with ledger.in_use("org/x:1"):
        with ledger.in_use("org/x:1"):
            assert not unused()
        assert not unused()
        with ledger.unused("org/y:1") as other:
            assert other
    assert unused()


HOLD = """
import sys
from pathlib import Path
from swerun.images.ledger import Ledger
with Ledger(Path(sys.argv[1])).in_use("org/x:1"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_another_processs_use_counts_and_ends_with_it(ledger):
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, ledger.folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "held\n"
        with ledger.unused("org/x:1") as unused:
            assert not unused
        process.kill()
    with ledger.unused("org/x:1") as unused:
        assert unused
