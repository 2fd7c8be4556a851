"""In which states a plan leaves a payment, its refunds and its disputes, by the tables of moves.

A forecast, not a promise: of an invented card the issuer may decline, a break in a statement may
keep a payment from being settled, and a cut-off may be a day away.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, TypeVar

from payrail.domain.dispute_terms import DUE_DAYS, DUE_DAYS_MIN
from payrail.domain.dispute_view import DisputeState, Stage
from payrail.domain.disputes import BEGINS_AS, DISPUTE_TRANSITIONS
from payrail.domain.payment_view import PaymentState
from payrail.domain.payments import PAYMENT_TRANSITIONS
from payrail.domain.refunds import REFUND_TRANSITIONS, RefundState
from payrail.domain.synthetic import follows
from payrail.domain.synthetic.follows import Follow
from payrail.domain.synthetic.scenes import CLAIM, SeededPayment
from payrail.domain.testcards import Later, outcome_for

S = TypeVar("S", bound=StrEnum)
#: A hold lapses after so many days, and an unjudged refund; a capture has mostly settled by then.
_HOLD_DAYS, _REFUND_DAYS, _SETTLED_DAYS = 7, 3, 1
#: Scenes that end so have this answer; in all others the charge goes well.
_ANSWERS = {word: word for word in ("declined", "unknown", "requires_action")}
#: Cards whose holder disputes by himself, and how.
_BORN = {
    Later.DISPUTE_FRAUDULENT: "chargeback",
    Later.DISPUTE_NOT_RECEIVED: "chargeback",
    Later.INQUIRY: "inquiry",
}


@dataclass(frozen=True, slots=True)
class Outlook:
    """The states after the last day, by number where there are several; `passed`: all states on
    the way there, by what they are of."""

    payment: str
    refunds: tuple[str, ...]
    disputes: tuple[str, ...]
    passed: frozenset[tuple[str, str]]


@dataclass(slots=True)
class _Walk(Generic[S]):
    """A way through a table of moves. Raises KeyError where there is none."""

    about: str
    table: Mapping[tuple[S | None, str], S]
    state: S | None = None
    seen: set[tuple[str, str]] = field(default_factory=set)

    def go(self, *words: str) -> None:
        for word in words:
            self.be(self.table[(self.state, f"{self.about}.{word}")])

    def be(self, state: S) -> None:
        self.state = state
        self.seen.add((self.about, str(state)))


def outlook(payment: SeededPayment, days: int) -> Outlook:
    """What a plan of so many days makes of one of its payments."""
    found = _Forecast(payment, max(1, days) - 1)
    found.first_day()
    for order in payment.later:
        found.follow(order)
    found.time_passes()
    claims = (
        *(walk.seen for walk in found.refunds.values()),
        *(walk.seen for walk in found.disputes.values()),
    )
    return Outlook(
        str(found.payment.state),
        tuple(str(walk.state) for walk in found.refunds.values()),
        tuple(str(walk.state) for walk in found.disputes.values()),
        frozenset(found.payment.seen.union(*claims)),
    )


class _Forecast:
    def __init__(self, planned: SeededPayment, last_day: int) -> None:
        self._planned, self._last_day = planned, last_day
        card = outcome_for(planned.card.number)
        self._later = card.later if card else None
        self.payment: _Walk[PaymentState] = _Walk("payment", PAYMENT_TRANSITIONS)
        self.refunds: dict[int, _Walk[RefundState]] = {}
        self.disputes: dict[int, _Walk[DisputeState]] = {}
        self._refund_days: dict[int, int] = {}  # when they were asked for, by their number
        self._dispute_days: dict[int, int] = {}
        self._drill = ""
        self._closed_day: int | None = None  # when nothing more could be captured

    def first_day(self) -> None:
        """From its creation to where its scene leaves it."""
        scene = self._planned.scene
        self.payment.go("created")
        acts = [act for act in scene.acts if act.verb != "authorize"]
        if scene.provider is not None:
            self.payment.go("attempt_started", _ANSWERS.get(scene.ends, "authorized"))
        if scene.one_call == "automatic":
            acts.append(CLAIM)
        for act in acts:
            self.follow(Follow(self._planned.day, act.verb, final=act.final))

    def follow(self, order: Follow) -> None:
        """What an order makes of the payment, or of its refund or dispute of that number."""
        if order.verb in (follows.REFUND, follows.APPROVE, follows.REJECT):
            self._refunded(order)
        elif order.verb == follows.CAPTURE:
            self._capture(order)
        elif order.verb == follows.CANCEL:
            asked = [] if self.payment.state is PaymentState.CREATED else ["reversal_requested"]
            self.payment.go(*asked, "reversed")
        elif order.verb == follows.DRILL:
            self._drill = order.detail
        else:
            self._disputed(order)

    def time_passes(self) -> None:
        """What nobody orders: holds and waits that end, settlement, due dates."""
        begun = self._planned.day
        if self.payment.state is PaymentState.REQUIRES_ACTION and begun < self._last_day:
            self.payment.go("reversed")
        if self.payment.state is PaymentState.AUTHORIZED and self._is_over(begun, _HOLD_DAYS):
            self.payment.go("reversal_requested", "reversed")
        if self._closed_day is not None and self._is_over(self._closed_day, _SETTLED_DAYS):
            self.payment.go("settled")
        for nth, refund in self.refunds.items():
            waits = refund.state is RefundState.PENDING_APPROVAL
            if waits and self._is_over(self._refund_days[nth], _REFUND_DAYS):
                refund.go("expired")
        for nth, dispute in self.disputes.items():
            days = DUE_DAYS.get(self._planned.card.brand, DUE_DAYS_MIN)
            if self._is_over(self._dispute_days[nth], days):
                self._unanswered(dispute)

    def _capture(self, order: Follow) -> None:
        self.payment.go("capture_requested", "captured")
        lapses_day = self._planned.day + _HOLD_DAYS - _SETTLED_DAYS
        self._closed_day = order.day if order.final else lapses_day
        if self._later in _BORN:
            self._disputed(Follow(order.day, follows.DISPUTE, stage=_BORN[self._later]))

    def _refunded(self, order: Follow) -> None:
        refund = self.refunds.setdefault(order.nth, _Walk("refund", REFUND_TRANSITIONS))
        if order.verb == follows.REFUND:
            self._refund_days[order.nth] = order.day
            refund.go("requested")
        elif order.verb == follows.REJECT:
            refund.go("rejected")
        else:
            refund.go("approved", "submitted", *self._paid_back(order.day))

    def _paid_back(self, day: int) -> tuple[str, ...]:
        operation, _, do = self._drill.partition(" ")
        if operation == "refund":
            return () if do == "hang" else ("failed",)
        if self._later is Later.REFUND_PENDING and day == self._last_day:
            return ()
        is_sent_back = self._later is Later.REFUND_FAILS and day < self._last_day
        return ("succeeded", "failed") if is_sent_back else ("succeeded",)

    def _disputed(self, order: Follow) -> None:
        dispute = self.disputes.setdefault(order.nth, _Walk("dispute", DISPUTE_TRANSITIONS))
        if order.verb == follows.DISPUTE:
            self._dispute_days[order.nth] = order.day
            dispute.be(BEGINS_AS[Stage(order.stage)])
        elif order.verb == follows.EVIDENCE:
            dispute.go("evidence_added")
        elif order.verb == follows.SUBMIT:
            dispute.go("submitted")
        elif dispute.state is DisputeState.INQUIRY:
            dispute.go("closed")
        elif (order.verb, order.detail) == (follows.RESOLVE, "won"):
            dispute.go("won")
        else:
            self._lost(dispute)

    def _unanswered(self, dispute: _Walk[DisputeState]) -> None:
        if dispute.state is DisputeState.INQUIRY:
            dispute.go("closed")
        elif dispute.state is DisputeState.OPENED:
            self._lost(dispute)

    def _lost(self, dispute: _Walk[DisputeState]) -> None:
        dispute.go("lost")
        self.payment.go("charged_back")

    def _is_over(self, day: int, days: int) -> bool:
        return day + days <= self._last_day
