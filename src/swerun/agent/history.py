"""A conversation as it grows, and what becomes of it when it is too long for the model."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from swerun.agent import context
from swerun.ports import Message
from swerun.records import Step

TIGHTER = 0.9  # of the size that was refused: what fits is not known better than that


def turns(step: Step) -> list[Message]:
    """A step as the messages that the next request carries."""
    said = Message("assistant", step.reply.text, reply=step.reply)
    seen = [Message("tool", o.text, call_id=o.call_id) for o in step.observations]
    return [said, *seen]


@dataclass(slots=True)
class History:
    """Messages that only grow, but for the results that were shortened.

    `most` is how many tokens a request may have: None where nobody knows, until one is refused.
    The size is what the endpoint reported of the newest request, and an estimate of what has come
    since. Adding a step costs the same whatever came before.
    """

    messages: list[Message]
    most: int | None = None
    tokens: float = 0.0
    chars: int = 0
    ratio: float = context.CHARS_PER_TOKEN
    _results: list[range] = field(default_factory=list)  # of each step: where its results lie
    _shortened: int = 0  # steps

    def __post_init__(self) -> None:
        self.chars = sum(len(message.content) for message in self.messages)
        self.tokens = self.chars / self.ratio

    def add(self, step: Step) -> None:
        usage, new = step.reply.usage, turns(step)
        seen = sum(len(message.content) for message in new[1:])
        calls = step.reply.calls
        said = len(step.reply.text) + sum(len(str(v)) for c in calls for v in c.arguments.values())
        if ratio := context.chars_per_token(self.chars, usage):
            self.ratio = ratio
            self.tokens = usage.total + seen / ratio
        else:
            self.tokens += (said + seen) / self.ratio
        self.chars += said + seen
        begin = len(self.messages) + 1
        self.messages += new
        self._results.append(range(begin, len(self.messages)))

    def fit(self) -> tuple[int, ...]:
        """Make it fit, as far as that goes; the steps whose results were shortened for it."""
        return self._shorten() if self.most is not None and self.tokens > self.most else ()

    @property
    def is_too_long(self) -> bool:
        return self.most is not None and self.tokens > self.most

    def refused(self) -> tuple[int, ...]:
        """The endpoint has said that it is too long: less fits than was thought. As `fit`."""
        refused = int(self.tokens * TIGHTER)
        self.most = refused if self.most is None else min(self.most, refused)
        return self._shorten()

    def _shorten(self) -> tuple[int, ...]:
        open_ = self._results[self._shortened :]
        savings = [int(self._saving(results) / self.ratio) for results in open_]
        number = context.how_many(savings, int(self.tokens), self.most or 0)
        if not sum(savings[:number]):
            return ()
        for results in open_[:number]:
            for i in results:
                short = context.shortened(self.messages[i].content)
                self.chars -= len(self.messages[i].content) - len(short)
                self.messages[i] = replace(self.messages[i], content=short)
        self.tokens -= sum(savings[:number])
        first, self._shortened = self._shortened, self._shortened + number
        return tuple(range(first, first + number))

    def _saving(self, results: range) -> int:
        """Characters."""
        texts = [self.messages[i].content for i in results]
        return sum(len(text) - len(context.shortened(text)) for text in texts)
