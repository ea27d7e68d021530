"""From an instance to its image on this engine: there already, built, or pulled."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Lock
from typing import TYPE_CHECKING

from swerun.errors import ImageError, InputError, InstanceError
from swerun.images.base import BASE, BaseMaker
from swerun.images.budget import Wanted
from swerun.images.build import Settings, build, digest_of, image_id
from swerun.images.fetch import Fetcher
from swerun.images.here import Here, here, layers_of
from swerun.images.ledger import Ledger, Note
from swerun.images.outside import settings
from swerun.images.pins import check, read_pins
from swerun.images.pull import Downloaded, Puller
from swerun.images.rate import RateLimit
from swerun.images.room import Room
from swerun.images.watch import Say, Watch, asking
from swerun.ports import Image
from swerun.records import ImageOptions, Instance

if TYPE_CHECKING:
    from docker import DockerClient


@dataclass(slots=True)
class EngineImages:
    """A ports.Images on one engine; threads may share it. `cache` has locks and notes that
    processes share, `environment` the proxies; `downloaded` hears of bytes as they come.

    An instance with a build context has its image built and never pulled; any other's is taken as
    it is here, or pulled. Making one raises InputError for options that are wrong.
    """

    client: DockerClient
    cache: Path
    say: Say = lambda _: None
    options: ImageOptions = field(default_factory=ImageOptions)
    environment: Mapping[str, str] = field(default_factory=dict)
    cancel: Event = field(default_factory=Event)
    downloaded: Downloaded = lambda _: None
    run: str = ""  # whom what is pulled or built is noted to be for
    limit: RateLimit = field(init=False)
    ledger: Ledger = field(init=False)
    fetcher: Fetcher = field(init=False)
    settings: Settings = field(init=False)
    _room: Room | None = None
    _unsized: bool = False  # whether the size of an image was not to be had
    _made: dict[str, Image] = field(default_factory=dict)
    _locks: dict[str, Lock] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.settings = settings(self.options, self.environment)
        self.limit = RateLimit(self.cancel, self.say)
        self.ledger = ledger_of(self.client, self.cache)
        self.fetcher = Fetcher(
            self.client,
            self.cache / "manifests",
            self.options,
            self.ledger,
            Puller(self.client, Watch(self.cancel), self.limit, self.options.platform),
            read_pins(self.options.pin) if self.options.pin else {},
            self.downloaded,
        )

    @contextmanager
    def hold(self, instance: Instance) -> Iterator[None]:
        image = instance.task.image
        with self.ledger.in_use(image):
            if self._room is None:
                yield
                return
            with self._room.place(image, lambda: self._wanted(instance)):
                yield

    def ensure(self, instance: Instance) -> Image:
        image = instance.task.image
        # one build of a repository at a time: two would each make the layers that they share
        line = image if instance.context is None else instance.task.repo
        with self._locks.setdefault(line, Lock()):
            if image not in self._made:
                self._made[image] = self._ensured(instance)
            return self._made[image]

    def begin(self, instances: Sequence[Instance]) -> None:
        """Make what many of them begin with, so that no attempt has to find out that it cannot.

        Raises ImageError, and InputError where pins are required and missing.
        """
        bare = [i.task.image for i in instances if i.context is None]
        unpinned = [image for image in bare if image not in self.fetcher.pins]
        if self.options.pin and unpinned:
            more = f" (and {len(set(unpinned)) - 1} more)" if len(set(unpinned)) > 1 else ""
            raise InputError(
                f"--pin {self.options.pin} has no digest for {unpinned[0]}{more}: "
                "`swerun images pull --write-pins FILE` writes those of the images that it pulls"
            )
        if any(each.context and base_named(each.context) == BASE for each in instances):
            self._base()

    def keep_below(self, limit: int, runs: Collection[str]) -> None:
        """From now on what `runs` bring onto the engine is kept below `limit` bytes."""
        room = Room(self.client, self.ledger, limit, self.cancel, self._gone)
        room.survey(runs)
        self._room = room

    def expect(self, instances: Iterable[Instance]) -> None:
        """One for each attempt that is left to make."""
        if self._room:
            self._room.expect(each.task.image for each in instances)

    def here(self, instance: Instance) -> str | None:
        """The digest of its image, where that is here as `ensure` would leave it."""
        image, context = instance.task.image, instance.context
        if context is None:
            found = self.fetcher.present(image)
        else:
            start = image_id(self.client, base_named(context))
            found = self._fresh(image, self._inputs(context, start)) if start else None
        return found.digest(image) if found else None

    def beside(self, image: str, name: str, made: str) -> None:
        """Note that `made` was made here of `image`, as `name`: it goes when that one goes."""
        self.ledger.write(Note(image=name, id=made, names=(name,), run=self.run))
        note = self.ledger.note(image)
        if note and name not in note.names:
            self.ledger.write(note.model_copy(update={"names": (name, *note.names)}))
        if self._room and (found := here(self.client, made)):
            self._room.grew(image, layers_of(self.client, found))

    def todo(self, instance: Instance) -> str:
        """What `ensure` would do: nothing (`here`), `build` or `pull`."""
        if self.here(instance):
            return "here"
        return "pull" if instance.context is None else "build"

    def _ensured(self, instance: Instance) -> Image:
        image, context = instance.task.image, instance.context
        if context is None:
            found = self.fetcher.fetch(image, self.run)
        else:
            found = self._built(image, context)
        check(image, found, self.fetcher.pins)
        if self._room:
            self._room.came(image, layers_of(self.client, found))
        return Image(found.id, found.digest(image))

    def _built(self, image: str, context: Path) -> Here:
        inputs = self._inputs(context, self._start(context))
        if found := self._fresh(image, inputs):
            return found
        watch = Watch(self.cancel, silence=float("inf"))  # a command may be silent for long
        made = build(self.client, context, image, self.settings, watch=watch)
        self.ledger.write(Note(image=image, id=made, inputs=inputs, names=(image,), run=self.run))
        found = here(self.client, made)
        if found is None:
            raise ImageError(f"{image} was built, and removed by somebody at once")
        return found

    def _fresh(self, image: str, inputs: str) -> Here | None:
        """The image, where it is what was built here of these inputs."""
        note = self.ledger.note(image)
        found = here(self.client, image) if note and note.inputs == inputs else None
        return found if note and found and found.id == note.id else None

    def _inputs(self, context: Path, start: str) -> str:
        return digest_of(context, start, *self.settings.deciding())

    def _wanted(self, instance: Instance) -> Wanted | None:
        """What an image would take on the engine; None for one that is there."""
        room, image = self._room, instance.task.image
        todo = self.todo(instance)
        if room is None or todo == "here":
            return None
        unknown = Wanted({}, guessed=room.largest)
        if todo == "build":
            return unknown
        try:
            remote = self.fetcher.look_patiently(image)
            layers = self.fetcher.unpacked(image, remote)
        except ImageError as error:
            # the engine may have a way to a registry that this process has not
            if not self._unsized:
                self.say(f"--disk takes images to be as large as the largest so far: {error}")
            self._unsized = True
            return unknown
        return Wanted(layers, {each.chain: each.bytes for each in remote.layers})

    def _gone(self, image: str) -> None:
        self._made.pop(image, None)

    def _base(self) -> str:
        maker = BaseMaker(
            self.client,
            self.cache,
            self.say,
            settings=self.settings,
            registry=self.options.registry,
        )
        return maker.ensure()

    def _start(self, context: Path) -> str:
        """The id of the image that a Dockerfile begins with, which is made or pulled if need be."""
        name = base_named(context)
        if name == BASE:
            return self._base()
        if found := self.fetcher.present(name):
            return found.id
        found = self.fetcher.fetch(name, self.run)
        if self._room:
            self._room.stays(layers_of(self.client, found))
        return found.id


def ledger_of(client: DockerClient, cache: Path) -> Ledger:
    """The notes on an engine's images: another engine has others."""
    with asking("asking the engine who it is"):
        name = str(client.info().get("ID") or "engine")
    return Ledger(cache / "images" / re.sub(r"[^A-Za-z0-9]+", "-", name))


def base_named(context: Path) -> str:
    """What a build context's Dockerfile is FROM. Raises InstanceError where it does not say."""
    file = context / "Dockerfile"
    for line in file.read_text(encoding="utf-8").splitlines():
        words = [word for word in line.split() if not word.startswith("--")]
        if len(words) > 1 and words[0].upper() == "FROM":
            name = words[1]
            tagged = ":" in name.rpartition("/")[2]  # what is before may be a registry with a port
            return name if tagged else f"{name}:latest"
    raise InstanceError(f"{file}: it has no line that begins with FROM")
