"""Images of real instances under their official names, made on this machine."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from recipes import Recipe, recipe_of

from swerun.images.base import BaseMaker
from swerun.images.build import INPUTS, Settings, build, digest_of, image_id
from swerun.records import Instance
from swerun.repos.checkout import check_out
from swerun.repos.mirrors import Mirrors
from swerun.repos.plain import at_bare, plain_git

if TYPE_CHECKING:
    from docker import DockerClient

FILES = Path(__file__).parent / "image"
PYTHON = "swerun-real/python"  # with the version as its tag
# of an interpreter's installation: what no instance needs, which has an environment of its own
UNUSED = shutil.ignore_patterns("site-packages", "test", "idlelib", "__pycache__", "*.a", "share")


@dataclass(frozen=True, slots=True)
class Builder:
    """`pythons` has an interpreter's installation per version, as 3.9.18; `ca` is a PEM file."""

    client: DockerClient
    cache: Path
    mirrors: Mirrors
    pythons: Path
    ca: Path | None
    say: Callable[[str], None]

    def ensure(self, instance: Instance) -> None:
        """An image that is not of this script's making is taken as it is."""
        task = instance.task
        there = image_id(self.client, task.image)
        if there and INPUTS not in self.client.images.get(task.image).labels:
            self.say(f"{task.image} is here already, and not from this script: it is used as it is")
            return
        recipe = recipe_of(instance)
        start = self._python(recipe)
        facts = (start, task.base_commit, recipe.packages, recipe.install)
        inputs = digest_of(FILES, *facts)
        if image_id(self.client, task.image, inputs=inputs):
            return
        self.say(f"building {task.image}")
        mirror = self.mirrors.holding(task.repo, task.base_commit)
        with tempfile.TemporaryDirectory(prefix="swerun-real-") as folder:
            context = Path(folder)
            check_out(mirror, task.base_commit, context / "testbed")
            _tag(mirror, task.base_commit, context / "testbed")
            shutil.copyfile(FILES / "Dockerfile.instance", context / "Dockerfile")
            arguments = {"FROM": start, "PACKAGES": recipe.packages, "INSTALL": recipe.install}
            self._build(context, task.image, inputs, arguments)

    def _python(self, recipe: Recipe) -> str:
        """The id of the image with the recipe's interpreter."""
        base = BaseMaker(self.client, self.cache, self.say).ensure()
        home = max(self.pythons.glob(f"{recipe.python}.*"), default=None)
        if home is None:
            raise SystemExit(f"there is no {recipe.python}.* in {self.pythons}")
        ca = self.ca.read_text() if self.ca else ""
        image = f"{PYTHON}:{recipe.python}"
        inputs = digest_of(FILES, base, home.name, ca)
        if there := image_id(self.client, image, inputs=inputs):
            return there
        self.say(f"building {image}")
        with tempfile.TemporaryDirectory(prefix="swerun-real-") as folder:
            context = Path(folder)
            shutil.copytree(home, context / "python", symlinks=True, ignore=UNUSED)
            (context / "ca").mkdir()
            if ca:
                (context / "ca" / "given.crt").write_text(ca)
            shutil.copyfile(FILES / "activate", context / "activate")
            shutil.copyfile(FILES / "Dockerfile.python", context / "Dockerfile")
            return self._build(context, image, inputs, {"FROM": base})

    def _build(self, context: Path, image: str, inputs: str, arguments: dict[str, str]) -> str:
        settings = Settings(network="bridge", arguments=arguments)
        return build(self.client, context, image, settings, labels={INPUTS: inputs})


def _tag(mirror: Path, commit: str, repository: Path) -> None:
    """Tags of the past, plain ones: setuptools_scm tells a version by these."""
    source, there = at_bare(plain_git(mirror), mirror), plain_git(repository)
    listed = source.for_each_ref(f"--merged={commit}", "--format=%(refname)", "refs/tags")
    for name in listed.splitlines():
        there.update_ref(name, source.rev_parse(f"{name}^{{commit}}"))
