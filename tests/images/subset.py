"""A subset of instances whose images are given: the sample's first one, under other names."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import yaml

from swerun.packaged import packaged

LIKE = "swerun-sample__cronline-14"


def a_subset(folder: Path, images: Sequence[str], contexts: Sequence[Path | None] = ()) -> Path:
    """A task repo with an instance `made__<n>` for each image, in versions of two each; those with
    a context are built."""
    sample = packaged("instances/sample")
    (folder / "tasks").mkdir(parents=True)
    shutil.copy(sample / "sweb.yaml", folder)
    task = yaml.safe_load((sample / "tasks" / LIKE / "task.yaml").read_text())
    for number, image in enumerate(images):
        there = folder / "tasks" / f"made__{number}"
        shutil.copytree(sample / "tasks" / LIKE, there)
        (there / "Dockerfile").unlink()
        own = {"instance_id": there.name, "image": image, "version": f"{number // 2}"}
        (there / "task.yaml").write_text(yaml.safe_dump(task | own))
        context = contexts[number] if number < len(contexts) else None
        if context:
            shutil.copytree(context, there, dirs_exist_ok=True)
    return folder
