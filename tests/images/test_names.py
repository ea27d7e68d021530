"""Names of images, as the engine reads them; at a mirror; pinned."""

from __future__ import annotations

import pytest

from swerun.images.names import Name, mirrored, parsed, pinned, same_repository

DIGEST = f"sha256:{'a' * 64}"


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("debian", Name("docker.io", "library/debian", "latest")),
        ("swebench/x:v1", Name("docker.io", "swebench/x", "v1")),
        ("docker.io/swebench/x", Name("docker.io", "swebench/x", "latest")),
        ("index.docker.io/swebench/x", Name("docker.io", "swebench/x", "latest")),
        ("ghcr.io/a/b/c:2", Name("ghcr.io", "a/b/c", "2")),
        ("localhost/x", Name("localhost", "x", "latest")),
        ("localhost:5000/x", Name("localhost:5000", "x", "latest")),
        ("127.0.0.1:5000/x:3", Name("127.0.0.1:5000", "x", "3")),
        (f"swebench/x@{DIGEST}", Name("docker.io", "swebench/x", "latest", DIGEST)),
    ],
)
def test_a_name_is_read_as_the_engine_reads_it(image, name):
    assert parsed(image) == name


@pytest.mark.parametrize(
    ("image", "there"),
    [
        ("swebench/x:latest", "mirror:5000/hub/swebench/x:latest"),
        ("swebench/x", "mirror:5000/hub/swebench/x:latest"),
        ("ghcr.io/org/x:1", "mirror:5000/hub/org/x:1"),
        ("debian:bookworm-slim", "mirror:5000/hub/library/debian:bookworm-slim"),
        (f"org/x@{DIGEST}", f"mirror:5000/hub/org/x@{DIGEST}"),
    ],
)
@pytest.mark.parametrize("prefix", ["mirror:5000/hub", "mirror:5000/hub/"])
def test_a_mirror_is_in_the_place_of_the_registry(image, there, prefix):
    assert mirrored(image, prefix) == there


def test_without_a_mirror_a_name_is_left_as_it_is():
    assert mirrored("debian", None) == "debian"


@pytest.mark.parametrize(
    ("image", "exactly"),
    [
        ("org/x:latest", f"org/x@{DIGEST}"),
        ("org/x", f"org/x@{DIGEST}"),
        ("localhost:5000/x:1", f"localhost:5000/x@{DIGEST}"),
        ("localhost:5000/x", f"localhost:5000/x@{DIGEST}"),
        (f"org/x@{DIGEST}", f"org/x@{DIGEST}"),
    ],
)
def test_a_pinned_name_has_the_digest_in_place_of_its_tag(image, exactly):
    assert pinned(image, DIGEST) == exactly
    assert pinned(image, None) == image


def test_one_repository_is_known_by_all_its_names():
    assert same_repository("docker.io/library/debian:1", f"debian@{DIGEST}")
    assert not same_repository("localhost:5000/debian", "debian")
