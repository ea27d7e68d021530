"""Real instances, graded by swerun and by the official harness in the same images, side by side.

    python benchmarks/real_instances ROWS.parquet --pythons DIR [--swebench DIR/bin/swebench] \\
        [-i 'psf__requests-*' ...] [--repos-from DIR] [--ca FILE] [-j 2] [--times 1] [--work DIR]

ROWS is a file of SWE-bench's, with eval scripts. Each image that is not there is made on this
machine under its official name, of Debian's packages, an interpreter out of `--pythons` (one
installation a version, as 3.9.18) and the repository. Then each harness grades the gold patches and
a patch that changes nothing, one harness after the other. Prints tables in Markdown; all that the
harnesses wrote stays below `--work`. Without `--swebench` only the images are made, and the rows
are left in `--work`/rows.jsonl for `swerun run --subset`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from fnmatch import fnmatch
from pathlib import Path

from harnesses import Setting, official, ours
from images import Builder
from tables import Round, summary, table

from swerun.config import cache_folder
from swerun.instances.subsets import load_instances
from swerun.repos.mirrors import GITHUB, Mirrors
from swerun.sandbox.client import connect

DEFAULT = ("psf__requests-1142", "psf__requests-6028", "pallets__flask-*")


def main() -> int:
    given = arguments()
    rows = chosen(given.rows, given.instance or DEFAULT)
    client = connect(os.environ)
    cache = cache_folder(None, os.environ)
    builder = Builder(
        client=client,
        cache=cache,
        mirrors=Mirrors(cache, say, given.repos_from),
        pythons=given.pythons,
        ca=given.ca,
        say=say,
    )
    given.work.mkdir(parents=True, exist_ok=True)
    subset = given.work.absolute() / "rows.jsonl"
    subset.write_text("".join(json.dumps(row) + "\n" for row in rows))
    instances = load_instances(subset)
    for instance in instances:
        builder.ensure(instance)
    if given.swebench is None:
        return 0
    setting = Setting(subset, given.work.absolute(), given.swebench.absolute(), given.jobs)
    rounds = measured(setting, [instance.id for instance in instances], given.times)
    print(table(rounds))
    print(summary(rounds))
    return int(not all(one.same(instance.id) for one in rounds for instance in instances))


def measured(setting: Setting, names: list[str], times: int) -> list[Round]:
    """The harnesses take turns, so that a busy minute of the machine hits both."""
    began = time.strftime("%H%M%S")
    rounds = []
    for number in range(1, times + 1):
        for patches in ("gold", "idle"):
            run = f"{patches}-{began}-{number}"
            given = setting.predictions(names) if patches == "idle" else None
            there, here = official(setting, run, names, given), ours(setting, run, names, given)
            rounds.append(Round(patches, there, here, os.getloadavg()[0]))
    return rounds


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("rows", type=Path)
    parser.add_argument("--pythons", type=Path, required=True)
    parser.add_argument("--swebench", type=Path, help="the command")
    parser.add_argument("-i", "--instance", action="append", help="a glob of ids; repeatable")
    parser.add_argument("--repos-from", default=GITHUB, help="a folder, or an address")
    parser.add_argument("--ca", type=Path, help="certificates that pip needs, as PEM")
    parser.add_argument("-j", "--jobs", type=int, default=2)
    parser.add_argument("--times", type=int, default=1, help="rounds of both harnesses")
    parser.add_argument("--work", type=Path, default=Path("real-instances"))
    return parser.parse_args()


def chosen(path: Path, globs: tuple[str, ...] | list[str]) -> list[dict[str, object]]:
    """The rows as they are published: both harnesses get the same file."""
    import pyarrow.parquet

    rows = pyarrow.parquet.read_table(path).to_pylist()
    return [row for row in rows if any(fnmatch(row["instance_id"], glob) for glob in globs)]


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
