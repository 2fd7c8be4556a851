"""What the entries of the ledger tell of each payment, refund and dispute, by a fold of its own.

Everything that cannot follow (`legal`) is a sentence in `wrong`, everything that is too much one in
`exceeded`; the fold goes on as if it had been right.
"""

from collections import Counter
from dataclasses import dataclass, field

from actors.simulation.legal import LEADS_TO, MOVES, ONCE, STAYS
from actors.simulation.reading import Entry

_OBJECTS = ("refund.", "dispute.", "payout.", "case.")
_CLAIMS = ("refund.", "dispute.")
#: The payment's own entries that change more than its state.
_OVER = ("payment.settled", "payment.released", "payment.captured")


#: What an answer shows of a payment's money, and `Payment.history` remembers, in this order.
AMOUNTS = (
    *("amount_authorized", "amount_captured", "amount_refunded"),
    *("amount_disputed", "amount_charged_back"),
)


@dataclass(slots=True)
class Payment:
    """One payment; amounts in minor units."""

    id: str
    first: Entry
    state: str = "created"
    authorized: int = 0
    captured: int = 0
    refunded: int = 0
    reserved: int = 0  # asked to be refunded, and not refunded or given up
    disputed: int = 0
    charged_back: int = 0
    is_over: bool = False  # nothing of the hold may be captured any more
    captures: dict[str, bool] = field(default_factory=dict)  # id -> settled
    counts: Counter[str] = field(default_factory=Counter)  # entries by type
    history: list[tuple[str | int, ...]] = field(default_factory=list)  # state, AMOUNTS

    def remember(self) -> None:
        """Keep how things stand after an entry."""
        money = (self.authorized, self.captured, self.refunded, self.disputed, self.charged_back)
        self.history.append((self.state, *money))

    @property
    def is_settled(self) -> bool:
        over = self.is_over or self.captured == self.authorized
        return over and all(self.captures.values())


@dataclass(slots=True)
class Claim:
    """A refund, a dispute, a payout or a case."""

    id: str
    first: Entry
    state: str = ""
    payment_id: str = ""
    stage: str = ""
    history: list[str] = field(default_factory=list)  # its states


@dataclass(slots=True)
class Told:
    """The fold of a ledger, and what in it cannot be."""

    payments: dict[str, Payment] = field(default_factory=dict)
    claims: dict[str, Claim] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)  # moves
    exceeded: list[str] = field(default_factory=list)  # amounts


def told(entries: list[Entry]) -> Told:
    """Everything that these entries, which are in the order of `seq`, tell."""
    found = Told()
    for entry in entries:
        kind = entry.fact.type
        if kind.startswith(_OBJECTS):
            _claim(found, entry, kind)
        elif kind.startswith(("payment.", "fee.")):
            _payment(found, entry, kind)
    return found


def _payment(found: Told, entry: Entry, kind: str) -> None:
    fact = entry.fact
    payment = found.payments.get(fact.ref)
    if kind == "payment.created":
        if payment is not None:
            found.wrong.append(f"{fact.ref} is created twice ({entry.place})")
        found.payments[fact.ref] = payment or Payment(fact.ref, entry)
        found.payments[fact.ref].remember()
        return
    if payment is None:
        found.wrong.append(f"{fact.ref}: {kind}, and it was never created ({entry.place})")
        return
    _move(found, payment, entry, kind)
    payment.counts[kind] += 1
    _amounts(found, payment, entry, kind)
    if kind in _OVER and payment.state in ("captured", "settled") and kind != "payment.captured":
        payment.state = "settled" if payment.is_settled else "captured"
    payment.remember()


def _move(found: Told, payment: Payment, entry: Entry, kind: str) -> None:
    to, origins = LEADS_TO.get(kind, ("", set()))
    if kind in ONCE and payment.counts[kind]:
        found.wrong.append(f"{payment.id}: {kind} a second time ({entry.place})")
    elif payment.state in origins:
        payment.state = to
    elif payment.state not in STAYS.get(kind, ()):
        found.wrong.append(f"{payment.id}: {kind} cannot follow {payment.state} ({entry.place})")
    same = payment.first.fact
    if (entry.fact.merchant_id, entry.fact.currency) != (same.merchant_id, same.currency):
        found.wrong.append(f"{payment.id}: another merchant or currency ({entry.place})")


def _amounts(found: Told, payment: Payment, entry: Entry, kind: str) -> None:
    fact = entry.fact
    if kind == "payment.authorized":
        payment.authorized = fact.amount
        if fact.amount != payment.first.fact.amount:
            asked = payment.first.fact.amount
            what = f"{payment.id}: {fact.amount} authorized where {asked} was asked for"
            found.exceeded.append(f"{what} ({entry.place})")
    elif kind == "payment.captured":
        _captured(found, payment, entry)
    elif kind == "payment.released":
        payment.is_over = True
    elif kind == "payment.settled" and fact.data.capture_id is not None:
        if payment.captures.get(fact.data.capture_id, True):
            what = f"{payment.id}: {fact.data.capture_id} is settled twice, or was never captured"
            found.wrong.append(f"{what} ({entry.place})")
        payment.captures[fact.data.capture_id] = True
    elif kind == "payment.charged_back":
        payment.charged_back += fact.amount


def _captured(found: Told, payment: Payment, entry: Entry) -> None:
    fact = entry.fact
    if not payment.counts["payment.authorized"] and not payment.captured:
        payment.authorized = payment.first.fact.amount  # approved and captured in one call
    if fact.data.capture_id in payment.captures:
        found.wrong.append(f"{payment.id}: {fact.data.capture_id} twice ({entry.place})")
    payment.captures[fact.data.capture_id] = False
    payment.captured += fact.amount
    payment.is_over = payment.is_over or fact.data.final_capture
    if payment.captured > payment.authorized or fact.amount < 1:
        what = f"{payment.id}: {payment.captured} captured of {payment.authorized}"
        found.exceeded.append(f"{what} ({entry.place})")


def _claim(found: Told, entry: Entry, kind: str) -> None:
    fact = entry.fact
    claim = found.claims.get(fact.ref)
    before = claim.state if claim else ""
    after = MOVES.get((before, kind))
    if after is None:
        found.wrong.append(
            f"{fact.ref}: {kind} cannot follow {before or 'nothing'} ({entry.place})"
        )
        return
    if claim is None:
        about = getattr(fact.data, "payment_id", "")
        claim = found.claims[fact.ref] = Claim(fact.ref, entry, payment_id=about)
    claim.state = after
    if kind == "dispute.opened":
        claim.stage = fact.data.stage
        claim.state = "inquiry" if claim.stage == "inquiry" else "opened"
    claim.history.append(claim.state)
    payment = found.payments.get(claim.payment_id)
    if kind.startswith(_CLAIMS):
        if payment is None:
            found.wrong.append(
                f"{fact.ref}: about {claim.payment_id}, which is not there ({entry.place})"
            )
        else:
            _claimed(found, payment, claim, entry, before)
            payment.remember()


def _claimed(found: Told, payment: Payment, claim: Claim, entry: Entry, before: str) -> None:
    """What is gone of the payment from here on."""
    amount, kind = entry.fact.amount, entry.fact.type
    if kind == "refund.requested":
        payment.reserved += amount
        gone = payment.reserved + payment.refunded + payment.disputed + payment.charged_back
        if gone > payment.captured:
            what = f"{claim.id}: {gone} to be given back of {payment.captured} captured"
            found.exceeded.append(f"{what} ({entry.place})")
    elif kind in ("refund.rejected", "refund.expired"):
        payment.reserved -= amount
    elif kind == "refund.succeeded":
        payment.reserved -= amount
        payment.refunded += amount
    elif kind == "refund.failed" and before == "succeeded":
        payment.refunded -= amount
    elif kind == "refund.failed":
        payment.reserved -= amount
    elif kind == "dispute.opened" and claim.state != "inquiry":
        payment.disputed += amount
    elif kind == "dispute.won" or (kind == "dispute.lost" and before != "won"):
        payment.disputed -= amount
