"""Entries that facts about one dispute make, with their money, their cases and their timer.

Times are business time at the provider, which decides the batch that the money is due in and the
last day to answer. Never: asks whether it may be; a fact from outside beats our bounds.
"""

from actors.gateway.booking import DISPUTES, Booking
from actors.gateway.dispute_state import ClosedDispute, closed_shown
from actors.gateway.state import GatewayState
from payrail.domain.claim_entries import (
    DisputeClosed,
    DisputeLost,
    DisputeOpened,
    DisputeSubmitted,
    DisputeWon,
    PaymentChargedBack,
)
from payrail.domain.dispute_evidence import prefilled
from payrail.domain.dispute_reasons import known_reason
from payrail.domain.dispute_terms import DAY_MS, due_at
from payrail.domain.dispute_view import DisputeState, DisputeView, Stage
from payrail.domain.disputes import closed_reason
from payrail.domain.fees import STANDARD, FeeTable
from payrail.domain.ledger import CaseOpened
from payrail.domain.payment_view import PaymentView
from payrail.domain.postings import second_chargeback_postings
from payrail.domain.timestamps import iso, parse_iso
from payrail.domain.words.disputes import DisputeDue, DisputeFact
from payrail.runtime.actor import CancelTimer, Message, Moment, Post, SetTimer

#: Of what our own books say for the merchant: it stands in an entry, its event and an answer.
PREFILLED_CHARACTERS_MAX = 500


class Desk:
    """One fact being booked: the payment and the dispute as they stand after its entries so far."""

    def __init__(
        self,
        state: GatewayState,
        message: Message,
        moment: Moment,
        payment_id: str,
        dispute: DisputeView | None,
        fees: FeeTable = STANDARD,
    ) -> None:
        self._told: DisputeFact = message.body
        self._moment, self._fees = moment, fees
        self._booking = Booking(state.payments[payment_id], message, moment)
        self._overpaid_before = self.payment.amount_overpaid
        self._was, self.view = dispute, dispute
        self._asks = state.disputes.asks
        self._cases = 0

    @property
    def payment(self) -> PaymentView:
        if self._booking.view is None:
            raise TypeError("a dispute needs a payment")
        return self._booking.view

    @property
    def posts(self) -> list[Post]:
        return self._booking.posts

    @property
    def occurred_at(self) -> str:
        """When it happened, as the provider says; else now. ISO, business time."""
        told = getattr(self._told, "occurred_at", None)
        return iso(parse_iso(told)) if told else iso(self._moment.business_ms)

    def open(self) -> None:
        """A dispute, or the chargeback that an inquiry has become."""
        told, payment = self._told, self.payment
        stage = Stage(told.stage)
        ours = {item: text[:PREFILLED_CHARACTERS_MAX] for item, text in prefilled(payment).items()}
        data = DisputeOpened(
            payment.id,
            told.provider,
            told.authorization,
            told.provider_reference,
            stage.value,
            known_reason(told.reason),
            due_at(payment.payment_method.brand, parse_iso(self.occurred_at)),
            0 if stage is Stage.INQUIRY else self._fees.dispute_fee(payment.currency),
            ours,
            told.network_code,
            self.occurred_at,
        )
        ident = self.view.id if self.view else self._new_id()
        self._book("dispute.opened", data, told.amount, ident)

    def submit(self) -> None:
        """The answer of this stage has reached the provider; it asks a fee for it."""
        view = self._view()
        ask = self._asks.get(view.id)
        by = ask.user_id if ask is not None and ask.action == "submit" else None
        is_free = view.stage is Stage.INQUIRY or by is None
        fee = 0 if is_free else self._fees.dispute_fee(view.currency)
        data = DisputeSubmitted(
            view.payment_id, view.provider, view.stage.value, by, fee, self.occurred_at
        )
        self._book("dispute.submitted", data, view.amount)

    def rule(self, entry_type: str, outcome: str) -> None:
        """One of the entries that a ruling makes."""
        view, at = self._view(), self.occurred_at
        about = (view.payment_id, view.provider, self._reason(outcome))
        match entry_type:
            case "dispute.submitted":
                self.submit()
            case "dispute.won":
                won = DisputeWon(*about, view.countered_fee, at)
                self._book(entry_type, won, view.amount)
            case "dispute.lost":
                self._book(entry_type, DisputeLost(*about, occurred_at=at), view.amount)
            case "dispute.closed":
                self._book(entry_type, DisputeClosed(*about), view.amount)
            case "payment.charged_back":
                self._charge_back(view.id, view.provider, view.amount)

    def charge_back_once_more(self) -> None:
        """It was won in this same step."""
        view = self._view()
        data = self._lost_again(view.payment_id, view.provider)
        self._book("dispute.lost", data, view.amount)
        self._charge_back(view.id, view.provider, view.amount)

    def charge_back_again(self, ident: str, known: ClosedDispute) -> None:
        """It had been won: withdrawn and lost at once."""
        data = self._lost_again(known.payment_id, known.provider)
        postings = second_chargeback_postings(
            known.provider, known.merchant_id or "", known.amount, known.currency
        )
        after = {"state": DisputeState.LOST.value, "stage": Stage.PRE_ARBITRATION.value}
        self._booking.book_claim(
            "dispute.lost",
            data,
            known.amount,
            ref=ident,
            postings=postings,
            seq=known.object_seq + 1,
            shown={**closed_shown(ident, known), **after, "closed_reason": data.closed_reason},
            book=DISPUTES,
        )
        self._charge_back(ident, known.provider, known.amount)

    def tell_of_overdraft(self) -> None:
        """More went back than was captured, and the fact made it so: people have to know."""
        excess = self.payment.amount_overpaid
        if excess > self._overpaid_before:
            self.open_case("overdrawn", excess)

    def open_case(self, reason: str, exposure: int) -> None:
        """A case about the payment, with what is at stake in minor units."""
        ref = self._moment.new_id("case", self._cases)
        self._cases += 1
        payment = self.payment
        data = CaseOpened(
            payment.id,
            reason,
            exposure,
            provider=payment.provider,
            references=[payment.authorization or ""],
            operation="dispute",
        )
        self._booking.book_case(None, "case.opened", data, ref=ref)

    def timers(self) -> list[SetTimer | CancelTimer]:
        """The last day of a stage that just began; nothing waits for one that has its answer."""
        view = self.view
        if view is None or view is self._was:
            return []
        if not view.is_open or view.is_answered:
            return [CancelTimer(due_timer(view.id))]
        due_ms = parse_iso(view.due_by) + DAY_MS
        body = DisputeDue(view.id, view.stage.value)
        return [SetTimer(due_timer(view.id), "dispute.due", body, due_ms, business=True)]

    def _book(self, entry_type: str, data: object, amount: int, ident: str | None = None) -> None:
        ref = ident or self._view().id
        self.view = self._booking.book_dispute(self.view, entry_type, data, amount, ref=ref)  # type: ignore[arg-type]

    def _view(self) -> DisputeView:
        if self.view is None:
            raise TypeError("this needs a dispute")
        return self.view

    def _new_id(self) -> str:
        """The name that we gave it when we asked for it; else a new one."""
        told = self._told.dispute_id
        return told if told is not None and told in self._asks else self._moment.new_id("dp")

    def _lost_again(self, payment_id: str, provider: str) -> DisputeLost:
        reason = self._told.closed_reason or "defended"
        return DisputeLost(payment_id, provider, reason, second=True, occurred_at=self.occurred_at)

    def _charge_back(self, ident: str, provider: str, amount: int) -> None:
        self._booking.book("payment.charged_back", PaymentChargedBack(ident, provider), amount)

    def _reason(self, outcome: str) -> str:
        told = self._told.closed_reason
        return told or closed_reason(self._view(), outcome)


def due_timer(dispute_id: str) -> str:
    """The timer of a dispute's last day."""
    return f"dispute:{dispute_id}"
