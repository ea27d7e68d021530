"""From a stored run to its report."""

from __future__ import annotations

from swerun.records import Step
from swerun.report.derived import derive, reported
from swerun.runs.store import Started, open_or_create
from tests.fakes import NOW, a_reply, files_below
from tests.report.test_summary import a_run


def test_a_report_is_the_same_whether_it_is_written_or_only_shown(tmp_path):
    store = open_or_create(tmp_path, a_run("a"))
    with store.attempt("a", 1, Started()) as log:
        log.step(Step(index=0, at=NOW, reply=a_reply("ls")))
    shown = reported(store)
    assert "report.json" not in files_below(store.folder)
    assert shown == derive(store)
    assert shown.usage_all.input_tokens == 10, "also what an attempt without an end used up"
