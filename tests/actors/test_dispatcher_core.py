"""The dispatcher's pure core: who gets which event, when it is tried again, and when it ends."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from actors.dispatcher.settings import Policy
from actors.dispatcher.state import FAILURES_MANY, PROCESSED_PATH
from payrail.domain.endpoints import (
    EndpointDisabled,
    EndpointEnabled,
    EndpointSecretRotated,
)
from payrail.domain.timestamps import iso
from payrail.domain.words.endpoints import (
    DeliveryDue,
    FoundEvent,
)
from payrail.errors import RequestError
from payrail.runtime.actor import BookRead
from payrail.storage.lines import GENESIS, chained
from tests.actors.postroom import AT, DEMO, A, B, Post, letter, posted, retry
from tests.actors.pure import NOON_MS


@pytest.fixture
def post() -> Iterator[Post]:
    yield from posted()


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
