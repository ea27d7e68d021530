"""The image of one of the sample's instances, with the project's own future left in it."""

from __future__ import annotations

import hashlib

from swerun.images.build import INPUTS, image_id
from swerun.instances.subsets import load_instances
from swerun.packaged import packaged
from swerun.records import Instance
from tests.images.conftest import pack

PROJECT = "swerun-sample__cronline"
LATER = packaged("instances/sample") / "tasks" / f"{PROJECT}-19" / "history-2.fi"
INSTANCE = next(each for each in load_instances("sample") if each.id == f"{PROJECT}-14")
# The commits after this instance's base are the next one's; `$later` is the last of them.
FUTURE = """set -e
export GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@t GIT_COMMITTER_NAME=t GIT_COMMITTER_EMAIL=t@t
cd /testbed
base=$(git rev-parse HEAD)
git fast-import --quiet --force </later.fi
later=$(git rev-parse main)
git update-ref refs/heads/main $base
rm /later.fi
"""
LEAKS = """
git branch next $later
git tag v9 $later
git update-ref refs/remotes/origin/main $later
git remote add origin https://example.org/cronline.git
git notes add -m 'mended later' HEAD
echo 1 >>README.md; git stash -q
echo $later >.git/ORIG_HEAD
git reset -q --hard $later; git reset -q --hard $base
git worktree add -q --detach /opt/other $later
mkdir .git/rr-cache/1 -p; echo x >.git/rr-cache/1/postimage
git clone -q /testbed /root/src
mkdir -p /root/.cache/pip/http /usr/local/lib/python3.11/dist-packages/cronline-9.dist-info
echo x >/root/.cache/pip/http/x; echo x >/root/cronline-9.tar.gz
git archive $later cronline | tar x -C /usr/local/lib/python3.11/dist-packages
"""
# what the honest have as well, and what has to be there afterwards
HONEST = """
git tag v0 $base~1
git commit -q --allow-empty -m SWE-bench
mkdir /opt/pyenv; cd /opt/pyenv; git init -q; git commit -q --allow-empty -m 'Another project'
"""
KINDS = {
    *("branch", "tag", "remote branch", "remote", "note", "stash", "pointer", "reflog", "object"),
    *("worktree", "leftover", "repository", "copy", "archive", "cache"),
}


NAMES = {
    "leaky": LEAKS + HONEST,
    "later": "git reset -q --hard $later; rm -rf .git/logs .git/ORIG_HEAD",
}


def leaky_instance(engine, name: str) -> Instance:
    """The instance in an image that is made of its own by the script of that name, in one layer:
    once, and kept on the engine until it would be another."""
    image, start = f"swerun/test-{name}:latest", engine.images.get(INSTANCE.task.image).id
    inputs = hashlib.sha256(f"{start}{FUTURE}{NAMES[name]}".encode()).hexdigest()[:16]
    if image_id(engine, image, inputs=inputs) is None:
        _make(engine, image, NAMES[name], f"LABEL {INPUTS}={inputs}")
    return INSTANCE.on_image(image).model_copy(update={"context": None})


def _make(engine, image: str, script: str, label: str) -> None:
    container = engine.containers.create(
        INSTANCE.task.image, entrypoint=["cat"], stdin_open=True, network_mode="none"
    )
    try:
        container.put_archive("/", pack({"later.fi": LATER.read_bytes()}))
        container.start()
        code, said = container.exec_run(["sh", "-c", FUTURE + script])
        assert code == 0, said.decode()
        repository, _, tag = image.rpartition(":")
        changes = ['ENTRYPOINT ["env"]', 'CMD ["true"]', label]
        container.commit(repository, tag, changes=changes)
    finally:
        container.remove(force=True)
