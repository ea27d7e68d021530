"""The base image: not made twice, made of an image of Debian's or of packages, or an error."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from swerun.errors import ImageError
from swerun.images.base import MAKER, STARTS, SUITE, BaseMaker, apt_sources
from swerun.images.build import INPUTS, Settings, build, digest_of, image_id
from swerun.packaged import packaged
from tests.images.conftest import imported, pack, pushed
from tests.images.registry import free_port

pytestmark = pytest.mark.docker
INPUTS_NOW = digest_of(packaged("images/base"))
PACKAGES = (packaged("images/base") / "packages.txt").read_text().split()


@pytest.fixture
def said():
    return []


@pytest.fixture
def maker(engine, named, tmp_path, said):
    """A maker of a base of a name of its own, that knows no image to start from."""
    return BaseMaker(engine, tmp_path / "cache", said.append, starts=(), image=named())


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """The folder of the only programs that there are."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def program(folder, name, script):
    file = folder / name
    file.write_text(f"#!/bin/sh\nPATH=/usr/sbin:/usr/bin:/sbin:/bin\n{script}\n")
    file.chmod(0o755)
    return file


@pytest.fixture
def makes(programs, tmp_path):
    """Put a program into the place of mmdebstrap that makes a tree of one file in no time.

    The file that this returns has a line for each time it ran.
    """
    tree, asked = tmp_path / "tree.tar", tmp_path / "asked"
    tree.write_bytes(pack({"made": b"by a stand-in"}))

    def put(folder: Path = programs) -> Path:
        asked.touch()
        copy = f'for each; do case "$each" in *.tar) cp {tree} "$each" ;; esac; done'
        program(folder, MAKER, f'sleep 0.5\necho "$@" >> {asked}\n{copy}')
        return asked

    return put


def refused(maker, *words):
    with pytest.raises(ImageError) as caught:
        maker.ensure()
    for each in words:
        assert each in str(caught.value)
    assert image_id(maker.client, maker.image) is None
    return str(caught.value)


def nowhere():
    """The name of an image at a registry that is not there."""
    return f"127.0.0.1:{free_port()}/debian:bookworm-slim"


def test_a_base_of_the_inputs_as_they_are_is_not_made_again(maker, makes):
    asked = makes()
    made = maker.ensure()
    assert maker.ensure() == made == image_id(maker.client, maker.image, inputs=INPUTS_NOW)
    assert len(asked.read_text().splitlines()) == 1


def test_a_base_of_other_inputs_is_made_anew(maker, makes, context):
    old = build(maker.client, context, maker.image, Settings(), labels={INPUTS: "other"})
    makes()
    assert maker.ensure() != old
    assert maker.client.images.get(maker.image).labels[INPUTS] == INPUTS_NOW


def test_a_base_of_packages_has_all_of_the_list_and_is_where_the_tests_run(maker, makes):
    asked = makes()
    maker.ensure()
    words = asked.read_text().split()
    assert f"--include={','.join(PACKAGES)}" in words
    assert f"--dpkgopt={packaged('images/base') / 'dpkg.cfg'}" in words
    assert SUITE in words
    made = maker.client.images.get(maker.image).attrs["Config"]
    assert (made["WorkingDir"], made["Cmd"]) == ("/testbed", ["bash"])


def test_a_base_is_made_of_an_image_of_debians_that_is_here(
    maker, base_image, said, named, tmp_path
):
    """On a stand-in for one, which lacks a package of the list."""
    (tmp_path / "Dockerfile").write_text(f"FROM {base_image}\nRUN dpkg --purge procps\n")
    start = named()
    maker.client.images.build(path=str(tmp_path), tag=start, network_mode="none", rm=True)
    made = replace(maker, starts=(nowhere(), start)).ensure()
    assert said == [f"building {maker.image} from {start}"]
    assert made == image_id(maker.client, maker.image, inputs=INPUTS_NOW)
    look = "pwd && dpkg-query --show --showformat '${db:Status-Status}\\n' \"$@\" && ps --version"
    printed = maker.client.containers.run(
        maker.image, ["bash", "-ec", look, "bash", *PACKAGES], network_mode="none", remove=True
    )
    where, *states, version = printed.decode().splitlines()[: len(PACKAGES) + 2]
    assert (where, set(states)) == ("/testbed", {"installed"})
    assert version.startswith("ps from procps")


def test_what_the_base_starts_from_is_pulled_from_a_mirror_where_there_is_one(
    maker, said, registry, named, programs
):
    official = named()
    pushed(maker.client, imported(maker.client, f"{registry.address}/hub/{official}"))
    by_mirror = replace(maker, starts=(official,), registry=f"{registry.address}/hub")
    refused(by_mirror, "building")  # there is no shell in it
    assert said == [f"building {maker.image} from {registry.address}/hub/{official}"]
    maker.client.images.remove(f"{registry.address}/hub/{official}")


def test_of_an_image_that_can_be_pulled_is_known_before_packages_are_tried(
    maker, said, registry, named, programs
):
    """The one that is pulled has no shell in it, so that its build ends in an error at once."""
    absent, there = named(registry.address), imported(maker.client, named(registry.address))
    pushed(maker.client, there)
    words = refused(replace(maker, starts=(absent, there)), absent, f"building {maker.image} from")
    assert f"building {maker.image} from {there}" in said
    assert words.index("building") < words.index(MAKER)


def test_where_an_image_cannot_be_built_on_packages_are_tried(maker, tiny, makes, said):
    makes()
    assert replace(maker, starts=(tiny,)).ensure()
    assert [line.partition(" ")[0] for line in said] == ["building", "making"]


def test_where_there_is_no_way_the_error_says_what_was_tried_and_what_to_install(maker, programs):
    first, second = nowhere(), nowhere()
    words = refused(
        replace(maker, starts=(first, second)),
        first,
        "connection refused",
        f"{MAKER}: it is not installed",
        f"sudo apt-get install {MAKER}",
        "swerun images base --install",
        f"pull {STARTS[0]}",
        "docker load",
    )
    assert second not in words  # it is not at the registry that does not answer, either


def test_what_a_maker_that_failed_said_last_is_in_the_error(maker, programs):
    program(programs, MAKER, "seq 10000; echo no mirror answers >&2; exit 25")
    words = refused(maker, "exit code 25", "no mirror answers", f"--include={PACKAGES[0]}")
    assert "\n1\n" not in words


@pytest.mark.parametrize("install", [False, True])
def test_what_makes_it_is_installed_only_where_that_is_allowed_and_by_root(
    maker, makes, programs, tmp_path, said, install
):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    asked = makes(elsewhere)
    calls = tmp_path / "calls"
    put = f'case "$1" in install) cp {elsewhere}/{MAKER} {programs}/ ;; esac'
    program(programs, "apt-get", f'echo "$1 $3" >> {calls}\n{put}')
    maker = replace(maker, install=install)
    if install and os.geteuid() == 0:
        assert maker.ensure()
        assert calls.read_text().splitlines()[:2] == ["update ", f"install {MAKER}"]
        assert len(asked.read_text().splitlines()) == 1
    else:
        refused(maker, f"{MAKER}: it is not installed")
        assert not calls.exists()


MAKE = """
import os, sys
from pathlib import Path
from swerun.images.base import BaseMaker
from swerun.sandbox.client import connect

client = connect(os.environ)
print(BaseMaker(client, Path(sys.argv[1]), lambda _: None, starts=(), image=sys.argv[2]).ensure())
client.close()
"""


def test_two_processes_do_not_make_it_at_once(maker, makes):
    asked = makes()
    command = [sys.executable, "-c", MAKE, str(maker.cache), maker.image]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    made = [process.communicate(timeout=60)[0].strip() for process in started]
    assert [process.returncode for process in started] == [0, 0]
    assert made == [image_id(maker.client, maker.image)] * 2
    assert len(asked.read_text().splitlines()) == 1


ARCHIVE = """Origin: {origin}
Suite: {suite}
Codename: {suite}
Architectures: amd64 arm64 i386
Components: main
SHA256:
 {sum} {size} main/binary-amd64/Packages
"""
INDEX = b"Package: thing\nVersion: 1\nArchitecture: all\nFilename: thing.deb\nSize: 1\n\n"
APT = """
Dir::State "{folder}/state";
Dir::State::status "{folder}/status";
Dir::Cache "{folder}/cache";
Dir::Etc::sourcelist "{folder}/sources.list";
Dir::Etc::sourceparts "/dev/null";
APT::Architecture "amd64";
APT::Sandbox::User "root";
"""


@pytest.fixture
def apt(tmp_path, monkeypatch):
    """Let apt have these archives, (origin, suite), and no others. Returns the folder they are in.

    A real apt, of which nothing is asked that is not in a folder of the test's.
    """

    if not shutil.which("apt-get"):
        pytest.skip("this machine is not of Debian's kind: there is no apt-get")

    def having(*archives):
        for each in ("state/lists/partial", "cache/archives/partial"):
            (tmp_path / each).mkdir(parents=True)
        (tmp_path / "status").touch()
        lines = []
        for origin, suite in archives:
            folder = tmp_path / origin
            lists = folder / "dists" / suite / "main" / "binary-amd64"
            lists.mkdir(parents=True)
            (lists / "Packages").write_bytes(INDEX)
            digest = hashlib.sha256(INDEX).hexdigest()
            release = ARCHIVE.format(origin=origin, suite=suite, sum=digest, size=len(INDEX))
            (folder / "dists" / suite / "Release").write_text(release)
            lines.append(f"deb [trusted=yes] file:{folder} {suite} main\n")
        (tmp_path / "sources.list").write_text("".join(lines))
        (tmp_path / "apt.conf").write_text(APT.format(folder=tmp_path))
        monkeypatch.setenv("APT_CONFIG", str(tmp_path / "apt.conf"))
        subprocess.run(["apt-get", "update", "--quiet"], check=True, capture_output=True)
        return tmp_path

    return having


def test_the_mirror_of_this_machine_is_used_with_its_updates_and_nobody_elses_archive(apt):
    folder = apt(
        ("Debian", SUITE), ("Debian", f"{SUITE}-security"), ("Debian", "trixie"), ("Docker", SUITE)
    )
    mirror = f"deb file:{folder}/Debian/"
    assert sorted(apt_sources()) == [f"{mirror} {SUITE} main", f"{mirror} {SUITE}-security main"]


@pytest.mark.parametrize("archive", [("Debian", "trixie"), ("Ubuntu", "noble"), ("Docker", SUITE)])
def test_a_machine_of_another_suite_has_no_mirror_for_the_base(apt, archive):
    apt(archive)
    assert apt_sources() == []


def test_a_machine_without_apt_has_no_mirror_for_the_base(programs):
    assert apt_sources() == []
