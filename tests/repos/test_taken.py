"""A git directory that came as an archive is laid out in its folder, whatever the archive says."""

from __future__ import annotations

import io
import tarfile
from itertools import count
from pathlib import Path

import pytest

from swerun.errors import ImageRefusedError, SandboxError
from swerun.repos.taken import Room, take

PACK = f"objects/pack/pack-{'a' * 40}.pack"
HOSTILE = [
    ("/etc/x", "f"),
    (".git/../../x", "f"),
    (".git/refs/../../../x", "f"),
    (".git//etc/x", "f"),
    ("../../x", "f"),
    (".git/refs/heads/a\nb", "f"),
    (".git/hooks/post-checkout", "f"),
    (".git/config", "f"),
    (".git/objects/info/alternates", "f"),
    (".git/refs", "s"),
    (".git/objects", "s"),
    (".git/refs/x", "s"),
    (".git/refs/y", "h"),
    (".git/refs/z", "b"),
    (".git/refs/p", "p"),
]
KINDS = {
    "f": tarfile.REGTYPE,
    "s": tarfile.SYMTYPE,
    "h": tarfile.LNKTYPE,
    "b": tarfile.BLKTYPE,
    "p": tarfile.FIFOTYPE,
    "d": tarfile.DIRTYPE,
}


def header(name, kind="f", size=0):
    member = tarfile.TarInfo(name)
    member.type, member.size, member.linkname = KINDS[kind], size, ""
    if kind in "sh":
        member.linkname = "../../../outside"
    return member


def archive(*members):
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        folder = tarfile.TarInfo(".git")
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
        for member, data in members:
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return [made.getvalue()]


def below(folder):
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if not p.is_dir()}


@pytest.mark.parametrize(("name", "kind"), HOSTILE)
def test_no_member_is_laid_out_elsewhere_or_as_what_git_would_obey(tmp_path, name, kind):
    (tmp_path / "outside").mkdir()
    folder = tmp_path / "a" / "b" / "taken"
    hostile = header(name, kind), b"[core]\nhooksPath = x\n" if kind == "f" else b""
    after = header(".git/refs/heads/main"), b"0" * 40
    try:
        take("/testbed/.git", archive(hostile, after), folder)
    except FileNotFoundError:  # no engine makes such an archive of a folder
        assert ".." in name
    texts = {"HEAD", "config", "config.taken", "refs/heads/main"}
    assert below(tmp_path) <= {f"a/b/taken/{text}" for text in texts}
    assert not any(path.is_symlink() for path in tmp_path.rglob("*"))
    config = folder / "config"
    assert not config.exists() or "hooksPath" not in config.read_text()
    assert not Path("/etc/x").exists()


def test_a_file_that_is_written_through_a_link_before_it_stays_inside(tmp_path):
    (tmp_path / "outside").mkdir()
    members = [(header(".git/refs/heads", "s"), b""), (header(".git/refs/heads/main"), b"1")]
    take("/testbed/.git", archive(*members), tmp_path / "a" / "b" / "taken")
    assert below(tmp_path) == {
        f"a/b/taken/{text}" for text in ("HEAD", "config", "refs/heads/main")
    }


@pytest.mark.parametrize("what", ["bytes", "files", "text"])
def test_a_git_directory_without_end_is_refused_with_words_and_read_no_further(tmp_path, what):
    read = count()

    def endless():
        yield header(".git", "d").tobuf()
        for number in count():
            data = bytes(1 << 20) if what != "files" else b""
            name = f".git/{number}" if what != "bytes" else f".git/objects/pack/{number}"
            next(read)
            yield header(name, size=len(data)).tobuf() + data

    room = Room(files=1000, size=8 << 20 if what == "bytes" else 16 << 30, text=4 << 20)
    with pytest.raises(ImageRefusedError, match="in the image has more in it than any repository"):
        take("/testbed/.git", endless(), tmp_path / "taken", room)
    assert next(read) < 4000  # a buffer more than it is told of
    assert sum(path.stat().st_size for path in (tmp_path / "taken").rglob("*")) < 9 << 20


def test_a_file_that_says_it_is_larger_than_any_disk_is_refused_before_it_is_read(tmp_path):
    huge = header(f".git/{PACK}", size=1 << 40).tobuf()
    with pytest.raises(ImageRefusedError):
        take("/testbed/.git", [header(".git", "d").tobuf(), huge], tmp_path / "taken")
    assert below(tmp_path) == set()


def test_an_archive_that_breaks_off_is_an_error(tmp_path):
    whole = archive((header(f".git/{PACK}"), bytes(4096)))[0]
    with pytest.raises(SandboxError):
        take("/testbed/.git", [whole[:3000]], tmp_path / "taken")
