"""Tables as pages and as CSV: whatever others wrote in them is text, to whoever reads them."""

from __future__ import annotations

import csv
from io import StringIO

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from swerun.report.sheet import Sheet, csv_text, markdown

RENDERER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
BREAKS = {"softbreak", "hardbreak", "html_inline"}
PARTS = (
    *"\\`*_~[]()<>&|$#+-=:!.{}\"'",
    *("1.", "2)", " ", "\n", "\r", "a", "Z", "é", "--", "__", "***", "```", "~~~", "> ", "    "),
    *("](", "![", "<b>", "</td>", "<script>", "&lt;", "&#60;", "https://x.y", "www.x.y", "[^1]"),
)
ANY = st.lists(st.sampled_from(PARTS), max_size=12).map("".join)
ATTACKS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1))",
    "![](https://evil.example/pixel.png)",
    "<https://evil.example>",
    "[a]: https://evil.example",
    "| a | b |",
    "a|b\n|---|---|\n| c | d |",
    "\\|\\",
    "`code`, ``` and ~~~",
    "**bold** _em_ __strong__ ~~gone~~",
    "&lt;b&gt; &#x3c;",
    "# heading #",
    "---",
    "===",
    "- item",
    "1. item",
    "> quotation",
    "    code",
    "<!-- open",
    "<br>",
    "carriage\rreturn",
    "$x$ and $y$",
)


def texts(tokens):
    """Of each inline token its text, and that there is nothing else in it but our own <br>."""
    for token in tokens:
        if token.type == "inline":
            for child in token.children:
                assert child.type in {"text", *BREAKS}, child
                assert child.type != "html_inline" or child.content == "<br>"
            yield "".join(" " if t.type in BREAKS else t.content for t in token.children)


@given(ANY, ANY, ANY)
@example("a", "", "")
def test_whatever_stands_in_a_page_is_shown_as_text(title, cell, note):
    shown(title, cell, note)


@pytest.mark.parametrize("text", ATTACKS)
def test_no_attack_on_a_page_is_more_than_text(text):
    shown(text, text, text)


def shown(title, cell, note):
    page = markdown(
        [Sheet(f"T {title}", ("a", "b"), ((cell, "2"), ("3", cell)), (f"n {note}", note))]
    )
    tokens = RENDERER.parse(page)
    kinds = [token.type for token in tokens if token.nesting >= 0 and token.type != "inline"]
    table = ["table_open", "thead_open", "tr_open", "th_open", "th_open", "tbody_open"]
    cells = ["tr_open", "td_open", "td_open"] * 2
    assert kinds == ["heading_open", *table, *cells, "paragraph_open"], page
    found = list(texts(tokens))
    wanted = [f"T {title}", "a", "b", cell, "2", "3", cell, f"n {note} {note}"]
    assert [text.split() for text in found] == [text.split() for text in wanted]


def test_no_address_becomes_a_link_by_itself():
    page = markdown([Sheet("www.x.y", ("https://x.y",), (("see http://x.y",),), ("www.x.y",))])
    assert page == (
        "### www\\.x.y\n\n| https:\\/\\/x.y |\n| --- |\n| see http:\\/\\/x.y |\n\nwww\\.x.y  \n"
    )


@pytest.mark.parametrize(
    "text", ["org__repo-1", "limits.steps", "1/4 = 25.0 %", "a -> b", "test_a.py::test_b", "(none)"]
)
def test_what_is_no_markup_is_left_as_it_is(text):
    assert f"| {text} |" in markdown([Sheet("", ("a",), ((text,),))])


def test_no_cell_of_csv_is_computed_by_a_spreadsheet_and_numbers_are_numbers():
    computed = ("=1+1", "+cmd|' /C calc'!A0", "-a", "@sum(a)", "\t=1", "\r=1", "-", "=")
    numbers = ("-1", "+1.5", "-1e-9", "0.5", -2, 0.25, "")
    text = csv_text(("=a", "b"), [(each, "x,\ny") for each in (*computed, *numbers)])
    heading, *rows = csv.reader(StringIO(text, newline=""))
    assert heading == ["'=a", "b"]
    inert = [f"'{each}".replace("\r", "\n") for each in computed]
    assert [row[0] for row in rows] == [*inert, *map(str, numbers)]
    assert {row[1] for row in rows} == {"x,\ny"}
