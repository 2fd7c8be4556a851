"""What the dispatcher does as endpoints come, change, fail for days, and go."""

from collections.abc import Iterator

import pytest

from actors.dispatcher.attempts import READ_MAX
from actors.dispatcher.settings import FAILING_MS_MAX
from actors.dispatcher.state import PENDING_MAX
from payrail.domain.endpoints import (
    EndpointDeleted,
    EndpointDisabled,
    EndpointEnabled,
    EndpointUpdated,
)
from payrail.domain.words.endpoints import (
    DisableEndpoint,
    EventsFound,
)
from tests.actors.postroom import AT, DEMO, A, B, Post, posted, retry


@pytest.fixture
def post() -> Iterator[Post]:
    yield from posted()


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
