"""What a name that others gave may be, before it becomes the name of a folder or of a file here."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

LONGEST = 200  # bytes: file systems take 255, and `.jsonl.tmp` and the like come after it
# Of ASCII alone: it is also part of a container's name and a header of HTTP, and beyond ASCII there
# are several ways to write one letter.
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+@:=~,-]*")


def flaw_of(name: str) -> str:
    """Why `name` cannot be that of an instance or of a run: words that go on after it, "" if it
    can. What can is a single folder's or file's name wherever it is joined to a path."""
    if len(name.encode(errors="replace")) > LONGEST:
        return f"it is longer than {LONGEST} bytes"
    if not name:
        return "it is empty"
    if _NAME.fullmatch(name):
        return "it ends with a dot" if name.endswith(".") else ""
    if name[0] in "-.":
        return f"it begins with {name[0]!r}"
    wrong = next((c for c in name if not _NAME.fullmatch(f"_{c}")), name[0])
    return f"it has {wrong!a} in it, where letters and digits of ASCII and any of _.+@:=~,- may be"


def shown(name: str) -> str:
    """For an error: in quotes, escaped, and no longer than anybody reads."""
    return ascii(name if len(name) <= 80 else f"{name[:77]}...")


def leads_out(file: Path, folder: Path) -> bool:
    """Whether `file`, which was found below `folder`, is a link to what is not below it."""
    return not file.resolve().is_relative_to(folder.resolve())


def links_out(folder: Path) -> Iterator[Path]:
    """Every link below `folder` that leads out of it, and every pipe, socket or device in it."""
    for here, folders, files in os.walk(folder):
        for path in (Path(here, name) for name in (*folders, *files)):
            is_plain = path.is_file() or path.is_dir() or path.is_symlink()
            if not is_plain or (path.is_symlink() and leads_out(path, folder)):
                yield path
