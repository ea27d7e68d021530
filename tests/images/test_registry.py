"""What a registry says of an image, by a real one; and logins, by a small one of ours."""

from __future__ import annotations

import http.server
import json
import threading
from contextlib import contextmanager

import pytest

from swerun.errors import ImageBusyError, ImageError, ImageMissingError
from swerun.images.here import here, layers_of
from swerun.images.names import parsed
from swerun.images.registry import GUESS, Registries, RemoteLayer, is_insecure
from tests.images.conftest import layered, noise, pushed
from tests.images.front import Fault


@pytest.fixture
def registries(engine, tmp_path):
    return Registries.of(engine, tmp_path / "manifests", None)


@pytest.mark.docker
def test_the_bytes_and_layers_of_an_image_are_known_before_it_is_pulled(
    engine, front, served, registries
):
    image = served(noise(300), noise(500))
    remote = registries.look(image)
    assert [layer.bytes for layer in remote.layers] == pytest.approx([300_000, 500_000], rel=0.02)
    unpacked = {layer.chain: registries.unpacked(image, layer) for layer in remote.layers}
    front.served.clear()
    engine.images.pull(image)
    found = here(engine, image)
    assert found.digest(image) == remote.digest
    assert tuple(layer.chain for layer in remote.layers) == found.chains
    # of a layer's archive, which is a little more than the files in it
    for chain, size in layers_of(engine, found).items():
        assert size <= unpacked[chain] <= size + 10_240
    transferred = sum(one.bytes for one in front.served if one.bytes > 100_000)
    assert transferred == sum(layer.bytes for layer in remote.layers)


@pytest.mark.docker
def test_what_unpacks_to_much_more_is_known_without_reading_it(front, served, registries):
    image = served(b"x" * 3_000_000)
    (layer,) = registries.look(image).layers
    front.served.clear()
    assert 3_000_000 <= registries.unpacked(image, layer) <= 3_020_000
    assert registries.unpacked(image, layer)
    assert [one.bytes for one in front.served] == [4]


@pytest.mark.parametrize("kind", ["application/vnd.oci.image.layer.v1.tar+zstd", ""])
def test_of_what_has_no_such_end_it_is_guessed(tmp_path, kind):
    layer = RemoteLayer(chain="1", digest="sha256:1", bytes=1000, kind=kind)
    assert Registries(tmp_path, "linux/amd64").unpacked("x", layer) == GUESS * 1000
    plain = layer.model_copy(update={"kind": "application/vnd.oci.image.layer.v1.tar"})
    assert Registries(tmp_path, "linux/amd64").unpacked("x", plain) == 1000


@pytest.mark.docker
def test_a_manifest_is_asked_for_once_and_then_known_by_its_digest(
    engine, front, served, registries, tmp_path
):
    image = served(noise(10))
    first = registries.look(image)
    front.served.clear()
    assert Registries.of(engine, tmp_path / "manifests", None).look(image) == first
    assert [one.method for one in front.served] == ["HEAD"]


@pytest.mark.docker
def test_what_is_kept_is_not_believed_of_a_tag_that_has_moved(
    engine, registry, front, named, registries
):
    image = named(registry.address)
    there = image.replace(registry.address, front.address)
    pushed(engine, layered(engine, image, [noise(10)]))
    first = registries.look(there)
    pushed(engine, layered(engine, image, [noise(20)]))
    assert registries.look(there) != first
    assert registries.look(there.replace(":1", f"@{first.digest}")) == first


@pytest.mark.docker
def test_an_image_that_is_nowhere_is_missing(front, named, registries):
    with pytest.raises(ImageMissingError, match="404"):
        registries.look(named(front.address))


@pytest.mark.docker
def test_a_rate_limit_comes_with_the_time_that_is_asked_for(front, served, registries):
    image = served(noise(10))
    front.faults.append(Fault("/manifests/", status=429, headers={"Retry-After": "17"}))
    with pytest.raises(ImageBusyError) as caught:
        registries.look(image)
    assert caught.value.wait == 17
    front.faults.append(Fault("/manifests/", status=429))
    with pytest.raises(ImageBusyError) as caught:
        registries.look(image)
    assert caught.value.wait is None
    front.faults.append(Fault("/manifests/", status=503, body=b"busy"))
    with pytest.raises(ImageError, match="503"):
        registries.look(image)


@pytest.mark.parametrize(
    ("platform", "said"),
    [
        ("linux/arm64", "no /v2/org/x/manifests/sha256:arm"),  # the list is all that there is
        ("linux/arm64/v8", "no /v2/org/x/manifests/sha256:arm"),
        ("linux/arm", "there is none for linux/arm"),
        ("linux/amd64", "there is none for linux/amd64"),
    ],
)
def test_of_a_list_the_manifest_for_the_platform_counts(tmp_path, platform, said):
    with (
        a_registry_of(index_of("sha256:arm"), {}) as address,
        pytest.raises(ImageMissingError, match=said),
    ):
        Registries(tmp_path, platform, ("127.0.0.0/8",)).look(f"{address}/org/x:one")


def index_of(digest):
    platform = {"os": "linux", "architecture": "arm64", "variant": "v8"}
    return {"manifests": [{"digest": digest, "platform": platform}]}


class Small(http.server.BaseHTTPRequestHandler):
    """A registry of one manifest. With `logins` it wants a token, for a name and a password."""

    def do_GET(self):
        server = self.server
        server.asked.append((self.path, self.headers["Authorization"]))
        if self.path.startswith("/token"):
            self.say(200, {"token": f"for {self.headers['Authorization']}"})
        elif server.scheme and not (self.headers["Authorization"] or "").startswith(server.scheme):
            address = f"http://127.0.0.1:{server.server_port}/token"
            challenge = f'Bearer realm="{address}",service="s",scope="repository:org/x:pull"'
            self.say(401, {}, challenge if server.scheme == "Bearer" else 'Basic realm="r"')
        elif self.path.endswith("/manifests/one"):
            self.say(200, server.manifest)
        else:
            self.say(404, {"errors": [{"message": f"no {self.path}"}]})

    do_HEAD = do_GET  # noqa: N815 -- http.server's name

    def say(self, status, body, challenge=""):
        text = json.dumps(body).encode()
        self.send_response(status)
        if challenge:
            self.send_header("WWW-Authenticate", challenge)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(text)

    def log_message(self, *args):
        pass


@contextmanager
def a_registry_of(manifest, asked, scheme=""):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Small)
    server.manifest, server.scheme, server.asked = manifest, scheme, []
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    asked["of"] = server.asked
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def logged_in(tmp_path, monkeypatch):
    """The user's `docker login` at an address."""

    def login(address):
        monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
        auth = {"auths": {address: {"auth": "bWU6c2VjcmV0"}}}  # me:secret
        (tmp_path / "config.json").write_text(json.dumps(auth))

    return login


@pytest.mark.parametrize(
    ("scheme", "told"),
    [("Bearer", "Bearer for Basic bWU6c2VjcmV0"), ("Basic", "Basic bWU6c2VjcmV0")],
)
def test_a_registry_that_wants_a_login_gets_the_users_own(tmp_path, logged_in, scheme, told):
    asked = {}
    with a_registry_of({"config": {"digest": "sha256:1"}}, asked, scheme) as address:
        logged_in(address)
        with pytest.raises(ImageMissingError, match="no /v2/org/x/blobs/sha256:1"):
            Registries(tmp_path, "linux/amd64", ("127.0.0.0/8",)).look(f"{address}/org/x:one")
    assert asked["of"][-1] == ("/v2/org/x/blobs/sha256:1", told)
    tokens = [path for path, _ in asked["of"] if path.startswith("/token")]
    assert tokens == ["/token?service=s&scope=repository%3Aorg%2Fx%3Apull"] * (scheme == "Bearer")


@pytest.mark.parametrize("manifest", [{}, {"schemaVersion": 1, "fsLayers": []}, [], {"config": 1}])
def test_a_manifest_of_an_unknown_kind_is_an_error_and_no_crash(tmp_path, manifest):
    with a_registry_of(manifest, {}) as address, pytest.raises(ImageError, match="unknown kind"):
        Registries(tmp_path, "linux/amd64", ("127.0.0.0/8",)).look(f"{address}/org/x:one")


def test_a_registry_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(ImageError, match=r"127\.0\.0\.1:9"):
        Registries(tmp_path, "linux/amd64", ("127.0.0.0/8",)).look("127.0.0.1:9/org/x:1")


@pytest.mark.parametrize(
    ("host", "without_tls"),
    [
        ("127.0.0.1:5000", True),
        ("localhost:5000", True),
        ("localhost", True),
        ("10.1.2.3", True),
        ("10.2.2.3", False),
        ("here:5000", True),
        ("here", False),
        ("ghcr.io", False),
    ],
)
def test_who_is_asked_without_tls_is_as_the_engine_has_it(host, without_tls):
    assert is_insecure(host, ("127.0.0.0/8", "10.1.0.0/16", "here:5000")) is without_tls


def test_docker_hub_is_asked_by_its_mirrors_first(tmp_path):
    hub = Registries(tmp_path, "linux/amd64", (), ("http://mirror.example/",))
    assert hub._addresses(parsed("org/x")) == [
        "http://mirror.example",
        "https://registry-1.docker.io",
    ]
    assert hub._addresses(parsed("ghcr.io/org/x")) == ["https://ghcr.io"]
