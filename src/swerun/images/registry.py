"""Ask a registry how large an image is, before it is pulled: the engine's API does not say.

The protocol is the OCI distribution specification's; the tokens are those of Docker's registries.
"""

from __future__ import annotations

import hashlib
import ipaddress
from base64 import b64encode
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import parse_http_list, parse_keqv_list

from pydantic import ValidationError

from swerun.errors import ImageBusyError, ImageError, ImageMissingError
from swerun.images.here import chain_ids
from swerun.images.names import HUB, Name, parsed
from swerun.images.watch import asking
from swerun.records import Record, Stored

if TYPE_CHECKING:
    from docker import DockerClient
    from requests import Response

HUB_HOST = "registry-1.docker.io"
SECONDS = 30.0  # for one answer
KINDS = (
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
)
GUESS = 4  # times a layer's compressed bytes, where what it unpacks to cannot be found out
GZIP_WRAPS = 1 << 32  # gzip's trailer has the unpacked size modulo this: RFC 1952, ISIZE


class RemoteLayer(Record):
    """`chain` is the layer's id on an engine, `bytes` those that a pull has to transfer."""

    chain: str
    digest: str
    bytes: int
    kind: str = ""


class Remote(Stored):
    """An image at a registry, for one platform; `digest` is what its name stands for."""

    digest: str
    layers: tuple[RemoteLayer, ...]


@dataclass(frozen=True, slots=True)
class Registries:
    """The registries that an engine pulls from, asked by this machine with the user's logins.

    `cache` keeps manifests, which never change under their digest. `platform` is os/architecture.
    Threads may share it.
    """

    cache: Path
    platform: str
    insecure: tuple[str, ...] = ()  # networks and hosts that the engine asks without TLS
    mirrors: tuple[str, ...] = ()  # of docker.io, as URLs
    _tokens: dict[tuple[str, str], str] = field(default_factory=dict)
    _unpacked: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, client: DockerClient, cache: Path, platform: str | None) -> Registries:
        """Those of an engine, which knows which of them to ask without TLS."""
        with asking("asking the engine how it asks registries"):
            known = client.info().get("RegistryConfig") or {}
            version = client.version()
        indexes: Mapping[str, Any] = known.get("IndexConfigs") or {}
        named = [host for host, index in indexes.items() if not index.get("Secure", True)]
        return cls(
            cache,
            platform or f"{version['Os']}/{version['Arch']}",
            (*(known.get("InsecureRegistryCIDRs") or ()), *named),
            tuple(known.get("Mirrors") or ()),
        )

    def look(self, image: str) -> Remote:
        """What a pull of this image would transfer.

        At Docker Hub a manifest that is not in the cache counts as a pull. Raises ImageMissingError
        where there is none for this platform, ImageBusyError for a rate limit, ImageError else.
        """
        name = parsed(image)
        # asked for without its content, a manifest counts nowhere
        digest = name.digest or self._ask(name, f"manifests/{name.tag}", method="HEAD").headers.get(
            "Docker-Content-Digest", ""
        )
        kept = self.cache / f"{digest.rpartition(':')[2]}-{self.platform.replace('/', '-')}.json"
        try:
            return Remote.model_validate_json(kept.read_bytes())
        except (OSError, ValidationError):
            remote = self._looked(name)
        if digest == remote.digest:
            with suppress(OSError):  # no more than asked again
                kept.parent.mkdir(parents=True, exist_ok=True)
                kept.write_text(remote.model_dump_json(), encoding="utf-8")
        return remote

    def unpacked(self, image: str, layer: RemoteLayer) -> int:
        """The bytes that a layer takes on an engine, at most, as its last four bytes say."""
        if layer.kind.endswith(".tar"):
            return layer.bytes
        if layer.digest not in self._unpacked:
            self._unpacked[layer.digest] = self._of_trailer(image, layer)
        return self._unpacked[layer.digest]

    def _of_trailer(self, image: str, layer: RemoteLayer) -> int:
        if "gzip" not in layer.kind:
            return GUESS * layer.bytes
        end = f"bytes={layer.bytes - 4}-{layer.bytes - 1}"
        answer = self._ask(parsed(image), f"blobs/{layer.digest}", end=end)
        if answer.status_code != 206:
            return GUESS * layer.bytes
        size = int.from_bytes(answer.content, "little")
        if size == 0:  # the end of an index that lies within the layer
            return GUESS * layer.bytes
        while size < layer.bytes * 0.9:
            size += GZIP_WRAPS
        return size

    def _looked(self, name: Name) -> Remote:
        answer = self._ask(name, f"manifests/{name.reference}")
        digest = f"sha256:{hashlib.sha256(answer.content).hexdigest()}"
        try:
            manifest = answer.json()
            if "manifests" in manifest:
                chosen = self._for_platform(name, manifest["manifests"])
                manifest = self._ask(name, f"manifests/{chosen}").json()
            asked = self._ask(name, f"blobs/{manifest['config']['digest']}")
            chains = chain_ids(asked.json()["rootfs"]["diff_ids"])
            layers = tuple(
                RemoteLayer(
                    chain=chain,
                    digest=layer["digest"],
                    bytes=layer["size"],
                    kind=layer.get("mediaType", ""),
                )
                for chain, layer in zip(chains, manifest["layers"], strict=True)
            )
        except (LookupError, TypeError, ValueError) as error:
            words = f"{name.registry}/{name.repository}{name.end}: a manifest of an unknown kind"
            raise ImageError(f"{words}: {type(error).__name__} {error}") from error
        return Remote(digest=digest, layers=layers)

    def _for_platform(self, name: Name, manifests: Sequence[Mapping[str, Any]]) -> str:
        wanted = self.platform.split("/")
        for each in manifests:
            its = each.get("platform") or {}
            names = [its.get("os"), its.get("architecture"), its.get("variant")]
            if names[: len(wanted)] == wanted:
                return str(each["digest"])
        raise ImageMissingError(f"{name.repository}{name.end}: there is none for {self.platform}")

    def _ask(self, name: Name, what: str, *, method: str = "GET", end: str = "") -> Response:
        """The answer of the first of a name's hosts that has one."""
        problem = ImageError(f"{name.repository}: there is no registry to ask")
        for at in self._addresses(name):
            try:
                return self._answer(method, at, name, what, end)
            except ImageBusyError:
                raise
            except ImageError as error:
                problem = error
        raise problem

    def _addresses(self, name: Name) -> list[str]:
        if name.registry == HUB:
            return [*(mirror.rstrip("/") for mirror in self.mirrors), f"https://{HUB_HOST}"]
        scheme = "http" if is_insecure(name.registry, self.insecure) else "https"
        return [f"{scheme}://{name.registry}"]

    def _answer(self, method: str, at: str, name: Name, what: str, end: str) -> Response:
        url, key = f"{at}/v2/{name.repository}/{what}", (at, name.repository)
        headers = {"Accept": ", ".join(KINDS)} | ({"Range": end} if end else {})
        if key in self._tokens:
            headers["Authorization"] = self._tokens[key]
        answer = _sent(method, url, headers)
        if answer.status_code == 401:  # of no token, or of one that has run out
            self._tokens[key] = headers["Authorization"] = _authorization(answer, name)
            answer = _sent(method, url, headers)
        _check(answer, url)
        return answer


def is_insecure(host: str, insecure: Sequence[str]) -> bool:
    """Whether an engine asks `host` (with a port or not) without TLS."""
    if host in insecure:
        return True
    bare = host.rpartition(":")[0] or host
    try:
        address = ipaddress.ip_address("127.0.0.1" if bare == "localhost" else bare.strip("[]"))
    except ValueError:
        return False
    return any("/" in net and address in ipaddress.ip_network(net) for net in insecure)


def _sent(
    method: str,
    url: str,
    headers: Mapping[str, str],
    *,
    login: tuple[str, str] | None = None,
    asked: Mapping[str, str] | None = None,
) -> Response:
    import requests

    with requests.Session() as session:
        # as the engine: no proxy for what is on this machine
        session.trust_env = not is_insecure(url.split("/")[2], ("127.0.0.0/8",))
        try:
            answer = session.request(
                method,
                url,
                headers=dict(headers),
                params=dict(asked or {}),
                auth=login,
                timeout=SECONDS,
                stream=True,
                allow_redirects=True,
            )
            if "Range" in headers and answer.status_code == 200:
                answer.close()  # all of a layer, from a registry that knows no ranges
            else:
                _ = answer.content
        except requests.RequestException as error:
            raise ImageError(f"asking {url}: {error}") from error
        return answer


def _check(answer: Response, url: str) -> None:
    if answer.ok:
        return
    said = f"asking {url}: {answer.status_code} {answer.reason} {answer.text[:300]}".rstrip()
    if answer.status_code == 401:
        raise ImageError(f"{said}; log in with `docker login {url.split('/')[2]}`")
    if answer.status_code == 429:
        asked = answer.headers.get("Retry-After", "")
        raise ImageBusyError(said, float(asked) if asked.isdecimal() else None)  # else a date
    raise (ImageMissingError if answer.status_code == 404 else ImageError)(said)


def _authorization(answer: Response, name: Name) -> str:
    """What a registry that answered 401 wants to be told, by the user's own `docker login`."""
    from docker.auth import load_config

    known = load_config().resolve_authconfig(None if name.registry == HUB else name.registry) or {}
    login = (known["username"], known.get("password", "")) if known.get("username") else None
    kind, _, rest = answer.headers.get("WWW-Authenticate", "").partition(" ")
    if kind.lower() != "bearer":
        return f"Basic {b64encode(':'.join(login or ('', '')).encode()).decode()}"
    challenge = parse_keqv_list(parse_http_list(rest))
    asked = {key: challenge[key] for key in ("service", "scope") if key in challenge}
    token = _sent("GET", challenge["realm"], {}, login=login, asked=asked)
    _check(token, challenge["realm"])
    said = token.json()
    return f"Bearer {said.get('token') or said.get('access_token')}"
