"""Entries and their events: each public fact is booked once and published in the same step.

A booking folds every entry into a copy of the payment, so that the next entry, the event's object
and the reply show how things stand after it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct, structs

from payrail.domain import cases, disputes, payouts, refunds
from payrail.domain.cases import CaseView
from payrail.domain.claim_entries import CaseClosed
from payrail.domain.disputes import DisputeView
from payrail.domain.ledger import ENTRY_DATA, CaseOpened, LedgerEntry, Posting, must_balance
from payrail.domain.payments import PaymentView, fold, render
from payrail.domain.payouts import PayoutView
from payrail.domain.refunds import RefundView
from payrail.domain.timestamps import iso
from payrail.runtime.actor import BookSpec, Message, Moment, Post

LEDGER, REFUNDS, DISPUTES = "payments", "refunds", "disputes"
OUTBOX, ACCESS = "events", "access"

_encode = msgspec.json.Encoder().encode
_decode_view = msgspec.json.Decoder(PaymentView).decode
_decode_case = msgspec.json.Decoder(CaseView).decode

V = TypeVar("V", RefundView, DisputeView, PayoutView)


@dataclass(frozen=True, slots=True)
class _Kind(Generic[V]):
    """What is particular to objects that move money of their own."""

    book: str
    decode: Callable[[bytes], V]
    money: Callable[[V | None, LedgerEntry], list[Posting]]
    fold: Callable[[V | None, LedgerEntry], V]
    render: Callable[[V], dict[str, Any]]


def _kind(book: str, view: type[V], rules: Any) -> _Kind[V]:
    decode = msgspec.json.Decoder(view).decode
    return _Kind(book, decode, rules.money, rules.fold, rules.render)


_REFUND = _kind(REFUNDS, RefundView, refunds)
_DISPUTE = _kind(DISPUTES, DisputeView, disputes)
_PAYOUT = _kind(LEDGER, PayoutView, payouts)


class OutboxEvent(Struct):
    """One line of data/outbox/events.jsonl: the entry's id, and the object after it."""

    id: str
    type: str
    timestamp: str
    object_seq: int
    merchant_id: str | None
    correlation_id: str
    data: dict[str, Any]


def read_outbox(line: bytes) -> OutboxEvent:
    return msgspec.json.decode(line, type=OutboxEvent)


def ledger_book(path: str, read: Any) -> BookSpec:
    """A ledger file: the three of them share one `seq`."""
    return BookSpec(path, read, "ledger")


class Booking:
    """Books entries about one payment within one step."""

    def __init__(self, view: PaymentView | None, message: Message, moment: Moment) -> None:
        self.view = None if view is None else _decode_view(_encode(view))
        self._message, self._moment = message, moment
        self.posts: list[Post] = []
        self._index = 0

    def book(
        self,
        entry_type: str,
        data: Struct,
        amount: int,
        *,
        ref: str | None = None,
        merchant_id: str | None = None,
        currency: str | None = None,
        postings: list[Posting] | None = None,
    ) -> LedgerEntry:
        """Book one entry. `ref`, merchant and currency are the payment's unless told."""
        if not isinstance(data, ENTRY_DATA[entry_type]):
            raise TypeError(f"{entry_type} needs {ENTRY_DATA[entry_type].__name__}")
        must_balance(postings or [])
        view = self.view
        entry = self._entry(
            entry_type,
            data,
            ref=ref or (view.id if view else ""),
            merchant_id=view.merchant_id if view else merchant_id,
            amount=amount,
            currency=currency or (view.currency if view else ""),
            postings=postings,
        )
        self.view = fold(view, entry)
        self.closed_entry(entry, self.view.object_seq, render(self.view))
        return entry

    def book_refund(
        self, refund: RefundView | None, entry_type: str, data: Struct, amount: int, *, ref: str
    ) -> RefundView:
        """Book one entry about a refund of this payment. Result: the refund after it, a copy."""
        return self._of_payment(_REFUND, refund, entry_type, data, amount, ref)

    def book_dispute(
        self, dispute: DisputeView | None, entry_type: str, data: Struct, amount: int, *, ref: str
    ) -> DisputeView:
        """Book one entry about a dispute of this payment. Result: the dispute after it, a copy."""
        return self._of_payment(_DISPUTE, dispute, entry_type, data, amount, ref)

    def _of_payment(
        self, kind: _Kind[V], view: V | None, entry_type: str, data: Struct, amount: int, ref: str
    ) -> V:
        """Book an entry about an object of this payment, and fold it into both."""
        payment = self.view
        if payment is None:
            raise TypeError(f"an entry of {kind.book} needs a payment")
        merchant_id, currency = payment.merchant_id, payment.currency
        entry = self._entry(
            entry_type, data, ref=ref, merchant_id=merchant_id, amount=amount, currency=currency
        )
        entry, after = self._moved(kind, view, entry)
        self.view = fold(payment, entry)
        return after

    def _moved(self, kind: _Kind[V], view: V | None, entry: LedgerEntry) -> tuple[LedgerEntry, V]:
        """Book `entry` with the money that it moves. Result: it, and the object after it."""
        known = None if view is None else kind.decode(_encode(view))
        entry = structs.replace(entry, postings=kind.money(known, entry))
        must_balance(entry.postings)
        after = kind.fold(known, entry)
        self.closed_entry(entry, after.object_seq, kind.render(after), book=kind.book)
        return entry, after

    def book_claim(
        self,
        entry_type: str,
        data: Struct,
        amount: int,
        *,
        ref: str,
        postings: list[Posting],
        seq: int,
        shown: dict[str, Any],
        book: str = REFUNDS,
    ) -> None:
        """Book one entry about a refund or a dispute that has left memory: its payment alone is
        folded."""
        payment = self.view
        if payment is None:
            raise TypeError("a claim needs a payment")
        must_balance(postings)
        entry = self._entry(
            entry_type,
            data,
            ref=ref,
            merchant_id=payment.merchant_id,
            amount=amount,
            currency=payment.currency,
            postings=postings,
        )
        self.view = fold(payment, entry)
        self.closed_entry(entry, seq, shown, book=book)

    def book_case(
        self,
        case: CaseView | None,
        entry_type: str,
        data: CaseOpened | CaseClosed,
        *,
        ref: str,
        merchant_id: str | None = None,
        currency: str | None = None,
    ) -> CaseView:
        """Book one entry about a case. Merchant and currency are the case's or the payment's
        unless told. Result: the case after it, a copy."""
        known = None if case is None else _decode_case(_encode(case))
        of = known or self.view
        entry = self._entry(
            entry_type,
            data,
            ref=ref,
            merchant_id=of.merchant_id if of else merchant_id,
            amount=data.exposure if isinstance(data, CaseOpened) else 0,
            currency=currency or (of.currency if of else ""),
        )
        view = cases.fold(known, entry)
        self.closed_entry(entry, view.object_seq, cases.render(view))
        return view

    def book_payout(
        self,
        payout: PayoutView | None,
        entry_type: str,
        data: Struct,
        amount: int,
        *,
        ref: str,
        merchant_id: str | None,
        currency: str,
    ) -> PayoutView:
        """Book one entry about a payout to a merchant. Result: the payout after it, a copy."""
        entry = self._entry(
            entry_type, data, ref=ref, merchant_id=merchant_id, amount=amount, currency=currency
        )
        return self._moved(_PAYOUT, payout, entry)[1]

    def book_provider(
        self, entry_type: str, data: Struct, provider: str, object_seq: int
    ) -> LedgerEntry:
        """Book one entry about a provider: of no merchant, and without an amount."""
        entry = self._entry(entry_type, data, ref=provider)
        shown = {"id": provider, "object": "provider", **msgspec.to_builtins(data)}
        self.closed_entry(entry, object_seq, shown)
        return entry

    def _entry(
        self,
        entry_type: str,
        data: Struct,
        *,
        ref: str,
        merchant_id: str | None = None,
        amount: int = 0,
        currency: str = "",
        postings: list[Posting] | None = None,
    ) -> LedgerEntry:
        """The step's next entry; its id tells its place among them."""
        self._index += 1
        return LedgerEntry(
            event_id=self._moment.new_id("evt", self._index - 1),
            type=entry_type,
            ref=ref,
            merchant_id=merchant_id,
            timestamp=iso(self._moment.wire_ms),
            amount=amount,
            currency=currency,
            data=data,
            postings=postings or [],
            correlation_id=self._message.correlation_id,
            causation_id=self._message.id,
        )

    def closed_entry(
        self, entry: LedgerEntry, seq: int, shown: dict[str, Any], *, book: str = LEDGER
    ) -> None:
        """Book an entry that is made already, with the object to show in its event."""
        self.posts.append(Post(book, entry))
        self.posts.append(
            Post(
                OUTBOX,
                OutboxEvent(
                    entry.event_id,
                    entry.type,
                    entry.timestamp,
                    seq,
                    entry.merchant_id,
                    entry.correlation_id,
                    {"object": shown},
                ),
            )
        )
