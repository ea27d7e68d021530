"""Files by the names that git has for their bytes, told from archives of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from swerun.sandbox.archives import CHUNK, members, undamaged

# git's names of the tree and the file with nothing in them, by sha1 and sha256
EMPTY = {
    "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
    "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
    "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813",
}


def blob_ids(where: str, archive: Iterable[bytes], hashing: str) -> dict[str, str]:
    """By absolute path the id of each file of the `archive` of `where`; `hashing` is sha1 or
    sha256. Raises FileNotFoundError where there is none, SandboxError where it breaks off."""
    found = {}
    with undamaged(where):
        for member, file in members(archive, where):
            if file is None:
                continue
            digest = hashlib.new(hashing, f"blob {member.size}\0".encode(), usedforsecurity=False)
            while chunk := file.read(CHUNK):
                digest.update(chunk)
            below = member.name.strip("/").partition("/")[2]
            found[f"{where}/{below}" if below else where] = digest.hexdigest()
    return found
