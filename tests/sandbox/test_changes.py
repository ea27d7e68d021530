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
from swerun.sandbox.changes import Bounds, changes_since, tree_of


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


def changes(before, after, **bounds):
    return changes_since(tree_of(chunks(archive(before))), chunks(archive(after)), Bounds(**bounds))


def kept(found: Changes):
    """What is in the tree of changes, by name."""
    with tarfile.open(
        fileobj=io.BytesIO(found.tree or bytes(1024)), encoding="utf-8", errors="surrogateescape"
    ) as tar:
        return {m.name: entry_of(tar, m) for m in tar}


def entry_of(tar, member):
    if member.isreg():
        return File(tar.extractfile(member).read(), member.mode)
    if member.islnk():
        return Twin(member.linkname)
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
    new = changes_since({}, chunks(fetched))
    assert kept(new) == entries
    assert changes_since(tree_of([fetched]), chunks(archive({}))).deleted == (name,)
    assert changes_since(tree_of([fetched]), chunks(fetched)) == Changes(b"")


def twins_last(entries):
    return dict(sorted(entries.items(), key=lambda entry: isinstance(entry[1], Twin)))


def test_another_name_of_a_file_is_one_in_the_tree_too_whose_ever_the_file_is():
    after = BEFORE | {"a2": Twin("a"), "b2": Twin("d/b"), "d/b": File(b"new"), "c2": Twin("b2")}
    assert kept(changes(BEFORE, twins_last(after))) == {
        "d/b": File(b"new"),
        "a2": Twin("a"),
        "b2": Twin("d/b"),
        "c2": Twin("b2"),
    }


def test_a_file_that_became_another_name_of_one_with_the_same_bytes_is_no_change():
    before = BEFORE | {"z": File(b"1")}
    assert changes(before, BEFORE | {"z": Twin("a")}) == Changes(b"")


@pytest.mark.parametrize("of", [".git/HEAD", "huge"])
def test_another_name_of_what_is_left_out_is_left_out(of):
    after = BEFORE | {"huge": File(bytes(11)), "z": Twin(of), "zz": Twin("z"), "n": File(b"x")}
    found = changes(BEFORE, after, file=10)
    assert (kept(found), found.left_out) == ({"n": File(b"x")}, ("huge", "z", "zz"))


def test_of_too_much_the_largest_is_left_out_whatever_came_first():
    many = {f"j{i}": File(bytes(50 + i)) for i in range(9)}
    after = BEFORE | many | {"j5": File(bytes(60)), "j9": Twin("j5"), "a": File(b"fix")}
    found = changes(BEFORE, after, tree=120)
    assert set(kept(found)) == {"a", "j0", "j1"}
    assert found.left_out == ("j2", "j3", "j4", "j5", "j6", "j7", "j8", "j9")


def test_so_many_new_files_do_not_keep_a_change_of_an_old_one_out():
    many = {f"1{i:04}": File(b"") for i in range(2000)}
    found = changes(BEFORE, many | BEFORE | {"a": File(b"fix")}, new=3)
    assert set(kept(found)) == {"10000", "10001", "10002", "a"}
    assert found.left_out == ("and 1,997 more",)
    large = {name: File(bytes(11)) for name in many}
    named = changes(BEFORE, large | BEFORE, file=10).left_out
    assert (len(named), named[0], named[-1]) == (1001, "10000", "and 1,000 more")


@pytest.mark.parametrize("bounds", [{"read": 1000}, {"entries": 6}])
def test_what_is_not_read_any_more_counts_as_unchanged_and_is_said(bounds):
    after = {"a": File(b"fix"), "l": File(b"1"), "n1": Folder(), "n2": Folder()}
    after |= {"n3": File(bytes(990)), "n4": File(bytes(20)), "run": File(b"lost")}
    found = changes(BEFORE, after, **bounds)
    assert found.deleted == ("l",), "a link that is a file now: it was seen"
    assert {"a", "l", "n1", "n2"} <= set(kept(found)) <= {"a", "l", "n1", "n2", "n3"}
    assert "which was not read" in found.left_out[-1]


def test_an_archive_of_endless_files_is_read_no_further():
    def endless():
        yield archive({}).rstrip(b"\0") + bytes(-len(archive({}).rstrip(b"\0")) % 512)
        while True:
            info = header("testbed/big", File(bytes(1 << 20)))
            yield info.tobuf() + bytes(1 << 20)

    found = changes_since({}, endless(), Bounds(read=5 << 20))
    assert "which was not read" in found.left_out[-1]


def test_a_file_too_large_for_any_patch_is_named_and_left_out():
    after = BEFORE | {"huge": File(bytes(Bounds().file + 1)), "n": File(b"x")}
    found = changes(BEFORE, after)
    assert (kept(found), found.left_out) == ({"n": File(b"x")}, ("huge",))
    assert changes(after, after) == Changes(b""), "it was as large before"


def test_without_a_work_directory_all_of_it_is_deleted():
    def nothing():
        raise FileNotFoundError
        yield b""

    found = changes_since(tree_of([archive(BEFORE)]), nothing())
    assert found.deleted == ("a", "d", "l", "ld", "run")


@pytest.mark.parametrize("instead", [File(b"x"), Link("/"), Pipe(), Folder()])
def test_what_stands_in_a_work_directorys_place_is_none_of_its_files(instead):
    fetched = archive({"testbed": instead}, top="")
    found = changes_since(tree_of([archive(BEFORE)]), [fetched])
    assert (found.deleted, found.tree) == (("a", "d", "l", "ld", "run"), b"")


def whole(entries):
    """An archive as short as one can be, as the engine's are."""
    made = archive(entries)
    return made.rstrip(b"\0") + bytes(-len(made.rstrip(b"\0")) % 512) + bytes(1024)


def test_an_archive_that_breaks_off_anywhere_is_an_error_and_no_deletion():
    before = tree_of([whole(BEFORE)])
    fetched = whole(BEFORE)
    assert changes_since(before, [fetched]) == Changes(b"")
    for length in [*range(0, len(fetched), 512), 1, 700, len(fetched) - 1]:
        with pytest.raises(SandboxError):
            changes_since(before, chunks(fetched[:length], 300))


@pytest.mark.parametrize("data", [b"", b"\0" * 100, b"garbage" * 1000, b"x" * 512 + bytes(1024)])
def test_what_is_no_archive_is_an_error(data):
    with pytest.raises(SandboxError):
        changes_since({}, [data])


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
