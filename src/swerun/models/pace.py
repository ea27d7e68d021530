"""How fast an endpoint may be asked: what was refused and served so far decides. Pure.

Concurrency is lowered by half on a refusal and raised by a little on each reply (additive increase,
multiplicative decrease, as TCP does it: RFC 5681); limits that are known are token buckets. Moments
are seconds of one clock, which is always handed in.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import inf

RAISE = 0.5  # requests at once more, for each reply
FIRST, LONGEST = 1.0, 60.0  # seconds of the first hold that the endpoint gives no length for
BURST = 6.0  # seconds' worth that a bucket holds: enough to begin with, too little to overrun by
FORGOTTEN = 300.0  # seconds after a hold in which nobody asked: what was before says nothing now


@dataclass(frozen=True, slots=True)
class Bucket:
    """`per_minute` flows in, what is asked for flows out; below zero it has to fill up first."""

    per_minute: float
    level: float
    at: float

    @classmethod
    def full(cls, per_minute: float, now: float) -> Bucket:
        return cls(per_minute, cls.room(per_minute), now)

    @staticmethod
    def room(per_minute: float) -> float:
        return max(1.0, per_minute * BURST / 60)

    def filled(self, now: float) -> Bucket:
        level = self.level + (now - self.at) * self.per_minute / 60
        return replace(self, level=min(level, self.room(self.per_minute)), at=now)

    def wait(self, amount: float, now: float) -> float:
        """Seconds until `amount` may go: more than the bucket's room goes from a full one."""
        missing = min(amount, self.room(self.per_minute)) - self.filled(now).level
        return max(0.0, missing * 60 / self.per_minute)

    def less(self, amount: float, now: float) -> Bucket:
        filled = self.filled(now)
        return replace(filled, level=filled.level - amount)


@dataclass(frozen=True, slots=True)
class Refusal:
    """An endpoint said, or showed, that it takes no request now. `sent_at` is when the request
    went out, `wait` what the endpoint asked for, `is_down` whether it was there at all."""

    sent_at: float
    wait: float | None = None
    is_down: bool = False


@dataclass(slots=True)
class Pace:
    """One endpoint's. `ceiling` is how many requests there may be at once at the most, `patience`
    how many seconds of nothing but refusals are borne."""

    ceiling: int
    patience: float
    requests: Bucket | None = None
    tokens: Bucket | None = None
    limit: float = field(init=False)
    in_flight: int = 0
    until: float = -inf  # nobody asks before
    is_down: bool = False  # one asks at a time, until somebody is answered
    refusals: int = 0  # since the last reply
    since: float = 0.0  # when the first of those came
    cut_at: float = -inf
    closed_at: float | None = None  # of the pause that is not over
    past_pauses: float = 0.0  # seconds

    def __post_init__(self) -> None:
        self.limit = float(self.ceiling)

    def wait(self, tokens: float, now: float) -> float:
        """Seconds until a request of so many tokens may go; infinite where another has to come
        back first."""
        if now < self.until:
            return self.until - now
        if self.in_flight >= (1 if self.is_down else int(self.limit)):
            return inf
        waits = [self.requests.wait(1, now)] if self.requests else []
        waits += [self.tokens.wait(tokens, now)] if self.tokens else []
        return max(waits, default=0.0)

    def sent(self, tokens: float, now: float) -> None:
        self._reopen(now)
        self.in_flight += 1
        self._take(1, tokens, now)

    def back(self) -> None:
        """A request is over, in whatever way."""
        self.in_flight -= 1

    def answered(self, tokens_more: float, now: float) -> None:
        """A reply came; it had `tokens_more` than was thought when it was sent."""
        self.limit = min(self.limit + RAISE, float(self.ceiling))
        self._take(0, tokens_more, now)
        self.alive(now)
        self.refusals = 0

    def alive(self, now: float) -> None:
        """The endpoint is there, whatever it said."""
        if self.is_down:
            self.is_down, self.until = False, now
            self._reopen(now)

    def refused(self, refusal: Refusal, now: float) -> None:
        """Nobody asks for a while: as long as the endpoint says, else twice as long each time."""
        self._reopen(now)
        if self.refusals and now > self.until + FORGOTTEN:
            self.refusals = 0
        if not self.refusals:
            self.since = now
        wait = refusal.wait
        if wait is None:
            wait = min(LONGEST, FIRST * 2.0 ** min(self.refusals, 10))
        if not refusal.is_down and refusal.sent_at >= self.cut_at:
            # what was sent before the last cut was too much then, and says nothing of now
            self.limit, self.cut_at = max(1.0, self.limit / 2), now
        if refusal.sent_at >= self.until or refusal.wait is not None:
            self.refusals += 1
            self.until = max(self.until, now + wait)
        self.is_down = self.is_down or refusal.is_down
        if self.closed_at is None:
            self.closed_at = now

    def is_over(self, now: float) -> bool:
        """Whether patience has come to an end, or would before the endpoint wants to be asked."""
        return bool(self.refusals) and max(now, self.until) - self.since > self.patience

    def paused(self, now: float) -> float:
        """Seconds up to now in which nobody was to ask."""
        if self.closed_at is None:
            return self.past_pauses
        end = now if self.is_down else max(self.closed_at, min(now, self.until))
        return self.past_pauses + end - self.closed_at

    def _reopen(self, now: float) -> None:
        """A pause is over once somebody may ask; where the endpoint is down, once it answers."""
        if self.closed_at is not None and not self.is_down and now >= self.until:
            self.past_pauses, self.closed_at = self.paused(now), None

    def _take(self, requests: float, tokens: float, now: float) -> None:
        self.requests = self.requests and self.requests.less(requests, now)
        self.tokens = self.tokens and self.tokens.less(tokens, now)
