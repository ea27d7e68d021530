"""Text of others (models, programs, endpoints) made fit for a terminal: it is shown, not obeyed."""

from __future__ import annotations

import re
import sys
import traceback
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.text import Text

# all of C0 but tab and newline, DEL and C1 (Unicode 2.7 and ISO 6429: escape sequences begin
# there); what changes the direction of text (Unicode UAX 9); ends of lines that only Unicode knows;
# halves of surrogate pairs
OBEYED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def printable(text: str) -> str:
    r"""`text` with each character that a terminal would obey as its escape, like `\x1b`.

    A line's end may be that of DOS: it is one in a trajectory and in a patch alike.
    """
    return OBEYED.sub(_escape, text.replace("\r\n", "\n"))


def plain(text: str, style: str = "") -> Text:
    """`text` for rich, in which brackets are brackets."""
    from rich.text import Text

    return Text(printable(text), style=style)


def tell_bug(kind: type[BaseException], error: BaseException, at: TracebackType | None) -> None:
    """A traceback on standard error (a sys.excepthook): its message may be of others, too."""
    print(printable("".join(traceback.format_exception(kind, error, at))), file=sys.stderr, end="")


def _escape(found: re.Match[str]) -> str:
    return found.group().encode("unicode_escape").decode()
