"""docs/report.md says of report.json what the model that writes it does, key by key."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from swerun.records import SCHEMA_VERSION, Outcome, Stop
from swerun.report.summary import Report

PAGE = (Path(__file__).parents[2] / "docs" / "report.md").read_text()
SCHEMA = Report.model_json_schema()
NAMES = {"Outcome", "Stop", "Soundness", "ConductKind"}  # sets of words, which are no table
RECORDS = {"Report": SCHEMA} | {k: v for k, v in SCHEMA["$defs"].items() if k not in NAMES}


def kind(schema):
    """A JSON schema in the page's words."""
    if "$ref" in schema:
        return schema["$ref"].rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(map(kind, schema["anyOf"]))
    if schema["type"] == "array":
        return f"array of {kind(schema['items'])}"
    if schema["type"] == "object":
        return f"object of {kind(schema['additionalProperties'])}"
    return schema["type"]


def section(name):
    return PAGE.partition(f"\n### {name}\n")[2].partition("\n#")[0]


@pytest.mark.parametrize("name", RECORDS)
def test_the_page_has_each_key_of_report_json_with_its_type_and_no_other(name):
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| .+ \|$", section(name), re.MULTILINE)
    keys = RECORDS[name]["properties"]
    assert dict(rows) == {key: kind(schema) for key, schema in keys.items()}
    assert len(rows) == len(keys)


def test_the_page_has_a_table_for_no_record_that_is_not_in_report_json():
    assert set(re.findall(r"^### (\w+)$", PAGE, re.MULTILINE)) == set(RECORDS)


def test_the_page_says_which_version_of_the_layout_it_is_of():
    assert f"`schema_version` is {SCHEMA_VERSION}." in PAGE


@pytest.mark.parametrize(("begin", "words"), [("**Outcomes**", Outcome), ("**Stops**", Stop)])
def test_the_page_has_each_word_that_outcomes_and_stops_may_be(begin, words):
    said = PAGE.partition(begin)[2].partition("\n\n")[0]
    assert re.findall(r"`(\w+)`", said) == [str(word) for word in words]
