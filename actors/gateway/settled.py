"""Book what the reconciler found: what is settled, received payouts, and breaks that two posted.

Each is booked once however often it is said: a capture by its `settled_at`, a payout by batch and
currency, a refund and a break by their ids, another movement by its claim and effect. And whoever
says it: a line of a statement goes into transit once, by the match or by the posting of a break.
Never: judges a statement; that was done before.
"""

from msgspec import Struct, structs

from actors.gateway.booking import Booking
from actors.gateway.state import GatewayState, payout_key
from payrail.domain.ledger import (
    BreakAdjusted,
    LedgerEntry,
    PaymentSettled,
    PayoutReceived,
    Posting,
    must_balance,
)
from payrail.domain.payment_view import PaymentView
from payrail.domain.payments import may
from payrail.domain.postings import payout_postings, settled_postings
from payrail.domain.settlement.breaks import left_of
from payrail.domain.timestamps import iso
from payrail.domain.words.settlement import (
    BankRow,
    PaymentsSettled,
    SettledBooked,
    SettledRow,
)
from payrail.runtime.actor import Message, Moment, Send, Step

#: Ids of entries that are about no payment are counted from here within a step.
_OTHERS = 1_000


def settled(state: GatewayState, message: Message, moment: Moment) -> Step:
    """Book one page. Raises ValueError, which makes a dead letter, for a posting that does not
    balance: nothing of its page is booked then."""
    page: PaymentsSettled = message.body
    desk = _Desk(state, message, moment)
    for row in page.rows:
        desk.book(row)
    for payout in page.payouts:
        desk.receive(page.provider, payout)
    told = SettledBooked(page.name, desk.refused, desk.already)
    return Step(posts=desk.booking.posts, out=[Send(message.sender, "settled.booked", told)])


class _Desk:
    """One page being booked: payments as they stand after its rows so far."""

    def __init__(self, state: GatewayState, message: Message, moment: Moment) -> None:
        self._state, self._message, self._moment = state, message, moment
        self.booking = Booking(None, message, moment)
        self.refused = 0
        self.already: list[str] = []  # breaks of which nothing is left to be posted
        self._lines: dict[str, bool] = {}  # of this page, as in the state
        self._views: dict[str, PaymentView] = {}
        self._done: set[str] = set()  # breaks and payouts of this page
        self._others = _OTHERS

    def book(self, row: SettledRow) -> None:
        if row.break_id is not None and row.break_id in self._done | self._state.adjusted.keys():
            return
        view = self._view(row.payment_id)
        if row.break_id is None:
            self._match_any(row, view)
            return
        self._done.add(row.break_id)
        self._post_break(row, row.break_id, view)

    def receive(self, provider: str, payout: BankRow) -> None:
        """A payout stands on the bank's statement."""
        key = payout_key(payout.reference, payout.currency)
        if key in self._done or key in self._state.payouts:
            return
        self._done.add(key)
        data = PayoutReceived(provider, payout.reference, payout.value_date)
        postings = payout_postings(provider, payout.amount, payout.currency)
        self._other("provider.payout_received", data, payout.amount, payout.currency, postings)

    def _match_any(self, row: SettledRow, view: PaymentView | None) -> None:
        if row.refund_id is not None:
            self._match_refund(row, row.refund_id, view)
        elif row.claim_key is not None:
            self._match_claim(row, row.claim_key, view)
        else:
            self._match(row, view)

    def _match_claim(self, row: SettledRow, key: str, view: PaymentView | None) -> None:
        """What a dispute moved, or a refund that came back, is in the payout with its fee."""
        if view is None or not may(view, "payment.settled"):
            self.refused += 1
            return
        if key in self._state.settled_claims or key in self._done:
            return
        self._done.add(key)
        claim, effect, line = row.claim_id, row.effect, row.line
        data = PaymentSettled(row.provider, row.batch_id, claim_id=claim, effect=effect, line=line)
        self._post(view, data, 0, self._claimed(row, row.net, view))

    def _match(self, row: SettledRow, view: PaymentView | None) -> None:
        capture = view.capture(row.capture_id or "") if view else None
        if view is None or capture is None or not may(view, "payment.settled"):
            self.refused += 1
            return
        if capture.settled_at is not None:
            return
        postings = settled_postings(
            row.provider,
            view.merchant_id or "",
            capture.amount - capture.provider_fee,
            capture.amount - capture.merchant_fee,
            view.currency,
        )
        data = PaymentSettled(row.provider, row.batch_id, capture.id)
        self._post(view, data, capture.amount, postings)

    def _match_refund(self, row: SettledRow, ident: str, view: PaymentView | None) -> None:
        """What was paid back left the payout, and is no longer missing from what is owed to us."""
        refund = self._state.closed_refunds.get(ident)
        if view is None or refund is None or not may(view, "payment.settled"):
            self.refused += 1
            return
        if refund.is_settled or ident in self._done:
            return
        self._done.add(ident)
        data = PaymentSettled(row.provider, row.batch_id, None, ident, line=row.line)
        self._post(view, data, 0, self._claimed(row, -refund.amount, view))

    def _claimed(self, row: SettledRow, net_minor: int, view: PaymentView) -> list[Posting]:
        """What a movement beside captures takes out of receivable: into transit with its line, or,
        when two people have posted the line before we knew of it, against what they put aside."""
        is_posted = self._line(row) is True
        if row.line is not None:
            self._lines.setdefault(row.line, False)
        merchant_id, currency = view.merchant_id or "", view.currency
        return settled_postings(
            row.provider, merchant_id, net_minor, 0, currency, is_posted=is_posted
        )

    def _post_break(self, row: SettledRow, break_id: str, view: PaymentView | None) -> None:
        """Two have approved its posting. What of it was booked since the report is left out."""
        payment = view if view is not None and may(view, "payment.settled") else None
        left = left_of(
            row.postings,
            row.provider,
            view.merchant_id if view else None,
            line_is_taken=self._line(row) is not None,
            ours_is_taken=self._is_taken(row, payment),
        )
        if left is None:
            self.already.append(break_id)
            return
        if row.line is not None:
            self._lines.setdefault(row.line, True)
        row = structs.replace(row, postings=left)
        if payment is None:
            self._adjust_provider(row)
        else:
            self._adjust(row, payment)

    def _line(self, row: SettledRow) -> bool | None:
        """How its line was booked before: True by two people, False by a match, None not at all."""
        line = row.line or ""
        return self._lines.get(line, self._state.booked_lines.get(line))

    def _is_taken(self, row: SettledRow, view: PaymentView | None) -> bool:
        """Whether what we booked has left receivable."""
        if row.refund_id is not None:
            refund = self._state.closed_refunds.get(row.refund_id)
            return row.refund_id in self._done or (refund is not None and refund.is_settled)
        if row.claim_key is not None:
            return row.claim_key in self._done or row.claim_key in self._state.settled_claims
        capture = view.capture(row.capture_id or "") if view else None
        return capture is not None and capture.settled_at is not None

    def _adjust(self, row: SettledRow, view: PaymentView) -> None:
        """The posting of a break. It settles what it is about, if that is open."""
        capture = view.capture(row.capture_id or "")
        if capture is not None and capture.settled_at is not None:
            capture = None
        self._done.update(one for one in (row.refund_id, row.claim_key) if one is not None)
        data = PaymentSettled(
            row.provider,
            row.batch_id,
            capture.id if capture else None,
            row.refund_id,
            row.claim_id,
            row.effect,
            adjusted=True,
            break_id=row.break_id,
            break_class=row.break_class,
            proposed_by=row.proposed_by,
            approved_by=row.approved_by,
            line=row.line,
        )
        self._post(view, data, capture.amount if capture else 0, row.postings)

    def _adjust_provider(self, row: SettledRow) -> None:
        data = BreakAdjusted(
            row.provider,
            row.batch_id,
            row.break_id or "",
            row.break_class or "",
            row.proposed_by or "",
            row.approved_by or "",
            row.line,
        )
        currency = row.postings[0].currency if row.postings else ""
        self._other("provider.break_adjusted", data, 0, currency, row.postings)

    def _post(self, view: PaymentView, data: Struct, amount: int, postings: list[Posting]) -> None:
        self.booking.view = view
        self.booking.book("payment.settled", data, amount, postings=postings)
        if self.booking.view is not None:
            self._views[view.id] = self.booking.view

    def _other(
        self,
        entry_type: str,
        data: PayoutReceived | BreakAdjusted,
        amount: int,
        currency: str,
        postings: list[Posting],
    ) -> None:
        """Book an entry of a provider: of no merchant, and for no endpoint."""
        must_balance(postings)
        self._others += 1
        entry = LedgerEntry(
            event_id=self._moment.new_id("evt", self._others),
            type=entry_type,
            ref=data.provider,
            merchant_id=None,
            timestamp=iso(self._moment.wire_ms),
            amount=amount,
            currency=currency,
            data=data,
            postings=postings,
            correlation_id=self._message.correlation_id,
            causation_id=self._message.id,
        )
        shown = {"id": data.batch_id, "object": "provider_payout", "provider": data.provider}
        self.booking.closed_entry(entry, 1, {**shown, "amount": amount, "currency": currency})

    def _view(self, payment_id: str | None) -> PaymentView | None:
        """The payment after the rows of this page so far: a copy of ours alone."""
        if payment_id is None:
            return None
        if payment_id not in self._views and payment_id in self._state.payments:
            known = self._state.payments[payment_id]
            copy = Booking(known, self._message, self._moment).view
            if copy is not None:
                self._views[payment_id] = copy
        return self._views.get(payment_id)
