"""A dispatcher with its two books, whose errands wait for the test to answer them."""

from collections.abc import Iterator
from typing import Any

import msgspec

from actors.dispatcher.core import Dispatcher
from actors.dispatcher.errands import Deliver, ReadMore
from actors.dispatcher.settings import Policy
from actors.dispatcher.state import processed
from payrail.domain.endpoints import (
    EndpointAdded,
    EndpointRecord,
)
from payrail.domain.webhooks import SCHEDULES
from payrail.domain.words.endpoints import (
    DeliveryDone,
    FoundEvent,
)
from payrail.runtime.actor import BookRead, SetTimer, Step
from payrail.runtime.deadletters import read_dead_letter
from payrail.storage.lines import GENESIS, chained, encode
from tests.actors.pure import NOON_MS, Played

AT = "2026-02-09T12:00:00.000Z"
DEMO = Policy(schedule=SCHEDULES["demo"])
A, B = "we_a", "we_b"


class Post(Played):
    """A dispatcher with its two books, and errands that wait to be answered."""

    def __init__(self, policy: Policy = DEMO) -> None:
        super().__init__(Dispatcher(policy))
        self.seq = self.offset = 0
        self.is_large = False  # then its state is not looked at in each step
        self.where: dict[int, FoundEvent] = {}
        self.flying: list[Deliver] = []
        self.reading: list[ReadMore] = []

    def snapshot(self) -> dict[str, bytes]:
        return {} if self.is_large else super().snapshot()

    def tell(self, kind: str, body: Any, **more: Any) -> Any:
        step = super().tell(kind, body, **more)
        self._note(step)
        return step

    def _note(self, step: Step) -> None:
        for errand in step.errands:
            if isinstance(errand.body, Deliver):
                self.flying.append(errand.body)
            elif isinstance(errand.body, ReadMore):
                self.reading.append(errand.body)

    def access(self, *records: EndpointRecord) -> None:
        """Facts about endpoints; what the dispatcher sets itself for now comes due at once."""
        lines = [chained(b'{"seq":1,%b' % encode(one)[1:], GENESIS) for one in records]
        step = self.tell("book.read", BookRead("access", lines), sender="book:access")
        for timer in step.timers:
            self.fires(timer)

    def add(self, endpoint_id: str = A, *filters: str, merchant: str = "m_001", after: int = 0):
        url = f"https://{endpoint_id}.example/"
        self.access(EndpointAdded(endpoint_id, merchant, url, list(filters), after, "u", AT))

    def line(self, merchant: str | None = "m_001", type_: str = "payment.created") -> bytes:
        """The next line of the outbox."""
        self.seq += 1
        fields = {
            "seq": self.seq,
            "id": f"evt_{self.seq}",
            "type": type_,
            "timestamp": AT,
            "object_seq": 1,
            "merchant_id": merchant,
            "correlation_id": f"cor_{self.seq}",
            "data": {},
        }
        line = chained(encode(fields), GENESIS)
        at_ms = NOON_MS
        self.where[self.seq] = FoundEvent(
            self.seq, f"evt_{self.seq}", self.offset, len(line), type_, at_ms, merchant or "", "cor"
        )
        self.offset += len(line) + 1
        return line

    def events(self, count: int = 1, **fields: Any) -> Any:
        lines = [self.line(**fields) for _ in range(count)]
        return self.tell("book.read", BookRead("events", lines), sender="book:events")

    def answered(self, status: int | None = 200, *, which: int = 0, **more: Any) -> Any:
        """The attempt that flies longest is answered; result: the step that follows."""
        return self.said(self.flying.pop(which), status, **more)

    def said(self, order: Deliver, status: int | None = 200, **more: Any) -> Any:
        error = None if status is not None else more.pop("error", "timeout")
        done = DeliveryDone(
            order.endpoint_id, order.seq, order.attempt, status, error, 7, more.get("after")
        )
        return self.tell("delivery.done", done, sender="errand")

    def fires(self, timer: SetTimer) -> Any:
        self.wire_ms = max(self.wire_ms, timer.due_ms)
        self.business_ms = max(self.business_ms, timer.due_ms)
        return self.tell(timer.kind, timer.body, sender="timer")

    def reborn(self) -> Any:
        """A new incarnation: nothing flies any more; result: what it begins with."""
        self.flying.clear()
        self.reading.clear()
        self.state = self.replayed()
        step = self.actor.opened(self.state, self._moment())
        self._fold(step)
        self._note(step)
        return step

    def _moment(self) -> Any:
        from payrail.runtime.actor import Moment

        return Moment(self.wire_ms, self.business_ms, "dispatcher", len(self.steps) + 1, 0)

    def replayed(self) -> Any:
        self.lines = [line for line in self.lines if line[0] != "dlq"]
        return super().replayed()

    @property
    def progress(self) -> Any:
        return processed(self.state)

    def pending(self, endpoint_id: str = A) -> list[int]:
        return list(self.state.routes[endpoint_id].pending)


def posted() -> Iterator[Post]:
    """A dispatcher that is looked at once more in the end: folded anew and from its documents it is
    the same, and no secret stands anywhere."""
    made = Post()
    yield made
    assert msgspec.json.encode(made.replayed()) == msgspec.json.encode(made.state)
    stored = {path: msgspec.json.encode(c) for path, c in made.actor.documents(made.state).items()}
    assert msgspec.json.encode(made.actor.load(stored)) == msgspec.json.encode(made.state)
    assert b"whsec_" not in made.everything()


def retry(step: Step) -> SetTimer:
    (timer,) = [t for t in step.timers if isinstance(t, SetTimer) and t.kind == "delivery.due"]
    return timer


def letter(step: Step) -> Any:
    (found,) = [p.record for p in step.posts if p.book == "dlq"]
    return read_dead_letter(msgspec.json.encode(found))
