"""Holds: seven days of business time, then what is still held goes back."""

from typing import Any

import pytest

from actors.gateway.holds import AGAIN_MS
from actors.gateway.settings import HOLD_MS
from actors.simulation.orders import authorize, cancel, capture
from payrail.domain.timestamps import iso
from payrail.domain.words.disputes import DisputeFact
from payrail.runtime.actor import CancelTimer, SetTimer
from tests.actors.gatewaydesk import Desk, answer, booked, entry
from tests.actors.pure import NOON_MS


@pytest.fixture
def desk() -> Desk:
    return Desk()


def of_hold(step: Any) -> SetTimer | CancelTimer | None:
    """What a step says about the timer of a hold."""
    return next((t for t in step.timers if t.id.startswith("hold:")), None)


def due(desk: Desk, step: Any) -> Any:
    """The timer of the hold that this step set comes due."""
    timer = of_hold(step)
    assert isinstance(timer, SetTimer)
    return desk.fires(timer)


def held(desk: Desk) -> tuple[str, Any]:
    """A payment whose money is held, and the step that booked it."""
    payment_id, _ = desk.attempted()
    return payment_id, desk.says(f"{payment_id}.1")


def test_a_hold_ends_after_seven_days_of_business_time(desk: Desk) -> None:
    """A reversal leaves, and confirmed it is reversed as expired; a capture is too late."""
    payment_id, step = held(desk)
    timer = of_hold(step)
    assert isinstance(timer, SetTimer)
    assert (timer.business, timer.due_ms) == (True, NOON_MS + HOLD_MS)

    expiry = due(desk, step)
    assert booked(expiry) == ["payment.reversal_requested"]
    assert (expiry.out[0].kind, expiry.out[0].body.amount) == ("reverse", 1099)
    ended = desk.says(f"{payment_id}.2", operation="reverse")
    assert entry(ended, "payment.reversed").data.reversal_reason == "expired"
    shown = next(p.record for p in ended.posts if p.book == "events").data["object"]
    assert (shown["state"], shown["reversal_reason"]) == ("reversed", "expired")
    status, problem = answer(desk.order(capture(payment_id)))
    assert (status, problem["code"], problem["legal"]) == (409, "authorization-expired", [])
    _, problem = answer(desk.order(cancel(payment_id)))
    assert problem["code"] == "illegal-transition"


def test_a_capture_that_comes_with_the_expiry_names_what_is_legal(desk: Desk) -> None:
    """Between the time and its timer: cancelling is all that is left."""
    payment_id, _ = held(desk)
    desk.business_ms += HOLD_MS
    status, problem = answer(desk.order(capture(payment_id)))

    assert (status, problem["code"]) == (409, "authorization-expired")
    assert problem["legal"] == ["cancel"]


def test_the_rest_of_a_partial_capture_is_released(desk: Desk) -> None:
    """The payment stays captured."""
    payment_id, _ = held(desk)
    desk.order(capture(payment_id, amount=400, final_capture=False))
    step = desk.says(f"{payment_id}.2", operation="capture", amount=400)
    expiry = due(desk, step)
    assert expiry.out[0].body.amount == 699
    ended = desk.says(f"{payment_id}.3", operation="reverse", amount=699)

    assert booked(ended) == ["payment.released"]
    view = desk.state.payments[payment_id]
    assert (view.state, view.amount_capturable, view.open) == ("captured", 0, None)
    assert of_hold(ended) == CancelTimer(f"hold:{payment_id}")
    _, problem = answer(desk.order(capture(payment_id, "k_more", amount=1)))
    assert problem["code"] == "authorization-expired"


@pytest.mark.parametrize("result", ["approved", "fenced"])
def test_what_is_in_doubt_does_not_expire_before_its_end(desk: Desk, result: str) -> None:
    """The timer finds the capture open; the end of it sets the timer once more."""
    payment_id, step = held(desk)
    sent = desk.order(capture(payment_id))
    desk.fires(next(t for t in sent.timers if isinstance(t, SetTimer)))  # the call times out
    assert (due(desk, step).posts, due(desk, step).out) == ([], [])

    ended = desk.says(f"{payment_id}.2", result, operation="capture", asked=True)
    if result == "approved":
        assert of_hold(ended) == CancelTimer(f"hold:{payment_id}")
    else:
        assert booked(due(desk, ended)) == ["payment.reversal_requested"]


def test_a_reversal_that_was_not_taken_is_sent_again_later(desk: Desk) -> None:
    """An hour later, not at once: the provider is not hammered."""
    payment_id, step = held(desk)
    due(desk, step)
    failed = desk.says(f"{payment_id}.2", "refused", operation="reverse")
    timer = of_hold(failed)
    assert isinstance(timer, SetTimer)
    assert timer.due_ms == desk.business_ms + AGAIN_MS
    assert due(desk, failed).out[0].body.reference == f"{payment_id}.3"


def test_a_hold_that_the_provider_does_not_know_is_a_case(desk: Desk) -> None:
    """Nothing is tried again: people look."""
    payment_id, step = held(desk)
    due(desk, step)
    ended = desk.says(f"{payment_id}.2", "declined", operation="reverse")

    told = entry(ended, "case.opened").data
    assert (told.reason, told.exposure) == ("hold_not_released", 1099)
    assert of_hold(ended) == CancelTimer(f"hold:{payment_id}")


def test_what_is_captured_whole_has_no_timer_left(desk: Desk) -> None:
    """Nor has what was cancelled, or never held."""
    payment_id, _ = held(desk)
    desk.order(capture(payment_id))
    captured = desk.says(f"{payment_id}.2", operation="capture")
    other = desk.created()
    started = desk.order(authorize(other))

    assert of_hold(captured) == CancelTimer(f"hold:{payment_id}")
    assert of_hold(started) is None


def charged_back(desk: Desk, payment_id: str, amount: int) -> None:
    """The cardholder disputes what was captured, and wins."""
    for number, fact in enumerate(("opened", "lost"), 1):
        said = DisputeFact(
            payment_id=payment_id,
            fact=fact,
            provider="providerA",
            authorization=f"{payment_id}.1",
            provider_reference="du_1",
            stage="chargeback",
            reason="fraudulent",
            amount=amount,
            currency="USD",
            occurred_at=iso(desk.business_ms),
            notice_id=f"ntc_{number}",
        )
        desk.tell("dispute.notice", said, sender="frontdoor", reply_to=f"1.9{number}")
    assert desk.state.payments[payment_id].state == "chargeback"


def test_the_rest_of_a_hold_is_given_back_after_a_lost_dispute_too(desk: Desk) -> None:
    """Nothing of it may be captured any more, and it ends in time; the payment stays a
    chargeback, and what was released stays released."""
    payment_id, _ = held(desk)
    desk.order(capture(payment_id, amount=400, final_capture=False))
    step = desk.says(f"{payment_id}.2", operation="capture", amount=400)
    charged_back(desk, payment_id, 400)
    status, problem = answer(desk.order(capture(payment_id, "k_more", amount=1)))
    assert (status, problem["code"], problem["legal"]) == (409, "illegal-transition", [])

    expiry = due(desk, step)
    assert booked(expiry) == ["payment.reversal_requested"]
    assert expiry.out[0].body.amount == 699
    ended = desk.says(f"{payment_id}.3", operation="reverse", amount=699)
    assert booked(ended) == ["payment.released"]
    assert entry(ended, "payment.released").amount == 699
    view = desk.state.payments[payment_id]
    assert (view.state, view.amount_held, view.open) == ("chargeback", 0, None)
    assert of_hold(ended) == CancelTimer(f"hold:{payment_id}")


def test_a_capture_under_way_when_the_dispute_is_lost_is_booked_whole(desk: Desk) -> None:
    """What the provider took is what is booked, and what is left of the hold is told."""
    payment_id, _ = held(desk)
    desk.order(capture(payment_id, amount=400, final_capture=False))
    desk.says(f"{payment_id}.2", operation="capture", amount=400)
    desk.order(capture(payment_id, "k_more", amount=500))
    charged_back(desk, payment_id, 400)
    ended = desk.says(f"{payment_id}.3", operation="capture", amount=500)

    assert entry(ended, "payment.captured").amount == 500
    assert entry(ended, "payment.released").amount == 199
    assert desk.state.payments[payment_id].state == "chargeback"
