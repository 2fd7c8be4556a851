"""Which provider is asked: the first, the other after a safe refusal, and never one after doubt."""

from typing import Any

import msgspec
import pytest

from actors.gateway.routing import another, charge_of, first
from actors.gateway.settings import Rules
from actors.simulation.orders import authorize, cancel, capture, create
from payrail.domain.breaker import Breaker, BreakerState
from payrail.domain.messages import BreakerPause
from payrail.domain.routing import Charge
from payrail.domain.trials import Standing
from payrail.runtime.actor import CancelTimer, SetTimer
from tests.actors.gatewaydesk import TOKEN, Desk, answer, booked, entry, timer_of
from tests.actors.pure import NOON_MS

TABLE = Rules().routing
CHARGE = Charge("pi_1", "m_001", 1099, "USD", "424242", "US")
PAUSE_MS = 30_000
B = {"sender": "provider-b", "provider": "providerB"}


@pytest.fixture
def desk() -> Desk:
    return Desk()


def refuse(desk: Desk, reference: str, **more: Any) -> Any:
    """The provider did not take the charge in; result: the step that follows."""
    return desk.says(reference, "refused", code="not_accepted", **more)


def fail_over(desk: Desk) -> tuple[str, Any]:
    """A payment that the first provider refused: its id, and the step after it."""
    payment_id, _ = desk.attempted()
    return payment_id, refuse(desk, f"{payment_id}.1")


def opened(desk: Desk) -> Any:
    """The step in which A's breaker opens."""
    step = None
    for _ in range(5):
        payment_id, step = fail_over(desk)
        desk.says(f"{payment_id}.2", **B)
    return step


def half_open(desk: Desk) -> Any:
    """The step in which A's pause is over."""
    step = desk.fires(pause_of(opened(desk)))
    return step


def pause_of(step: Any) -> SetTimer:
    (timer,) = [t for t in step.timers if isinstance(t, SetTimer) and t.kind == "breaker.pause"]
    return timer


def state_of(desk: Desk, provider: str = "providerA") -> BreakerState:
    return BreakerState(desk.state.breaker(provider).state)


def sent_to(step: Any) -> list[str]:
    return [send.body.provider for send in step.out if send.kind == "card.charge"]


def attempts(desk: Desk, payment_id: str) -> list[tuple[str, str]]:
    return [(a.provider, a.outcome) for a in desk.state.payments[payment_id].attempts]


def test_a_charge_goes_to_the_first_provider(desk: Desk):
    """As long as nothing speaks against it."""
    assert sent_to(desk.attempted()[1]) == ["providerA"]


def test_a_safe_refusal_goes_to_the_other_while_the_client_waits(desk: Desk):
    """Attempt 2 is in the book before its card leaves, and the first has no timer any more."""
    payment_id, step = fail_over(desk)
    attempt = entry(step, "payment.attempt_started").data

    assert (booked(step), sent_to(step)) == (["payment.attempt_started"], ["providerB"])
    assert (attempt.number, attempt.provider, attempt.reference) == (
        2,
        "providerB",
        f"{payment_id}.2",
    )
    assert CancelTimer(f"attempt:{payment_id}.1") in step.timers
    assert step.replies == []

    status, shown = answer(desk.says(f"{payment_id}.2", **B))
    assert (status, shown["state"], shown["provider"]) == (201, "authorized", "providerB")
    assert [(a["provider"], a["outcome"], a["code"]) for a in shown["attempts"]] == [
        ("providerA", "not_accepted", "not_accepted"),
        ("providerB", "approved", "approved"),
    ]


def test_the_country_is_the_cards_and_else_what_the_customer_said(desk: Desk):
    """Rules look at the issuer's country; only a BIN that nobody knows leaves it to the shop."""
    view = desk.state.payments[desk.created(customer={"country": "de"})]
    known = charge_of(view).country
    view.payment_method = msgspec.structs.replace(view.payment_method, bin="999999")
    said = charge_of(view).country
    view.customer = None

    assert (known, said, charge_of(view).country) == ("US", "DE", None)


def test_references_of_a_payment_have_no_gaps(desk: Desk):
    """Charges, captures, a release and their retries count on, whoever is asked."""
    payment_id, _ = fail_over(desk)
    desk.says(f"{payment_id}.2", **B)
    for number, part in ((3, 100), (4, 200)):
        desk.order(capture(payment_id, f"k{number}", amount=part, final_capture=False))
        reference = f"{payment_id}.{number}"
        desk.says(reference, operation="capture", amount=part, provider_reference=reference, **B)
    desk.order(cancel(payment_id))
    sent: list[Any] = [send.body for step in desk.steps for send in step.out]

    assert [order.reference for order in sent] == [f"{payment_id}.{k}" for k in range(1, 6)]


def test_each_provider_is_tried_once(desk: Desk):
    """When both refuse, the payment is declined, and each attempt says why."""
    payment_id, _ = fail_over(desk)
    step = refuse(desk, f"{payment_id}.2", **B)
    status, problem = answer(step)

    assert (sent_to(step), status, problem["decline_code"]) == ([], 402, "processing_error")
    assert payment_id in desk.state.closed


@pytest.mark.parametrize(
    ("result", "code"),
    [
        ("declined", "do_not_honor"),
        ("ambiguous", "http_502"),
        ("refused", "expired"),
        ("refused", "fenced"),
        ("refused", "seal_broken"),
    ],
)
def test_nothing_else_is_tried_elsewhere(desk: Desk, result: str, code: str):
    """A decline, an ambiguous answer, a refusal that is not `not_accepted`."""
    payment_id, _ = desk.attempted()
    step = desk.says(f"{payment_id}.1", result, code=code)

    assert sent_to(step) == []


def test_a_refusal_after_the_client_had_its_202_is_not_tried_elsewhere(desk: Desk):
    """Nothing is charged behind its back."""
    payment_id, started = desk.attempted()
    assert answer(desk.fires(timer_of(started)))[0] == 202
    step = refuse(desk, f"{payment_id}.1")

    assert (sent_to(step), booked(step)) == ([], ["payment.declined"])


def test_a_refusal_after_the_client_gave_up_is_not_tried_elsewhere(desk: Desk):
    """The front door has answered 202 by itself when the time of the request was over."""
    kind, body = create(TOKEN, "impatient", confirm=True)
    started = desk.tell(
        kind, body, sender="frontdoor", reply_to="1.99", deadline_ms=NOON_MS + 4_000
    )
    desk.wire_ms += 4_000
    step = refuse(desk, started.out[0].body.reference)

    assert (sent_to(step), booked(step)) == ([], ["payment.declined"])


def test_capture_and_cancel_stay_with_the_provider_of_the_hold(desk: Desk):
    """Also while its breaker is open."""
    holds = [desk.authorized() for _ in range(2)]
    opened(desk)
    assert state_of(desk) is BreakerState.OPEN
    steps = [desk.order(capture(holds[0], "k1")), desk.order(cancel(holds[1], "k2"))]

    assert [step.out[0].to for step in steps] == ["provider-a", "provider-a"]

    payment_id, _ = fail_over(Desk())
    other = Desk()
    payment_id, _ = fail_over(other)
    other.says(f"{payment_id}.2", **B)
    assert other.order(capture(payment_id)).out[0].to == "provider-b"


def test_the_fifth_failure_in_a_row_opens_the_breaker(desk: Desk):
    """Booked and published once, shown before anyone is told, timed in business time."""
    step = opened(desk)
    fact = entry(step, "provider.breaker_opened")
    (event,) = [p.record for p in step.posts if p.book == "events" and p.record.id == fact.event_id]
    (view,) = step.shows

    assert (fact.ref, fact.merchant_id, fact.postings) == ("providerA", None, [])
    assert (fact.data.failures_in_a_row, fact.data.failures) == (5, 5)
    assert (event.type, event.merchant_id) == ("provider.breaker_opened", None)
    assert (event.data["object"]["id"], event.object_seq) == ("providerA", 1)
    assert view.path == "data/providers/providerA_state.json"
    assert (view.data["health"], view.data["breaker"]["state"]) == ("down", "OPEN")
    assert view.data["breaker"]["window"]["failures"] == 5
    assert view.data["breaker"]["next_probe_at"] == fact.data.next_probe_at
    timer = pause_of(step)
    assert (timer.due_ms, timer.business) == (NOON_MS + PAUSE_MS, True)
    assert sent_to(desk.attempted()[1]) == ["providerB"]
    assert msgspec.json.encode(desk.replayed()) == msgspec.json.encode(desk.state)


def test_timeouts_and_ambiguous_answers_open_it_too(desk: Desk):
    """Each call is judged once: what is found by asking later says nothing new."""
    for number in range(4):
        payment_id, started = desk.attempted()
        if number % 2:
            desk.says(f"{payment_id}.1", "ambiguous", code="http_500")
        else:
            desk.fires(timer_of(started))
        desk.says(f"{payment_id}.1", "fenced", asked=True)
    assert desk.state.breaker("providerA").in_a_row == 4
    payment_id, started = desk.attempted()
    step = desk.fires(timer_of(started))

    assert booked(step) == ["payment.unknown", "provider.breaker_opened"]
    assert answer(step)[0] == 202


def test_twenty_declines_leave_it_closed(desk: Desk):
    """The issuer's word says nothing about the provider."""
    for _ in range(20):
        payment_id, _ = desk.attempted()
        desk.says(f"{payment_id}.1", "declined", code="do_not_honor")

    assert desk.state.breaker("providerA") == Breaker()


def test_a_half_open_provider_gets_one_charge_in_ten_until_five_were_good(desk: Desk):
    """Then it has all of them again."""
    step = half_open(desk)
    assert booked(step) == ["provider.half_opened"]
    assert step.shows[0].data["breaker"]["state"] == "HALF_OPEN"
    went: list[str] = []
    while state_of(desk) is BreakerState.HALF_OPEN:
        payment_id, started = desk.attempted()
        (provider,) = sent_to(started)
        went.append(provider)
        step = desk.says(f"{payment_id}.1", **(B if provider == "providerB" else {}))

    assert went == [*(["providerA"] + ["providerB"] * 9) * 4, "providerA"]
    assert booked(step) == ["payment.authorized", "provider.closed"]
    assert step.shows[0].data["health"] == "up"
    assert sent_to(desk.attempted()[1]) == ["providerA"]
    assert msgspec.json.encode(desk.replayed()) == msgspec.json.encode(desk.state)


def test_a_probe_that_fails_goes_elsewhere_and_doubles_the_pause(desk: Desk):
    """One failure is enough."""
    half_open(desk)
    _, step = fail_over(desk)

    assert booked(step) == ["payment.attempt_started", "provider.breaker_opened"]
    assert pause_of(step).due_ms == desk.business_ms + 2 * PAUSE_MS


def test_an_old_pause_does_not_end_a_new_one(desk: Desk):
    """A timer knows the move that set it."""
    half_open(desk)
    fail_over(desk)
    step = desk.tell("breaker.pause", BreakerPause("providerA", 1), sender="timer")

    assert (booked(step), state_of(desk)) == ([], BreakerState.OPEN)


def test_when_every_breaker_holds_back_one_is_tried_all_the_same():
    """A payment is not refused because of others; who is half open is tried before who is not."""
    open_, half = Breaker(BreakerState.OPEN), Breaker(BreakerState.HALF_OPEN, offered=1)

    assert (
        first(TABLE, CHARGE, Standing({"providerA": open_, "providerB": open_})).provider
        == "providerA"
    )
    choice = first(TABLE, CHARGE, Standing({"providerA": open_, "providerB": half}))
    assert (choice.provider, choice.offered) == ("providerB", ("providerB",))
    assert choice.decision is not None
    assert choice.decision.last_resort
    assert another(TABLE, CHARGE, Standing({"providerB": open_}), {"providerA"}).provider is None


def test_an_approval_of_a_refused_charge_is_given_back_under_a_reference_of_its_own(desk: Desk):
    """The first provider breaks its word while the other holds the money: the reversal takes the
    next reference, and a capture the one after it."""
    payment_id, _ = fail_over(desk)
    desk.says(f"{payment_id}.2", **B)
    back = desk.says(f"{payment_id}.1")
    step = desk.order(capture(payment_id))

    assert (back.out[0].to, back.out[0].body.reference) == ("provider-a", f"{payment_id}.3")
    assert (step.out[0].to, step.out[0].body.reference) == ("provider-b", f"{payment_id}.4")


def test_a_late_reversal_that_was_fenced_passes_over_references_taken_since(desk: Desk):
    """k has no two meanings."""
    payment_id, _ = fail_over(desk)
    desk.says(f"{payment_id}.2", **B)
    desk.says(f"{payment_id}.1")
    desk.order(capture(payment_id))
    again = desk.says(f"{payment_id}.3", "fenced", operation="reverse")

    assert [send.body.reference for send in again.out] == [f"{payment_id}.5"]


def test_a_second_authorize_of_the_same_payment_is_refused_while_it_is_elsewhere(desk: Desk):
    """One open call a payment, whichever provider has it."""
    payment_id, _ = fail_over(desk)

    assert desk.refused(authorize(payment_id, "other")).code == "illegal-transition"
    assert attempts(desk, payment_id)[0] == ("providerA", "not_accepted")
