"""`swerun`, and `python -m swerun`: the command line, and who interrupts it before it is there."""

from __future__ import annotations

import os
import signal
import sys

STOPPED = 130


def main() -> None:
    """Ctrl-C ends it with 130 from the first moment on, and without a word: nothing has begun."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:  # it may be ignored, as of what runs in the background
        # at once: an exception in the middle of an import may get lost in it
        signal.signal(signal.SIGINT, lambda *_: os._exit(STOPPED))
    from swerun.cli import main as command

    signal.signal(signal.SIGINT, before)
    try:
        command()
    except KeyboardInterrupt:
        sys.exit(STOPPED)


if __name__ == "__main__":
    main()
