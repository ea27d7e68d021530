"""What is seen while images are pulled or built: a bar on a terminal, a line each anywhere else."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

from swerun.cli.live import duration
from swerun.cli.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import RenderableType

    from swerun.images.many import Made

DID = {"here": "here", "pull": "pulled", "build": "built"}


@dataclass(slots=True)
class Progress:
    """`total` counts images. `print` is where lines go, one for each image that is done."""

    total: int
    print: Callable[[str], None] = lambda _: None
    bytes: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    started: float = field(default_factory=time.monotonic)
    _lock: Lock = field(default_factory=Lock)

    def downloaded(self, more: int) -> None:
        with self._lock:
            self.bytes += more

    def done(self, made: Made) -> None:
        self.counts[word(made)] += 1
        ended = str(made.error) if made.error else made.image.digest if made.image else ""
        self.print(printable(f"{word(made):<7}{made.instance.task.image}  {ended}"))

    def row(self, made: Made) -> dict[str, str]:
        """For JSON."""
        row = {"instance_id": made.instance.id, "image": made.instance.task.image}
        row["did"] = word(made)
        if made.image:
            row |= {"id": made.image.id, "digest": made.image.digest}
        return row | ({"error": str(made.error)} if made.error else {})

    def summary(self, waited: float) -> str:
        from rich.filesize import decimal

        counts = ", ".join(f"{count} {did}" for did, count in sorted(self.counts.items()))
        spent = duration(time.monotonic() - self.started)
        limits = f", of which {duration(waited)} were a rate limit's" if waited else ""
        return f"{counts or 'nothing to do'}; {decimal(self.bytes)} downloaded in {spent}{limits}"


def word(made: Made) -> str:
    return "failed" if made.error else DID[made.was]


@contextmanager
def shown(progress: Progress, *, quiet: bool) -> Iterator[None]:
    """Lines on standard output, unless `quiet`; below them, on a terminal, how far it is."""
    from rich.console import Console

    out, seen = Console(soft_wrap=True), Console(stderr=True)
    if not quiet:
        progress.print = lambda line: out.print(line, highlight=False, markup=False)
    if not (seen.is_terminal and out.is_terminal):
        yield
        return
    from rich.live import Live

    def draw() -> RenderableType:
        from rich.filesize import decimal
        from rich.progress_bar import ProgressBar
        from rich.table import Table

        done = progress.counts.total()
        row = Table.grid(padding=(0, 1))
        spent = duration(time.monotonic() - progress.started)
        row.add_row(
            ProgressBar(total=progress.total, completed=done, width=40),
            f"{done}/{progress.total} images, {decimal(progress.bytes)}, {spent}",
        )
        return row

    with Live(get_renderable=draw, console=out, refresh_per_second=5, transient=True):
        yield
