"""What differs between two work directories, told from archives that are made here."""

from __future__ import annotations

import io
import tarfile
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swerun.errors import SandboxError
from swerun.ports import Changes
from swerun.sandbox.changes import LARGEST_FILE, changes_since, tree_of


@dataclass(frozen=True)
class File:
    data: bytes = b""
    mode: int = 0o644
    owner: int = 0
    time: int = 0


@dataclass(frozen=True)
class Folder:
    mode: int = 0o755


@dataclass(frozen=True)
class Link:
    """A symbolic link."""

    to: str


@dataclass(frozen=True)
class Twin:
    """Another name of a file that comes before it in the archive."""

    of: str


@dataclass(frozen=True)
class Pipe:
    pass


def header(name, entry):
    info = tarfile.TarInfo(name)
    match entry:
        case File(data, mode, owner, time):
            info.size, info.mode, info.uid, info.mtime = len(data), mode, owner, time
        case Folder(mode):
            info.type, info.mode = tarfile.DIRTYPE, mode
        case Link(to):
            info.type, info.linkname = tarfile.SYMTYPE, to
        case Twin(of):
            info.type, info.linkname = tarfile.LNKTYPE, f"testbed/{of}"
        case Pipe():
            info.type = tarfile.FIFOTYPE
    return info


def archive(entries, top="testbed", form=tarfile.PAX_FORMAT):
    """As the engine makes one: a folder's name before all that is in it."""
    made = io.BytesIO()
    with tarfile.open(
        fileobj=made, mode="w", format=form, encoding="utf-8", errors="surrogateescape"
    ) as tar:
        if top:
            tar.addfile(header(top, Folder()))
        for path, entry in entries.items():
            name = f"{top}/{path}" if top else path
            data = io.BytesIO(entry.data) if isinstance(entry, File) else None
            tar.addfile(header(name, entry), data)
    return made.getvalue()


def chunks(data, size=1000):
    return (data[i : i + size] for i in range(0, len(data), size))


@dataclass
class Folders:
    """A `fetch` of a work directory with these entries; remembers what was asked for."""

    entries: dict
    asked: tuple = ()

    def __call__(self, path):
        self.asked += (path,)
        if not path:
            return chunks(archive(self.entries))
        entry = self.entries[path]
        while isinstance(entry, Twin):
            entry = self.entries[entry.of]
        return chunks(archive({path.rpartition("/")[2]: entry}, top=""))


def changes(before, after):
    return changes_since(tree_of(chunks(archive(before))), Folders(after))


def kept(found: Changes):
    """What is in the tree of changes, by name."""
    with tarfile.open(
        fileobj=io.BytesIO(found.tree or bytes(1024)), encoding="utf-8", errors="surrogateescape"
    ) as tar:
        return {m.name: entry_of(tar, m) for m in tar}


def entry_of(tar, member):
    if member.isreg():
        return File(tar.extractfile(member).read(), member.mode)
    return Link(member.linkname) if member.issym() else Folder(member.mode)


BEFORE = {
    "a": File(b"1"),
    "run": File(b"#!", 0o755),
    "d": Folder(),
    "d/b": File(b"2"),
    "d/e": Folder(),
    "d/e/f": File(b"3"),
    "l": Link("a"),
    "ld": Link("d"),
    ".git": Folder(),
    ".git/HEAD": File(b"ref"),
}


def less(*paths):
    return {path: entry for path, entry in BEFORE.items() if path not in paths}


@pytest.mark.parametrize(
    ("after", "new", "deleted"),
    [
        (BEFORE, {}, ()),
        (BEFORE | {"a": File(b"1", owner=1000, time=99)}, {}, ()),
        (BEFORE | {"a": File(b"1", 0o600), "run": File(b"#!", 0o700)}, {}, ()),
        (BEFORE | {"d": Folder(0o700)}, {}, ()),
        (BEFORE | {"a": File(b"2")}, {"a": File(b"2")}, ()),
        (BEFORE | {"a": File(b"")}, {"a": File(b"")}, ()),
        (BEFORE | {"a": File(b"1", 0o755)}, {"a": File(b"1", 0o755)}, ()),
        (BEFORE | {"run": File(b"#!")}, {"run": File(b"#!")}, ()),
        (BEFORE | {"n": File(b"\0\xff")}, {"n": File(b"\0\xff")}, ()),
        (
            BEFORE | {"n": Folder(), "n/x": File(b"4")},
            {"n": Folder(), "n/x": File(b"4")},
            (),
        ),
        (less("a"), {}, ("a",)),
        (less("d", "d/b", "d/e", "d/e/f"), {}, ("d",)),
        (less("d/e", "d/e/f", "d/b"), {}, ("d/b", "d/e")),
        (BEFORE | {"l": Link("d/b")}, {"l": Link("d/b")}, ()),
        (BEFORE | {"l": File(b"1")}, {"l": File(b"1")}, ("l",)),
        (BEFORE | {"a": Link("l")}, {"a": Link("l")}, ("a",)),
        (
            BEFORE | {"a": Folder(), "a/x": File(b"5")},
            {"a": Folder(), "a/x": File(b"5")},
            ("a",),
        ),
        (
            less("d/b", "d/e", "d/e/f") | {"d": File(b"6")},
            {"d": File(b"6")},
            ("d",),
        ),
        (BEFORE | {"ld": Folder()}, {"ld": Folder()}, ("ld",)),
        (BEFORE | {"p": Pipe()}, {}, ()),
        (BEFORE | {"a": Pipe()}, {}, ("a",)),
    ],
)
def test_changes(after, new, deleted):
    found = changes(BEFORE, after)
    assert (kept(found), found.deleted, found.left_out) == (new, deleted, ())


@pytest.mark.parametrize("name", [".git", ".GIT", ".Git", "d/.git", "d/.git/hooks"])
def test_what_git_keeps_for_itself_in_any_spelling_is_no_change(name):
    assert changes(BEFORE, BEFORE | {name: Folder(), f"{name}/x": File(b"x")}) == Changes(b"")
    assert changes(BEFORE | {name: Folder(), f"{name}/x": File(b"x")}, BEFORE) == Changes(b"")


@pytest.mark.parametrize("name", [".gitignore", ".gitattributes", "git", "x.git", ".github"])
def test_what_only_sounds_like_git_is_a_change(name):
    assert kept(changes(BEFORE, BEFORE | {name: File(b"x")})) == {name: File(b"x")}


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
@pytest.mark.parametrize(
    "name",
    ["new\nline", "caf\udce9", "café", "-x", " ", "a\\b", "d/" + "0" * 250, "0/" * 90 + "x", "'\""],
)
def test_a_name_may_hold_any_bytes(form, name):
    entries = {name: File(b"x")}
    fetched = archive(entries, form=form)
    new = changes_since({}, lambda _: chunks(fetched))
    assert kept(new) == entries
    assert changes_since(tree_of([fetched]), lambda _: chunks(archive({}))).deleted == (name,)
    assert changes_since(tree_of([fetched]), lambda _: chunks(fetched)) == Changes(b"")


def test_another_name_of_a_file_is_a_file_of_its_own():
    after = BEFORE | {"a2": Twin("a"), "b2": Twin("d/b"), "d/b": File(b"new"), "c2": Twin("b2")}
    fetch = Folders(dict(sorted(after.items(), key=lambda e: isinstance(e[1], Twin))))
    found = changes_since(tree_of([archive(BEFORE)]), fetch)
    assert kept(found) == {
        "d/b": File(b"new"),
        "a2": File(b"1"),
        "b2": File(b"new"),
        "c2": File(b"new"),
    }


def test_a_file_that_became_another_name_of_one_with_the_same_bytes_is_no_change():
    before = BEFORE | {"z": File(b"1")}
    fetch = Folders(BEFORE | {"z": Twin("a")})
    assert changes_since(tree_of([archive(before)]), fetch) == Changes(b"")
    assert fetch.asked == ("",)


def test_a_file_too_large_for_any_patch_is_named_and_left_out():
    after = BEFORE | {"huge": File(bytes(LARGEST_FILE + 1)), "n": File(b"x")}
    found = changes(BEFORE, after)
    assert (kept(found), found.left_out) == ({"n": File(b"x")}, ("huge",))
    assert changes(after, after) == Changes(b""), "it was as large before"


def test_without_a_work_directory_all_of_it_is_deleted():
    def fetch(path):
        raise FileNotFoundError(path)
        yield b""

    assert changes_since(tree_of([archive(BEFORE)]), fetch).deleted == ("a", "d", "l", "ld", "run")


@pytest.mark.parametrize("instead", [File(b"x"), Link("/"), Pipe(), Folder()])
def test_what_stands_in_a_work_directorys_place_is_none_of_its_files(instead):
    fetched = archive({"testbed": instead}, top="")
    found = changes_since(tree_of([archive(BEFORE)]), lambda _: [fetched])
    assert (found.deleted, found.tree) == (("a", "d", "l", "ld", "run"), b"")


def whole(entries):
    """An archive as short as one can be, as the engine's are."""
    made = archive(entries)
    return made.rstrip(b"\0") + bytes(-len(made.rstrip(b"\0")) % 512) + bytes(1024)


def test_an_archive_that_breaks_off_anywhere_is_an_error_and_no_deletion():
    before = tree_of([whole(BEFORE)])
    fetched = whole(BEFORE)
    assert changes_since(before, lambda _: [fetched]) == Changes(b"")
    for length in [*range(0, len(fetched), 512), 1, 700, len(fetched) - 1]:
        with pytest.raises(SandboxError):
            changes_since(before, lambda _, length=length: chunks(fetched[:length], 300))


@pytest.mark.parametrize("data", [b"", b"\0" * 100, b"garbage" * 1000, b"x" * 512 + bytes(1024)])
def test_what_is_no_archive_is_an_error(data):
    with pytest.raises(SandboxError):
        changes_since({}, lambda _: [data])


names = st.sampled_from(["a", "b", "c"])
files = st.builds(File, st.sampled_from([b"", b"1", b"2"]), st.sampled_from([0o644, 0o755]))
trees = st.recursive(
    st.one_of(files, st.builds(Link, names)),
    lambda below: st.dictionaries(names, below, max_size=3),
    max_leaves=8,
)


def flat(tree, below=""):
    for name, entry in tree.items():
        if isinstance(entry, dict):
            yield f"{below}{name}", Folder()
            yield from flat(entry, f"{below}{name}/")
        else:
            yield f"{below}{name}", entry


def laid_over(entries, found):
    """What `found` makes of a work directory with these entries."""
    gone = [
        path for path in entries for d in found.deleted if path == d or path.startswith(d + "/")
    ]
    return {path: e for path, e in entries.items() if path not in gone} | kept(found)


@given(st.dictionaries(names, trees, max_size=3), st.dictionaries(names, trees, max_size=3))
def test_changes_laid_over_what_was_make_what_is(before, after):
    was, now = dict(flat(before)), dict(flat(after))
    assert laid_over(was, changes(was, now)) == now


@given(st.dictionaries(names, trees, max_size=3), st.integers(50, 3000))
def test_an_archive_may_come_in_any_pieces(tree, size):
    entries = dict(flat(tree))
    data = archive(entries)
    assert tree_of(chunks(data, size)) == tree_of([data])
