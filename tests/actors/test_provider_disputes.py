"""Disputes at a provider: by test card, by order, at its door, by time; and how each is told."""

from typing import Any

import pytest

from actors.provider.core import Provider
from payrail.domain.dispute_terms import DUE_DAYS, REVIEW_DAYS_MAX
from payrail.domain.messages import InjectFault
from payrail.domain.words.disputes import DisputeCall, DisputeFact
from payrail.domain.words.providers import NoticePosted, OpenDispute, RefundCapture, ResolveDispute
from payrail.errors import RequestError
from payrail.runtime.actor import CancelTimer, Moment, SetTimer
from tests.actors.pure import Played
from tests.actors.sealed import DAY_MS, GOOD, Drawer, charge, claim

FRAUDULENT, NOT_RECEIVED = "4000000000000259", "4000000000002685"
INQUIRY, WARNING, SENT_BACK = "4000000000001976", "4000000000005423", "4000000000005126"


class Desk:
    """A provider whose timers fire when its business time has come."""

    def __init__(self, name: str = "providerA") -> None:
        actor = {"providerA": "provider-a", "providerB": "provider-b"}[name]
        self.drawer = Drawer()
        self.played = Played(Provider(actor, name, unseal=self.drawer, seed=42))
        self.timers: dict[str, SetTimer] = {}

    def tell(self, kind: str, body: Any, **more: Any) -> Any:
        step = self.played.tell(kind, body, **more)
        for timer in step.timers:
            if isinstance(timer, CancelTimer):
                self.timers.pop(timer.id, None)
            else:
                self.timers[timer.id] = timer
        return step

    def captured(self, card: str = GOOD, amount: int = 5000) -> Any:
        return self.tell("charge", charge(self.drawer.put(card), amount=amount, capture=True))

    def advance(self, days: int = 0, seconds: int = 0) -> list[Any]:
        """Steps of the business timers that come due."""
        self.played.business_ms += days * DAY_MS + seconds * 1000
        steps = []
        while due := [t for t in self.timers.values() if self._is_due(t)]:
            timer = min(due, key=lambda t: t.due_ms)
            del self.timers[timer.id]
            steps.append(self.tell(timer.kind, timer.body, sender="timer"))
        return steps

    def _is_due(self, timer: SetTimer) -> bool:
        return timer.business and timer.due_ms <= self.played.business_ms

    def orders(self, action: str, dispute_id: str = "dp_ours", **more: Any) -> DisputeFact:
        call = DisputeCall("pi_1", dispute_id, action, "pi_1.1", "m_001", **more)
        step = self.tell("dispute.call", call)
        (send,) = step.out
        assert (send.to, send.kind, step.errands) == ("gateway", "dispute.fact", [])
        fact: DisputeFact = send.body
        return fact

    def asks(self, kind: str, body: Any) -> Any:
        return self.tell(kind, body, sender="frontdoor", reply_to=f"q{len(self.played.steps)}")

    def truths(self) -> list[tuple[str, int, int]]:
        records: list[Any] = [p.record for step in self.played.steps for p in step.posts]
        found = [(truth.operation, truth.amount, truth.fee) for truth in records]
        return [row for row in found if row[0] not in ("authorize", "capture")]


def told(step: Any) -> DisputeFact:
    """The fact of the one notice that a step posts; nothing goes by mailbox."""
    (errand,) = step.errands
    assert step.out == []
    assert errand.body.notice_id.startswith("evt_")
    fact: DisputeFact = errand.body.notice
    return fact


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.mark.parametrize(
    ("card", "reason"), [(FRAUDULENT, "fraudulent"), (NOT_RECEIVED, "product_not_received")]
)
def test_the_holder_of_such_a_card_disputes_a_minute_after_the_capture(
    desk: Desk, card: str, reason: str
) -> None:
    """The money is taken with a fee, and the gateway hears of it by notice."""
    desk.captured(card)
    assert desk.advance(seconds=59) == []
    (step,) = desk.advance(seconds=1)

    fact = told(step)
    assert (fact.fact, fact.stage, fact.reason) == ("opened", "chargeback", reason)
    assert (fact.amount, fact.authorization, fact.dispute_id) == (5000, "pi_1.1", None)
    assert (fact.payment_id, fact.occurred_at) == ("pi_1", "2026-02-09T12:01:00.000Z")
    assert desk.truths() == [("chargeback", 5000, 1500)]
    assert desk.played.replayed() == desk.played.state


def test_a_second_capture_disputes_nothing_more(desk: Desk) -> None:
    """The timer is the first capture's; what is disputed is all that was captured by then."""
    desk.tell("charge", charge(desk.drawer.put(FRAUDULENT), amount=5000))
    desk.tell("capture", claim(3000))
    desk.tell("capture", claim(1000, "pi_1.3"))
    (step,) = desk.advance(seconds=60)
    assert told(step).amount == 4000


def test_no_other_card_is_disputed(desk: Desk) -> None:
    """However long one waits."""
    desk.captured()
    assert desk.advance(days=400) == []


@pytest.mark.parametrize("name", ["providerA", "providerB"])
def test_the_issuer_of_such_a_card_warns_of_fraud_once(name: str) -> None:
    """A minute after its first capture: true, told by notice, and nothing is disputed."""
    desk = Desk(name)
    desk.tell("charge", charge(desk.drawer.put(WARNING), amount=5000))
    desk.tell("capture", claim(3000))
    desk.tell("capture", claim(1000, "pi_1.3"))
    assert desk.advance(seconds=59) == []
    (step,) = desk.advance(days=400)

    fact = told(step)
    assert (fact.fact, fact.stage, fact.reason) == ("warned", "", "unauthorized_use_of_card")
    assert (fact.amount, fact.authorization, fact.provider) == (4000, "pi_1.1", name)
    assert (desk.truths(), desk.played.state.disputes) == ([("fraud_warning", 4000, 0)], {})
    assert [note.fields["do"] for note in step.notes] == ["early_fraud_warning"]
    assert desk.played.replayed() == desk.played.state


def test_without_an_answer_it_is_lost_when_its_days_are_over(desk: Desk) -> None:
    """Eighteen days for this brand, and nothing given back."""
    desk.captured(FRAUDULENT)
    desk.advance(seconds=60)
    assert desk.advance(days=DUE_DAYS["visa"] - 1) == []
    (step,) = desk.advance(days=1)

    fact = told(step)
    assert (fact.fact, fact.closed_reason, fact.amount) == ("lost", "expired", 5000)
    assert desk.truths()[1:] == [("dispute_closed", 5000, 0)]


@pytest.mark.parametrize(
    ("evidence", "outcome"),
    [("winning_evidence", "won"), ("losing_evidence", "lost"), ("a long letter", "lost")],
)
def test_an_answer_is_ruled_on_by_its_text(desk: Desk, evidence: str, outcome: str) -> None:
    """Within 75 days; won gives back the money and the fee of the answer, no other."""
    desk.captured(FRAUDULENT)
    (step,) = desk.advance(seconds=60)
    name = told(step).provider_reference

    fact = desk.orders("submit", provider_reference=name, evidence=evidence)
    assert (fact.fact, fact.dispute_id, fact.action) == ("submitted", "dp_ours", "submit")
    assert fact.provider_reference == name
    assert desk.advance(days=DUE_DAYS["visa"]) == [], "the due date is met"
    (step,) = desk.advance(days=REVIEW_DAYS_MAX - DUE_DAYS["visa"])

    fact = told(step)
    assert (fact.fact, fact.closed_reason, fact.dispute_id) == (outcome, "defended", "dp_ours")
    end = ("chargeback_reversed", 5000, -1500) if outcome == "won" else ("dispute_closed", 5000, 0)
    assert desk.truths() == [("chargeback", 5000, 1500), ("dispute_fee", 1500, 0), end]
    assert desk.advance(days=400) == []
    assert desk.played.replayed() == desk.played.state


def test_an_order_is_done_once_however_often_it_comes(desk: Desk) -> None:
    """By dispute, action and stage: the same fact, no second effect."""
    desk.captured()
    opening: dict[str, Any] = {
        "amount": 2000,
        "currency": "USD",
        "reason": "duplicate",
        "stage": "chargeback",
    }
    first = desk.orders("open", **opening)
    assert (first.fact, first.amount, first.dispute_id) == ("opened", 2000, "dp_ours")
    assert desk.orders("open", **opening) == first

    orders: list[tuple[str, dict[str, Any]]] = [
        ("submit", {"evidence": "x"}),
        ("resolve", {"outcome": "won"}),
    ]
    for action, more in orders:
        done = desk.orders(action, **more)
        before = len(desk.truths())
        assert desk.orders(action, **more) == done
        assert len(desk.truths()) == before
    assert [row[0] for row in desk.truths()] == ["chargeback", "dispute_fee", "chargeback_reversed"]
    assert desk.played.replayed() == desk.played.state


def test_giving_in_loses(desk: Desk) -> None:
    """At once, and no fee for an answer."""
    desk.captured()
    desk.orders("open")
    fact = desk.orders("accept")
    assert (fact.fact, fact.closed_reason, fact.amount) == ("lost", "accepted", 5000)
    assert desk.advance(days=400) == []


def test_what_cannot_be_done_is_refused_and_moves_nothing(desk: Desk) -> None:
    """With a code that says why."""
    assert desk.orders("open").code == "not_captured"
    desk.captured()
    assert desk.orders("open", amount=5001).code == "amount_exceeds_captured"
    assert desk.orders("submit").code == "unknown_dispute"
    desk.orders("open", amount=5000)
    assert desk.orders("open", "dp_other").fact == "refused"
    desk.orders("submit", evidence="x")
    assert desk.orders("accept").code == "already_answered"
    desk.orders("resolve", outcome="lost")
    refusal = desk.orders("resolve", "dp_ours", outcome="lost")
    assert refusal.fact == "lost", "the same order once more"
    assert [row[0] for row in desk.truths()] == ["chargeback", "dispute_fee", "dispute_closed"]


def test_an_inquiry_moves_no_money_until_it_becomes_a_chargeback(desk: Desk) -> None:
    """The door escalates it under the same name; the days to answer begin anew."""
    desk.captured(INQUIRY)
    (step,) = desk.advance(seconds=60)
    name = told(step).provider_reference
    assert (told(step).stage, desk.truths()) == ("inquiry", [("inquiry", 5000, 0)])

    desk.advance(days=10)
    with pytest.raises(RequestError, match="at most what was captured"):
        desk.asks("provider.dispute", OpenDispute(name, "pi_1.1", "general", amount=5001))
    escalating = OpenDispute(name, "pi_1.1", "fraudulent", stage="chargeback")
    step = desk.asks("provider.dispute", escalating)
    fact = told(step)
    assert (fact.fact, fact.stage, fact.provider_reference) == ("opened", "chargeback", name)
    assert step.replies[0].body["stage"] == "chargeback"
    assert desk.asks("provider.dispute", escalating).errands == []
    assert desk.truths()[1:] == [("chargeback", 5000, 1500)]
    assert desk.advance(days=10) == []
    assert told(desk.advance(days=8)[0]).closed_reason == "expired"


@pytest.mark.parametrize(
    ("evidence", "fact", "stage"),
    [("winning_evidence", "closed", "inquiry"), ("losing_evidence", "opened", "chargeback")],
)
def test_an_inquiry_that_is_answered_is_closed_or_becomes_a_chargeback(
    desk: Desk, evidence: str, fact: str, stage: str
) -> None:
    """By the same texts; the answer costs nothing."""
    desk.captured(INQUIRY)
    (step,) = desk.advance(seconds=60)
    desk.orders("submit", provider_reference=told(step).provider_reference, evidence=evidence)
    (step,) = desk.advance(days=REVIEW_DAYS_MAX)
    assert (told(step).fact, told(step).stage) == (fact, stage)
    assert "dispute_fee" not in [row[0] for row in desk.truths()]


def test_what_was_won_can_be_charged_back_once_more(desk: Desk) -> None:
    """By its provider's name or ours; then it is lost for good, without a fee."""
    desk.captured()
    desk.orders("open")
    desk.orders("resolve", outcome="won")
    again = OpenDispute("dp_ours", "pi_1.1", "general", stage="pre_arbitration")
    fact = told(desk.asks("provider.dispute", again))
    assert (fact.fact, fact.stage, fact.amount) == ("lost", "pre_arbitration", 5000)
    assert desk.truths()[1:] == [("chargeback_reversed", 5000, 0), ("second_chargeback", 5000, 0)]
    with pytest.raises(RequestError, match="lost"):
        desk.asks("provider.dispute_resolve", ResolveDispute("dp_ours", "won"))


def test_a_notice_of_a_dispute_is_posted_until_it_was_taken(desk: Desk) -> None:
    """Tried again under its id, also by the next incarnation; drills of webhooks touch it."""
    desk.captured(FRAUDULENT)
    rule = {"operation": "webhook", "do": "duplicate_webhook", "count": 1}
    desk.tell("fault.inject", InjectFault(rule), sender="frontdoor", reply_to="q")
    (step,) = desk.advance(seconds=60)
    (errand,) = step.errands
    ident = errand.body.notice_id

    step = desk.tell("notice.failed", NoticePosted(ident, 503), sender="errand")
    step = desk.tell("notice.due", step.timers[0].body, sender="timer")
    assert step.errands[0].body == errand.body
    played = desk.played
    moment = Moment(played.wire_ms, played.business_ms, "provider-a", 99, 0)
    waiting = [one.body for one in played.actor.opened(played.state, moment).errands]
    assert errand.body in waiting, "the next incarnation goes on"

    step = desk.tell("notice.taken", NoticePosted(ident, 200), sender="errand")
    assert step.errands[0].body == errand.body, "told twice, as the drill wants"
    desk.tell("notice.taken", NoticePosted(ident, 200), sender="errand")
    assert ident not in desk.played.state.notices


def test_drills_of_webhooks_touch_notices_of_disputes_too(desk: Desk) -> None:
    """One is held until another was taken, one is late; both are told whole."""
    for rule in (
        {"operation": "webhook", "do": "reorder_webhooks", "count": 1},
        {"operation": "webhook", "do": "late_webhook:60", "count": 1},
    ):
        desk.tell("fault.inject", InjectFault(rule), sender="frontdoor", reply_to=str(rule["do"]))
    desk.tell("charge", charge(desk.drawer.put(GOOD), capture=True))  # its notice is held
    opening = OpenDispute("dp_x", "pi_1.1", "general")
    step = desk.asks("provider.dispute", opening)
    assert step.errands == [], "late"

    (step,) = desk.advance(seconds=60)
    fact = told(step)
    assert (fact.fact, fact.reason) == ("opened", "general")
    step = desk.tell("notice.taken", NoticePosted(step.errands[0].body.notice_id, 200))
    assert step.errands[0].body.notice.operation == "authorize", "overtaken, and told now"


def test_a_refund_of_such_a_card_is_sent_back(desk: Desk) -> None:
    """It succeeds, and a minute later the bank does not take it: told, true, refundable again."""
    desk.captured(SENT_BACK)
    order = RefundCapture("pi_1", "pi_1.2", "m_001", "pi_1.1", 1500, "USD", "re_1")
    assert desk.tell("refund", order).out[0].body.result == "approved"
    (step,) = desk.advance(seconds=60)

    (errand,) = step.errands
    notice = errand.body.notice
    assert (notice.operation, notice.result, notice.code) == (
        "refund",
        "declined",
        "refund_sent_back",
    )
    assert (notice.reference, notice.operation_id, notice.amount) == ("pi_1.2", "re_1", 1500)
    assert desk.truths() == [("refund", 1500, 0), ("refund_failed", 1500, 0)]
    assert desk.played.state.operations["pi_1.1"].refundable == 5000
    assert desk.played.replayed() == desk.played.state
