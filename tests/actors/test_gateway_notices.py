"""Notices at the gateway: one fact with the reply, whichever comes first; never a payment more."""

import pytest
from msgspec import structs

from actors.gateway import notices
from actors.simulation.orders import cancel, capture
from payrail.domain.words.providers import ParkedNoticeDue, ProviderNotice
from payrail.runtime.actor import CancelTimer, SetTimer
from tests.actors.gatewaydesk import Desk, answer, booked, entry

HOUR_MS = 3_600_000


@pytest.fixture
def desk() -> Desk:
    return Desk()


def told(reference: str, **more) -> ProviderNotice:
    fields = {
        "provider": "providerA",
        "notice_id": "evt_1",
        "reference": reference,
        "operation": "authorize",
        "operation_id": reference,
        "result": "approved",
        "code": "approved",
        "provider_reference": "ch_1",
        "amount": 1099,
        "currency": "USD",
        **more,
    }
    return ProviderNotice(**fields)


def notice(desk: Desk, reference: str, **more):
    body = told(reference, **more)
    return desk.tell("provider.notice", body, sender="frontdoor", reply_to=f"n.{len(desk.steps)}")


def outcome_of(step) -> str:
    """What the provider hears: always 200."""
    reply = step.replies[-1]
    assert reply.status == 200
    return str(reply.body["outcome"])


def is_empty(step) -> bool:
    return not (step.events or step.posts or step.out or step.timers)


def test_a_notice_before_the_reply_is_the_reply(desk: Desk):
    """Applied once: who waits is answered, and the outcome that follows changes nothing."""
    payment_id, _ = desk.attempted()
    step = notice(desk, f"{payment_id}.1")

    assert booked(step) == ["payment.authorized"]
    assert [reply.status for reply in step.replies] == [201, 200]
    assert outcome_of(step) == "applied"
    assert is_empty(desk.says(f"{payment_id}.1"))
    assert desk.replayed() == desk.state


def test_a_notice_after_the_reply_is_a_duplicate(desk: Desk):
    """However often it comes, it changes nothing, and is taken."""
    payment_id = desk.authorized()
    for _ in range(3):
        step = notice(desk, f"{payment_id}.1")
        assert is_empty(step)
        assert outcome_of(step) == "duplicate"


def test_a_declined_notice_declines_once(desk: Desk):
    """An issuer's no is final by either way."""
    payment_id, _ = desk.attempted()
    no = {"result": "declined", "code": "do_not_honor", "provider_reference": None}
    step = notice(desk, f"{payment_id}.1", **no)
    assert entry(step, "payment.declined").data.decline_code == "do_not_honor"
    assert is_empty(desk.says(f"{payment_id}.1", "declined", code="do_not_honor"))
    assert outcome_of(notice(desk, f"{payment_id}.1", **no)) == "duplicate"


def test_a_notice_resolves_a_doubt_before_any_ask_does(desk: Desk):
    """The attempt timed out; the webhook of its approval makes it authorized."""
    payment_id, attempt = desk.attempted()
    (timer,) = [t for t in attempt.timers if isinstance(t, SetTimer)]
    assert booked(desk.fires(timer)) == ["payment.unknown"]
    step = notice(desk, f"{payment_id}.1")
    assert booked(step) == ["payment.authorized"]
    assert {t.id for t in step.timers if isinstance(t, CancelTimer)} == {
        f"attempt:{payment_id}.1",
        f"ask:{payment_id}.1",
    }
    assert is_empty(desk.says(f"{payment_id}.1", asked=True))


def test_a_capture_is_the_one_with_its_id(desk: Desk):
    """Reference and operation id both: another id is another operation, and none of ours."""
    payment_id = desk.authorized()
    step = desk.order(capture(payment_id))
    cap = step.out[0].body.operation_id
    about = {"operation": "capture", "provider_reference": "cp_1"}
    assert outcome_of(notice(desk, f"{payment_id}.2", operation_id="cap_x", **about)) == "duplicate"
    applied = notice(desk, f"{payment_id}.2", operation_id=cap, **about)
    assert booked(applied) == ["payment.captured", "fee.charged"]
    assert is_empty(notice(desk, f"{payment_id}.2", operation_id=cap, **about))


@pytest.mark.parametrize(
    "wrong", [{"provider": "providerB"}, {"operation": "capture"}, {"operation_id": "x"}]
)
def test_a_notice_about_another_call_moves_nothing(desk: Desk, wrong: dict[str, str]):
    """Another provider, another operation: taken, so that it is not posted again, and no more."""
    payment_id, _ = desk.attempted()
    given = {"operation": "authorize", **wrong}
    step = notice(desk, f"{payment_id}.1", **given)
    if "operation_id" in wrong:  # a charge has none of ours: its reference tells
        assert outcome_of(step) == "applied"
    else:
        assert is_empty(step)


def test_a_wrong_amount_goes_the_way_of_a_wrong_amount(desk: Desk):
    """Given back, declined and told to people, once."""
    payment_id, _ = desk.attempted()
    step = notice(desk, f"{payment_id}.1", amount=1098)
    assert booked(step) == ["payment.declined", "case.opened"]
    assert [send.kind for send in step.out] == ["reverse"]
    assert is_empty(desk.says(f"{payment_id}.1", amount=1098))
    other = notice(desk, f"{payment_id}.1", currency="EUR")
    assert is_empty(other)


def test_a_late_approval_told_by_notice_is_given_back_once(desk: Desk):
    """The payment was closed as fenced; the charge happened all the same."""
    payment_id, attempt = desk.attempted()
    (timer,) = [t for t in attempt.timers if isinstance(t, SetTimer)]
    desk.fires(timer)
    desk.says(f"{payment_id}.1", "fenced", asked=True)
    step = notice(desk, f"{payment_id}.1")
    assert [send.body.reference for send in step.out] == [f"{payment_id}.2"]
    assert booked(step) == ["case.opened"]
    assert is_empty(desk.says(f"{payment_id}.1"))
    assert is_empty(notice(desk, f"{payment_id}.1"))

    done = notice(desk, f"{payment_id}.2", operation="reverse", provider_reference="rv_1")
    assert booked(done) == ["payment.late_approval_reversed"]
    back = desk.says(f"{payment_id}.2", operation="reverse", provider_reference="rv_1")
    assert is_empty(back)
    assert is_empty(notice(desk, f"{payment_id}.1"))


def test_a_notice_never_makes_a_payment(desk: Desk):
    """An unknown reference waits for an hour, and is forgotten."""
    before = structs.replace(desk.state)
    step = notice(desk, "pi_nobody.1")
    (timer,) = step.timers
    assert outcome_of(step) == "parked"
    assert (timer.due_ms, timer.business) == (desk.business_ms + HOUR_MS, True)
    assert outcome_of(notice(desk, "pi_nobody.1")) == "parked"

    gone = desk.tell("notice.parked", timer.body, sender="timer")
    assert [(e.key, e.why) for e in gone.events] == [("providerA pi_nobody.1", "expired")]
    assert (desk.state.parked, desk.state.payments) == ({}, before.payments)
    assert desk.tell("notice.parked", timer.body, sender="timer").events == []


def test_a_parked_notice_is_applied_when_its_reference_turns_up(desk: Desk):
    """Told before we asked for it: once we do, it is the answer."""
    payment_id = desk.authorized()
    about = {"operation": "reverse", "operation_id": f"{payment_id}.2"}
    assert outcome_of(notice(desk, f"{payment_id}.2", **about)) == "parked"
    step = desk.order(cancel(payment_id))
    due = [t for t in step.timers if isinstance(t, SetTimer) and t.kind == "notice.parked"]
    assert [(t.due_ms, t.business) for t in due] == [(desk.wire_ms, False)]

    applied = desk.tell("notice.parked", due[0].body, sender="timer")
    assert booked(applied) == ["payment.reversed"]
    assert answer(applied)[1]["state"] == "reversed"
    assert desk.state.parked == {}
    assert is_empty(desk.says(f"{payment_id}.2", operation="reverse"))
    assert desk.replayed() == desk.state


def test_parked_notices_are_bounded(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    """The oldest makes room, with its timer."""
    monkeypatch.setattr(notices, "PARKED_MAX", 3)
    for number in range(5):
        step = notice(desk, f"pi_nobody{number}.1")
    assert list(desk.state.parked) == [f"providerA pi_nobody{n}.1" for n in (2, 3, 4)]
    assert CancelTimer("notice:providerA pi_nobody1.1") in step.timers
    assert desk.replayed() == desk.state


@pytest.mark.parametrize("reference", ["x", "", "pi_1.", ".1", "pi_1.01", "pi_1.-1", "pi_1.1.1"])
def test_a_reference_that_is_none_of_ours_is_parked(desk: Desk, reference: str):
    """Whatever it looks like: never a fault."""
    assert outcome_of(notice(desk, reference)) == "parked"
    timer = ParkedNoticeDue(reference, "providerA")
    assert desk.tell("notice.parked", timer, sender="timer").events != []


@pytest.mark.parametrize("k", [2, 9])
def test_a_notice_about_a_call_that_was_never_made_is_parked(desk: Desk, k: int):
    """The payment is ours and the call is not: nothing is given back that was never charged."""
    payment_id = desk.authorized()
    step = notice(desk, f"{payment_id}.{k}")

    assert outcome_of(step) == "parked"
    assert (step.posts, step.out) == ([], [])
