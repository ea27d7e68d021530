"""How long the slowest log of a megabyte takes each log parser, and whether twice of it takes more
than twice as long: a log is what a patch wanted to be printed.

    python benchmarks/parsers.py [MEGABYTES] [PARSER ...]

The logs are each piece of a parser's lines (tests/grading/formats.py), and each two of them, over
and over, in one line and in many.
"""

from __future__ import annotations

import itertools
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.grading.formats import FRAMES, PIECES, Frame, Reader

ROW = "{:34} {:>9} {:>9} {:>7}  {}"
MEGABYTE = 1 << 20


def main() -> None:
    size = int(float(sys.argv[1]) * MEGABYTE) if len(sys.argv) > 1 else MEGABYTE
    wanted = set(sys.argv[2:])
    print(ROW.format("parser", "seconds", "of twice", "growth", "repeated"))
    for reader in PIECES:
        if wanted and reader.label.removeprefix("parse_log_") not in wanted:
            continue
        worst = max(unit_times(reader, size // 16), key=lambda timed: timed[0])[1]
        once, twice = seconds(reader, worst, size), seconds(reader, worst, 2 * size)
        figures = (f"{once:.2f}", f"{twice:.2f}", f"{twice / once:.1f}")
        print(ROW.format(reader.label, *figures, repr(worst)[:60]), flush=True)


def unit_times(reader: Reader, size: int) -> list[tuple[float, str]]:
    pieces = [*PIECES[reader], "\n", "9", "x"]
    pairs = (first + second for first, second in itertools.product(pieces, repeat=2))
    units = {unit.replace("\n", end) or " " for unit in (*pieces, *pairs) for end in ("\n", " ")}
    return [(seconds(reader, unit, size), unit) for unit in sorted(units)]


def seconds(reader: Reader, unit: str, size: int) -> float:
    frame = FRAMES.get(reader.label, Frame())
    log = frame.before + unit * (size // len(unit)) + frame.after
    parse = reader.parse
    began = time.perf_counter()
    parse(log)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
