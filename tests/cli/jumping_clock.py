"""swerun on a machine whose clock is set again and again: by a day, ahead and back in turn.

    python -m tests.cli.jumping_clock ARGUMENTS OF SWERUN

What measures time (`time.monotonic`) goes on as ever, as it does where somebody sets a clock.
"""

from __future__ import annotations

import datetime
import itertools
import sys
import time

DAY = 86_400
jumps = itertools.cycle([DAY, -DAY, 0])
real_time = time.time


class Jumping(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(real_time() + next(jumps), tz)


if __name__ == "__main__":
    time.time = lambda: real_time() + next(jumps)
    datetime.datetime = Jumping  # before anything of swerun is imported
    from swerun.__main__ import main

    sys.argv[0] = "swerun"
    main()
