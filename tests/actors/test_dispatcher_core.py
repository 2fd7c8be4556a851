"""The dispatcher's pure core: who gets which event, when it is tried again, and when it ends."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from actors.dispatcher.attempts import READ_MAX
from actors.dispatcher.core import Dispatcher
from actors.dispatcher.errands import Deliver, ReadMore
from actors.dispatcher.settings import FAILING_MS_MAX, Policy
from actors.dispatcher.state import FAILURES_MANY, PENDING_MAX, PROCESSED_PATH, processed
from payrail.domain.endpoints import (
    EndpointAdded,
    EndpointDeleted,
    EndpointDisabled,
    EndpointEnabled,
    EndpointRecord,
    EndpointSecretRotated,
    EndpointUpdated,
)
from payrail.domain.timestamps import iso
from payrail.domain.webhooks import SCHEDULES
from payrail.domain.words.endpoints import (
    DeliveryDone,
    DeliveryDue,
    DisableEndpoint,
    EventsFound,
    FoundEvent,
)
from payrail.errors import RequestError
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


@pytest.fixture
def post() -> Iterator[Post]:
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


def test_an_event_goes_to_the_endpoints_of_its_merchant(post: Post):
    """Another merchant's endpoint and one with other filters do not get it; a provider's event
    goes to nobody."""
    post.add(A)
    post.add(B, "refund.*")
    post.add("we_c", merchant="m_002")
    post.events()
    assert [(order.endpoint_id, order.event_id) for order in post.flying] == [(A, "evt_1")]
    post.events(merchant=None, type_="provider.breaker_opened")
    post.events(merchant="m_002")
    assert [order.endpoint_id for order in post.flying] == [A, "we_c"]


def test_a_delivery_ends_with_2xx_and_leaves_nothing(post: Post):
    """One line in the book of deliveries; no memory of it, and the place moves to the end."""
    post.add()
    post.events(2, type_="payment.created")
    step = post.answered(204)

    (line,) = [p.record for p in step.posts]
    assert msgspec.to_builtins(line) == {
        "event_id": "evt_1",
        "endpoint_id": A,
        "attempt": 1,
        "status": 204,
        "error": None,
        "latency_ms": 7,
        "at": AT,
        "next_at": None,
        "correlation_id": "cor_1",
    }
    step = post.answered(200)
    assert post.pending() == []
    assert post.progress == {A: {"through_seq": 2, "above": []}}
    assert [(show.path, show.data) for show in step.shows] == [(PROCESSED_PATH, post.progress)]


def test_what_arrived_above_a_gap_is_told_as_ranges(post: Post):
    """`through_seq` stops below the first open one; `above` stays small however many follow."""
    post.add()
    post.events(6)
    post.answered(500, which=1)
    for _ in range(3):
        post.answered()
    assert post.pending() == [2, 5, 6]
    assert post.progress == {A: {"through_seq": 1, "above": [[3, 4]]}}


@pytest.mark.parametrize("status", [None, 100, 301, 302, 400, 404, 429, 500, 503])
def test_whatever_is_not_2xx_is_tried_again(post: Post, status: int | None):
    """Redirects, errors and silence are failures; the next attempt carries the same event."""
    post.add()
    post.events()
    step = post.answered(status)
    timer = retry(step)
    assert timer.due_ms == NOON_MS + 1_000
    assert step.posts[0].record.next_at == iso(timer.due_ms)
    assert post.flying == []

    post.fires(timer)
    (order,) = post.flying
    assert (order.event_id, order.attempt) == ("evt_1", 2)


def test_the_demo_schedule_ends_in_a_dead_letter(post: Post):
    """At once, then after 1, 2 and 4 s; then a letter `exhausted` that a replay can deliver."""
    post.add()
    post.events()
    waits_ms = []
    for _ in range(3):
        timer = retry(post.answered(500))
        waits_ms.append(timer.due_ms - post.wire_ms)
        post.fires(timer)
    assert waits_ms == [1_000, 2_000, 4_000]

    step = post.answered(500)
    found = letter(step)
    assert (found.why, found.actor, found.error["type"]) == ("exhausted", "dispatcher", "Exhausted")
    assert step.posts[0].record.next_at is None
    assert step.errors == 1
    assert post.pending() == []
    assert post.progress == {A: {"through_seq": 1, "above": []}}


def test_a_dead_letter_that_is_replayed_is_delivered_once_more(post: Post):
    """A replay begins anew with attempt 1; a second one meanwhile changes nothing, and the place
    does not move back."""
    post.add()
    post.events()
    for _ in range(3):
        post.fires(retry(post.answered(500)))
    found = letter(post.answered(500))
    post.events()
    post.answered()

    message = msgspec.json.decode(found.message)
    body = msgspec.convert(message["body"], _redeliver())
    step = post.tell(message["kind"], body, sender="dispatcher")
    post.fires(step.timers[0])
    (order,) = post.flying
    assert (order.event_id, order.attempt) == ("evt_1", 1)
    assert post.progress == {A: {"through_seq": 2, "above": []}}
    assert post.tell(message["kind"], body, sender="dispatcher").events == []
    post.answered()
    assert post.pending() == []


def _redeliver() -> Any:
    from payrail.domain.words.endpoints import Redeliver

    return Redeliver


def test_a_dead_letter_of_a_deleted_endpoint_cannot_be_replayed(post: Post):
    """The refusal says what to do with it."""
    order = _redeliver()(A, FoundEvent(1, "evt_1", 0, 10, "payment.created", 0, "m_001", "cor"))
    with pytest.raises(RequestError, match="drop this dead letter"):
        post.tell("delivery.redo", order, sender="dispatcher")


def test_retry_after_makes_a_pause_longer_and_never_shorter(post: Post):
    """It is honoured with 429 and 503 alone."""
    post.add()
    post.events(3)
    assert retry(post.answered(503, after=9)).due_ms == NOON_MS + 9_000
    assert retry(post.answered(429, after=0)).due_ms == NOON_MS + 1_000
    assert retry(post.answered(500, after=9)).due_ms == NOON_MS + 1_000


def test_the_standard_schedule_spreads_its_retries(post: Post):
    """Two events that fail together are not tried together again."""
    spread = Post(Policy())
    spread.add()
    spread.events(2)
    first, second = (retry(spread.answered(500)).due_ms - NOON_MS for _ in range(2))
    assert 5_000 <= first <= 6_000
    assert 5_000 <= second <= 6_000
    assert first != second


def test_a_slow_endpoint_keeps_only_its_own_events_waiting(post: Post):
    """It has a bounded number of attempts under way; another endpoint gets all of its own."""
    post.add(A)
    post.add(B, "refund.*")
    post.events(20)
    assert [order.endpoint_id for order in post.flying] == [A] * DEMO.flying_max
    post.events(3, type_="refund.created")
    assert [order.endpoint_id for order in post.flying] == [A] * DEMO.flying_max + [B] * 3
    post.answered()
    assert post.flying[-1].seq == DEMO.flying_max + 1


def test_an_endpoint_that_fails_is_tried_with_one_at_a_time(post: Post):
    """After some failures in a row nothing is sent beside an attempt; a success ends that."""
    post.add()
    post.events(FAILURES_MANY)
    for _ in range(FAILURES_MANY):
        post.answered(500)
    post.events(20)
    assert len(post.flying) == 1
    post.answered(200)
    assert len(post.flying) == 1
    post.answered(200)
    assert len(post.flying) == DEMO.flying_max


def test_410_disables_the_endpoint(post: Post):
    """The gateway is told once, nothing more is sent, and what is open waits."""
    post.add()
    post.events(24)
    step = post.answered(410)
    (sent,) = step.out
    assert (sent.to, sent.kind, sent.body) == (
        "gateway",
        "endpoint.disable",
        DisableEndpoint(A, "gone"),
    )
    assert post.answered(410).out == []
    assert len(post.flying) == DEMO.flying_max - 2
    post.events()
    assert post.pending() == list(range(1, 25))


def test_an_endpoint_that_is_enabled_again_gets_what_it_missed(post: Post):
    """What was open goes on, and what came meanwhile is read again from the outbox."""
    post.add()
    post.events()
    post.answered()
    post.access(EndpointDisabled(A, "by_hand", "u", AT))
    post.events(3)
    assert post.flying == []
    assert post.progress == {A: {"through_seq": 1, "above": []}}

    post.access(EndpointEnabled(A, "u", AT))
    (order,) = post.reading
    assert (order.offset, order.until) == (post.where[2].at, post.offset)
    found = EventsFound(A, [post.where[s] for s in (2, 3, 4)], 4, post.offset)
    post.fires(post.tell("events.found", found, sender="errand").timers[0])
    assert [order.seq for order in post.flying] == [2, 3, 4]
    post.events()
    assert [order.seq for order in post.flying] == [2, 3, 4, 5]


def test_an_endpoint_with_too_much_open_stays_behind(post: Post):
    """Memory has a bound: what is beyond it waits in the outbox, and is read when there is room."""
    post.is_large = True
    post.add()
    for _ in range(PENDING_MAX // 100):
        post.events(100)
    post.events(50)
    assert len(post.pending()) == PENDING_MAX
    assert post.progress[A]["through_seq"] == 0
    for _ in range(READ_MAX + 1):
        assert post.reading == []
        post.answered()
    (order,) = post.reading
    assert order.offset == post.where[PENDING_MAX + 1].at
    post.events(5)
    mine = [post.where[PENDING_MAX + 1 + n] for n in range(50)]
    found = EventsFound(A, mine, PENDING_MAX + 50, order.until)
    step = post.tell("events.found", found, sender="errand")
    post.reading.clear()
    post.fires(step.timers[0])
    assert post.reading == []
    for _ in range(50):
        post.answered()
    assert [again.offset for again in post.reading] == [post.where[PENDING_MAX + 51].at]


def test_five_days_of_nothing_but_failure_disable_an_endpoint(post: Post):
    """A single success begins the count anew."""
    post.add()
    post.events(2)
    post.answered(500)
    post.wire_ms += FAILING_MS_MAX - 1
    post.answered(200)
    post.events(2)
    assert post.answered(500).out == []
    post.wire_ms += FAILING_MS_MAX
    (sent,) = post.answered(500).out
    assert sent.body == DisableEndpoint(A, "failing")


def test_a_deleted_endpoint_is_forgotten_with_all_that_was_open(post: Post):
    """Late outcomes and timers about it change nothing."""
    post.add()
    post.events(2)
    timer = retry(post.answered(500))
    post.access(EndpointDeleted(A, "u", AT))
    assert post.state.routes == {}
    assert post.fires(timer).events == []
    assert post.answered(200).events == []


def test_a_new_endpoint_gets_what_was_booked_after_it(post: Post):
    """Exactly from its registration on, whichever of the two books was read first."""
    post.events(3)
    post.add(A, after=5)
    post.events(4)
    assert [order.seq for order in post.flying] == [6, 7]

    post.add(B, after=4)
    (order,) = post.reading
    assert (order.seq, order.after_seq) == (3, 4)
    assert order.offset == post.where[4].at


def test_a_changed_endpoint_gets_the_next_attempt_elsewhere(post: Post):
    """Another URL counts from the next attempt on, other filters from the next event on."""
    post.add()
    post.events()
    timer = retry(post.answered(500))
    post.access(EndpointUpdated(A, "https://new.example/", ["refund.*"], "u", AT))
    post.fires(timer)
    post.events()
    assert [(order.seq, order.url) for order in post.flying] == [(1, "https://new.example/")]


def test_two_secrets_sign_for_a_day(post: Post):
    """The versions travel, never the secrets; business time ends the old one."""
    post.add()
    post.access(EndpointSecretRotated(A, 2, iso(NOON_MS + 1_000), "u", AT))
    post.events()
    assert post.flying[-1].versions == [2, 1]
    post.business_ms += 1_000
    post.events()
    assert post.flying[-1].versions == [2]


def test_a_new_incarnation_begins_again_what_had_no_outcome(post: Post):
    """The same attempts under the same ids; what waits for its time waits on."""
    post.add()
    post.events(12)
    post.answered(200)
    post.answered(500)
    before = [(order.seq, order.attempt) for order in post.flying]
    step = post.reborn()
    assert [(order.seq, order.attempt) for order in post.flying] == before
    assert len({errand.id for errand in step.errands}) == len(before)
    assert step.shows[0].data == post.progress


def test_what_flew_to_a_disabled_endpoint_is_not_sent_again_at_start(post: Post):
    """It waits with the rest, and goes on when the endpoint is enabled."""
    post.add()
    post.events(2)
    post.access(EndpointDisabled(A, "by_hand", "u", AT))
    assert post.reborn().errands == []
    post.access(EndpointEnabled(A, "u", AT))
    assert [order.seq for order in post.flying] == [1, 2]


def test_an_outcome_that_was_heard_already_changes_nothing(post: Post):
    """The same attempt answered twice, and one of an earlier attempt, are passed over."""
    post.add()
    post.events()
    (order,) = post.flying
    timer = retry(post.answered(500))
    assert post.said(order, 200).events == []
    post.fires(timer)
    assert post.said(order, 200).events == []
    post.answered(200)
    assert post.tell("delivery.due", DeliveryDue(A, 1), sender="timer").events == []


def test_a_line_that_is_no_event_goes_to_nobody_and_those_behind_it_count(post: Post):
    """Its bytes move the place like any others, so that the next event is found where it stands."""
    post.add()
    odd = chained(b'{"seq":1,"note":"not an event"}', GENESIS)
    post.seq, post.offset = 1, len(odd) + 1
    lines = [odd, post.line()]
    post.tell("book.read", BookRead("events", lines), sender="book:events")
    (order,) = post.flying
    assert (order.seq, order.at) == (2, len(odd) + 1)
