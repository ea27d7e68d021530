"""What an audit finds in an image; that cleaning leaves nothing of it, and all else as it was."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pip
import pytest

from swerun.errors import ImageRefusedError, InstanceError
from swerun.images.audit import audit
from swerun.images.clean import changed
from tests.images.planted import HONEST, LEAKS, STAYING, FolderPlace, a_task, an_image, plant, shell
from tests.images.planted import upstream as made_upstream

# what the agent works with: where it stands, what differs from that, how its history looks
SEEN = """
git rev-parse HEAD
git symbolic-ref -q HEAD || echo detached
git status --porcelain --ignored
git --no-replace-objects log --format='%H %s %T'
"""
# the only cleaning that can be seen
UNSTAGED = {"what is staged"}


@pytest.fixture(scope="module")
def upstream(tmp_path_factory):
    return made_upstream(tmp_path_factory.mktemp("project") / "cron")


@pytest.fixture(scope="module")
def template(tmp_path_factory, upstream):
    return an_image(tmp_path_factory.mktemp("template") / "image", upstream)


@pytest.fixture
def place(tmp_path, template):
    shutil.copytree(template.root, tmp_path / "image", symlinks=True)
    return FolderPlace(tmp_path / "image")


@pytest.fixture
def look(place, upstream, tmp_path):
    """Audit the image as it is now."""

    def looked(**changes):
        folder = tmp_path / f"scratch-{len(list(tmp_path.iterdir()))}"
        return audit(place, a_task(upstream).model_copy(update=changes), folder)

    return looked


def seen(place):
    return shell(SEEN, place.root / "testbed")


@pytest.mark.parametrize("name", LEAKS)
def test_a_leak_is_found_and_gone_after_cleaning_and_nothing_else_is(
    name, place, look, upstream, tmp_path
):
    kind, script = LEAKS[name]
    plant(script, place, upstream)
    before = seen(place)
    found = look()
    assert kind in [str(leak.kind) for leak in found.leaks]
    assert not [leak for leak in found.leaks if leak.stays]
    changed(place, found, tmp_path)
    assert look().leaks == ()
    shell("git fsck --full --strict", place.root / "testbed")
    if name not in UNSTAGED:
        assert seen(place) == before


@pytest.mark.parametrize("name", HONEST)
def test_what_shows_nothing_of_the_future_is_no_leak(name, place, look, upstream):
    plant(HONEST[name], place, upstream)
    found = look()
    assert (found.leaks, found.repositories, found.removed) == ((), (), ())


@pytest.mark.parametrize("name", STAYING)
def test_what_cannot_be_removed_is_said_with_the_reason_and_stays(
    name, place, look, upstream, tmp_path
):
    kind, why, script = STAYING[name]
    plant(script, place, upstream)
    found = look()
    (leak,) = [leak for leak in found.leaks if leak.kind == kind]
    assert why in leak.stays
    assert why in str(leak)
    changed(place, found, tmp_path)
    assert leak in look().leaks


def test_a_leak_says_what_it_shows_and_how_much_later_that_is(place, look, upstream):
    plant(LEAKS["a tag"][1], place, upstream)
    plant(LEAKS["a remote"][1], place, upstream)
    tag, remote, objects = look().leaks
    assert str(tag).startswith("tag: /testbed/.git: refs/tags/later: commit ")
    assert str(tag).endswith(
        "2024-03-01, 'Fix comments at the end of lines' (29.0 days later than the base)"
    )
    assert remote.what == "https://example.org/org/cron.git"
    assert objects.what == "4 blob(s), 2 commit(s), 5 tree(s)"


def test_a_repository_of_the_longer_hashes_is_read_and_cleaned_too(place, look, upstream, tmp_path):
    plant(
        "rm -rf .git; git init -q --object-format=sha256; git add -A; git commit -qm SWE-bench; "
        "git tag it; echo later >>cron/parse.py; git commit -qam Later; git branch next; "
        "git reset -q --hard it",
        place,
        upstream,
    )
    plant("export_to /srv/src main~2", place, upstream)
    before = seen(place)
    found = look()
    kinds = [str(leak.kind) for leak in found.leaks]
    assert kinds == ["branch", "reflog", "pointer", "object"]
    changed(place, found, tmp_path)
    assert look().leaks == ()
    assert seen(place) == before


def test_what_an_image_cannot_tell_counts_as_a_leak(place, upstream, tmp_path):
    class Mute(FolderPlace):
        def names(self):
            raise ImageRefusedError("find in the image ended with exit code 127: not found")

    (leak,) = audit(Mute(place.root), a_task(upstream), tmp_path / "scratch").leaks
    assert (leak.kind, leak.where) == ("unreadable", "/")
    assert "exit code 127" in leak.what
    assert leak.stays


@pytest.mark.parametrize("spoil", ["rm -rf .git", "rm -rf .git; echo 'gitdir: ../x' >.git"])
def test_a_work_directory_without_a_repository_is_the_instances_fault(place, look, upstream, spoil):
    plant(spoil, place, upstream)
    with pytest.raises(InstanceError, match=r"/testbed/.git is no folder in the image made"):
        look()


@pytest.mark.parametrize("spoil", ["git update-ref -d HEAD", "rm -rf .git/objects/??"])
def test_a_repository_without_its_commit_is_the_instances_fault(place, look, upstream, spoil):
    plant(spoil, place, upstream)
    with pytest.raises(InstanceError, match=r"the repository /testbed/.git cannot be read"):
        look()


# a project called requests, of which pip has a later version
OLDER = """
cp -r "$UP" requests; rm -rf requests/__pycache__
for file in requests/*.py; do echo '# older' >>$file; done
git add -A; git commit -qm SWE-bench
"""


@pytest.fixture
def with_pip(place):
    """The image with the pip that these tests have, unpacked and as a wheel."""
    site, wheels = place.root / "site", place.root / "opt" / "ensurepip" / "_bundled"
    source = Path(pip.__file__).parent
    shutil.copytree(source, site / "pip", ignore=shutil.ignore_patterns("__pycache__"))
    wheels.mkdir(parents=True)
    shutil.make_archive(str(wheels / "pip-9"), "zip", site)
    (wheels / "pip-9.zip").rename(wheels / "pip-9-py3-none-any.whl")
    (wheels / "pip-9.tar.bz2").write_bytes(b"of conda's")
    plant(OLDER, place, source / "_vendor" / "requests")
    return place


def test_a_later_requests_of_pips_gives_way_to_a_stand_in(with_pip, look, tmp_path):
    found = look(repo="psf/requests")
    assert [(str(leak.kind), leak.where, leak.stays) for leak in found.leaks] == [
        ("copy", "/site/pip/_vendor", ""),
        ("archive", "/opt/ensurepip/_bundled", ""),
        ("archive", "/opt/ensurepip/_bundled", ""),
    ]
    assert "it is a part of /site/pip/_vendor: a stand-in takes its place" in str(found.leaks[0])
    changed(with_pip, found, tmp_path)
    assert look(repo="psf/requests").leaks == ()
    left = [path.name for path in (with_pip.root / "site/pip/_vendor/requests").rglob("*")]
    assert left == ["__init__.py"]
    assert not (with_pip.root / "opt/ensurepip/_bundled/pip-9.tar.bz2").exists()


def test_pip_works_with_the_stand_in_and_connects_to_nothing(with_pip, look, tmp_path):
    changed(with_pip, look(repo="psf/requests"), tmp_path)
    with zipfile.ZipFile(tmp_path / "it-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr("it.py", "")
        wheel.writestr("it-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: it\nVersion: 1\n")
        wheel.writestr("it-1.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr("it-1.dist-info/RECORD", "")

    def pip_says(where, *words):
        asked = [sys.executable, "-m", "pip", *words]
        env = os.environ | {"PYTHONPATH": str(with_pip.root / where)}
        done = subprocess.run(asked, env=env, cwd=tmp_path, capture_output=True, text=True)
        return done.stdout + done.stderr

    install = ("install", "--no-compile", "--target", "there", "it-1-py3-none-any.whl")
    packed = "opt/ensurepip/_bundled/pip-9-py3-none-any.whl"
    assert "Successfully installed it-1" in pip_says("site", *install)
    assert "Successfully installed it-1" in pip_says(packed, *install, "--upgrade")
    said = pip_says("site", "download", "-vv", "pytest")
    assert "connection error: pip._vendor.requests cannot connect to anything here" in said
    assert "No matching distribution found for pytest" in said


def test_a_wheel_of_pips_in_the_work_directory_stays(place, look):
    (place.root / "testbed" / "pip-9-py3-none-any.whl").write_bytes(b"")
    (leak,) = look(repo="psf/requests").leaks
    assert leak.stays == "it is in the work directory"


@pytest.mark.parametrize("data", [b"", b"PK\5\6" + b"\0" * 18, b"no archive"])
def test_a_wheel_without_the_project_stays_as_it_is(place, look, data):
    (place.root / "opt" / "pip-9-py3-none-any.whl").write_bytes(data)
    assert look(repo="psf/requests").leaks == ()


def test_a_wheel_that_is_too_large_to_be_read_stays_a_leak(place, look):
    with zipfile.ZipFile(place.root / "opt" / "pip-9-py3-none-any.whl", "w", 8) as wheel:
        wheel.writestr("pip/large", bytes(65 << 20))
    (leak,) = look(repo="psf/requests").leaks
    assert leak.stays == "it is too large to be read"
