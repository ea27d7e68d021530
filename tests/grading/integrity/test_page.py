"""docs/integrity.md says of rules and cheats what is so."""

from __future__ import annotations

import re

import pytest

from swerun.grading.integrity.rules import WHY
from tests.grading.cheats import FOLDER, cheats
from tests.pages import NAMED, ROOT, named_tests_exist

PAGE = (ROOT / "docs" / "integrity.md").read_text()


def test_the_page_has_every_rule_and_no_other():
    rules = PAGE.partition("## When is")[2].partition("## What is")[0]
    assert set(re.findall(r"`(\w[\w-]*)`[ ,|]", rules)) >= set(WHY)
    assert set(re.findall(r"^\| `([\w-]+)` \|", rules, re.MULTILINE)) == set(WHY) - {"shape", "log"}


def test_the_page_has_every_cheat_with_what_the_official_harness_made_of_it():
    rows = re.findall(r"^\| `([\w-]+)` \| (.+?) \| ([\w ]+) \| (\w+) \|", PAGE, re.MULTILINE)
    assert [row[:3] for row in rows] == [(c.name, c.what, c.official) for c in cheats()]
    assert {row[3] for row in rows} == {"suspect", "unresolved"}
    resolved = sum(cheat.official == "resolved" for cheat in cheats())
    assert f"{resolved} of the {len(rows)} cheats below" in " ".join(PAGE.split())
    assert {path.stem for path in FOLDER.glob("*.diff")} == {row[0] for row in rows}


@pytest.mark.parametrize("page", ["integrity.md", "leaks.md"])
def test_each_promise_names_a_test_that_is_there(page):
    text = (ROOT / "docs" / page).read_text()
    promises = text.partition("| promise | tested by |\n| --- | --- |\n")[2].partition("\n\n")[0]
    assert promises.count("\n") > 3
    assert [line for line in promises.split("\n") if not NAMED.search(line)] == []
    assert named_tests_exist(promises) == []
