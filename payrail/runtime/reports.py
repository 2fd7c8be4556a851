"""What an actor reports of its work: five counters and a gauge in its cell, for people's eyes.

    control.cell.report.took(3, waited_ms=7)    # three pieces of work, 7 ms together
    control.cell.report.retried()               # something was tried again
    control.cell.report.failed()                # something failed; a decline is no failure
    control.cell.report.lag_ms = 1_200          # oldest undelivered webhook; None: there is none

An actor in a loop has its messages and their waiting counted for it; its core adds what only it
knows with `Step(retries=1)` and `Step(errors=1)`.

What it promises: a report costs two stores and can be given in a hot path. Counters only grow and
begin at zero with each incarnation; `Sampler` makes growth of them again, over incarnations.
What it never is: truth. What was counted between the last look and a SIGKILL is lost.
"""

from dataclasses import dataclass
from typing import Final

from msgspec import Struct

#: Words of a report in its cell: see the numbers below.
REPORT_WORDS: Final = 5
_MESSAGES, _WAITED_MS, _RETRIES, _ERRORS, _LAG = range(REPORT_WORDS)


class Reported(Struct, frozen=True, gc=False):
    """Sums of one incarnation, or their growth over some time."""

    messages: int = 0  # pieces of work: messages of an actor, answers of a door
    waited_ms: int = 0  # of all of them together
    retries: int = 0
    errors: int = 0
    lag_ms: int | None = None  # a gauge: it does not add up

    def plus(self, more: "Reported") -> "Reported":
        """Both together; the gauge is the newer one's."""
        return Reported(
            self.messages + more.messages,
            self.waited_ms + more.waited_ms,
            self.retries + more.retries,
            self.errors + more.errors,
            more.lag_ms,
        )

    def since(self, before: "Reported") -> "Reported":
        """What came since `before`, an earlier look; all of it when the counters began anew."""
        grown = Reported(
            self.messages - before.messages,
            self.waited_ms - before.waited_ms,
            self.retries - before.retries,
            self.errors - before.errors,
            self.lag_ms,
        )
        shrunk = min(grown.messages, grown.waited_ms, grown.retries, grown.errors) < 0
        return self if shrunk else grown


@dataclass(slots=True)
class Batch:
    """What one turn of a loop did. Its core says so in `Step.retries` and `Step.errors`; a dead
    letter is an error by itself."""

    messages: int = 0
    sent_ms_sum: int = 0  # wire times of sending, so that one look at the clock tells all waits
    retries: int = 0
    errors: int = 0

    def took(self, sent_ms: int) -> None:
        """One message was taken that was sent at `sent_ms`."""
        self.messages += 1
        self.sent_ms_sum += sent_ms


class Report:
    """The writing end: five words of the actor's own cell."""

    def __init__(self, words: memoryview) -> None:
        self._words = words
        self.clear()

    def clear(self) -> None:
        """A new incarnation has done nothing yet."""
        for word in range(REPORT_WORDS):
            self._words[word] = 0

    def took(self, messages: int = 1, *, waited_ms: int = 0) -> None:
        """Work was done; `waited_ms` is what all of it together took, from its sending on."""
        self._words[_WAITED_MS] += max(0, waited_ms)
        self._words[_MESSAGES] += messages

    def retried(self, count: int = 1) -> None:
        """Something was tried again that an earlier try had not brought to an end."""
        self._words[_RETRIES] += count

    def failed(self, count: int = 1) -> None:
        """Something failed that should not have. A decline or a refused request is no failure."""
        self._words[_ERRORS] += count

    def add(self, batch: Batch, now_ms: int) -> None:
        """A turn is durable and told, at wire time `now_ms`."""
        self.took(batch.messages, waited_ms=batch.messages * now_ms - batch.sent_ms_sum)
        self.retried(batch.retries)
        self.failed(batch.errors)

    @property
    def lag_ms(self) -> int | None:
        """Age of the oldest webhook that waits for its delivery; None when none waits."""
        lag: int = self._words[_LAG]
        return lag - 1 if lag else None

    @lag_ms.setter
    def lag_ms(self, lag_ms: int | None) -> None:
        self._words[_LAG] = 0 if lag_ms is None else max(0, lag_ms) + 1

    def release(self) -> None:
        """Let go of the page."""
        self._words.release()


def read_report(words: memoryview) -> Reported:
    """A report as somebody else sees it."""
    lag = words[_LAG]
    return Reported(
        words[_MESSAGES],
        words[_WAITED_MS],
        words[_RETRIES],
        words[_ERRORS],
        lag - 1 if lag else None,
    )


class Sampler:
    """Growth of one actor's counters between looks, over the lives of its incarnations."""

    def __init__(self) -> None:
        self._epoch: int | None = None
        self._seen = Reported()

    def look(self, epoch: int, reported: Reported) -> Reported:
        """What was counted since the last look. The first look only learns where it stands."""
        before, self._seen = self._seen, reported
        known, self._epoch = self._epoch, epoch
        if known is None:
            return Reported(lag_ms=reported.lag_ms)
        return reported if known != epoch and epoch else reported.since(before)
