"""Breaks: what a statement says otherwise than our books, in twelve classes, and what mends it.

A break never settles by itself. Its suggested posting takes what we expected out of receivable,
puts what the provider says into transit, and the difference into suspense.
"""

import hashlib

from msgspec import Struct

from payrail.domain.books import DISPUTES_BOOK, LEDGER_BOOK, REFUNDS_BOOK
from payrail.domain.ledger import Posting, must_balance
from payrail.domain.postings import (
    available,
    in_transit,
    pending,
    provider_expense,
    receivable,
    suspense,
)
from payrail.domain.settlement.lines import CAPTURE, DISPUTED, REFUND, REFUNDED, StatementLine
from payrail.domain.settlement.ours import Ours

CLASSES = (
    "missing_ours",
    "missing_theirs",
    "amount",
    "currency",
    "fee",
    "fx",
    "duplicate",
    "late",
    "wrong_batch",
    "wrong_state",
    "refund",
    "chargeback",
)
#: Classes about a line that stands beside our capture: the capture itself is matched on its own.
BESIDE = frozenset({"missing_ours", "duplicate", "refund", "chargeback"})


class Place(Struct, frozen=True):
    file: str
    line: int


class Break(Struct, frozen=True, kw_only=True):
    """One break as it stands in a report. `difference` is theirs minus ours, in minor units."""

    n: int = 0  # in its report, from 1
    id: str
    class_: str
    payment_id: str | None
    merchant_id: str | None
    provider: str
    batch_id: str | None
    capture_id: str | None
    currency: str
    ours: Place | None
    theirs: Place | None
    difference: int
    explanation: str
    suggested_posting: list[Posting]

    @property
    def as_json(self) -> dict[str, object]:
        """As it stands in the report, in this order."""
        fields: dict[str, object] = {
            name: getattr(self, name) for name in self.__struct_fields__ if name != "class_"
        }
        return {"n": fields.pop("n"), "id": fields.pop("id"), "class": self.class_, **fields}


def made(
    class_: str,
    ours: Ours | None,
    theirs: StatementLine | None,
    explanation: str,
    *,
    batch_id: str | None,
) -> Break:
    """The break of this class between the two sides; one of them may be missing."""
    side = theirs or ours
    if side is None:
        raise ValueError("a break has a side")
    beside = class_ in BESIDE
    counted = None if beside else ours
    break_id = _id(class_, ours, theirs)
    # What mended another break took this capture out of receivable; what mended this one must not
    # change what it is said to need, when its report is made once more.
    is_taken = ours is not None and ours.adjusted_by not in (None, break_id)
    return Break(
        id=break_id,
        class_=class_,
        payment_id=ours.payment_id if ours else side.payment_id or None,
        merchant_id=ours.merchant_id if ours else side.merchant_id or None,
        provider=side.provider,
        batch_id=batch_id,
        capture_id=counted.capture_id if counted and counted.is_capture else None,
        currency=ours.currency if ours else side.currency,
        ours=_place(ours) if ours else None,
        theirs=Place(theirs.file, theirs.line) if theirs else None,
        difference=_difference(class_, counted, theirs),
        explanation=explanation,
        suggested_posting=suggested(class_, counted, theirs, is_taken=is_taken),
    )


def _place(ours: Ours) -> Place:
    if ours.type in DISPUTED:
        return Place(DISPUTES_BOOK, ours.line)
    return Place(REFUNDS_BOOK if ours.type in REFUNDED else LEDGER_BOOK, ours.line)


def _id(class_: str, ours: Ours | None, theirs: StatementLine | None) -> str:
    """The same for the same break in every rerun."""
    said = [class_, ours.capture_id if ours else ""]
    if ours is not None and ours.type not in (CAPTURE, REFUND):
        said.append(ours.type)  # a dispute moves money more than once
    if theirs is not None:
        said += [theirs.provider, theirs.provider_reference, theirs.type, theirs.file]
        said += [str(theirs.line), str(theirs.gross), str(theirs.net), theirs.currency]
    return f"brk_{hashlib.sha256('|'.join(said).encode()).hexdigest()[:16]}"


def _difference(class_: str, ours: Ours | None, theirs: StatementLine | None) -> int:
    """What is at stake: of an amount the gross, of all else what arrives more or less."""
    if class_ == "amount" and ours is not None and theirs is not None:
        return theirs.gross - ours.gross or theirs.net - ours.net
    if class_ == "currency" and ours is not None and theirs is not None:
        return -ours.net  # in our currency nothing came
    return (theirs.net if theirs else 0) - (ours.net if ours else 0)


def effect(broken: Ours | None, theirs: StatementLine | None) -> dict[str, int]:
    """By currency, what arrives more than we expected."""
    made: dict[str, int] = {}
    if broken is not None:
        made[broken.currency] = -broken.net
    if theirs is not None:
        made[theirs.currency] = made.get(theirs.currency, 0) + theirs.net
    return made


def suggested(
    class_: str, ours: Ours | None, theirs: StatementLine | None, *, is_taken: bool = False
) -> list[Posting]:
    """The posting that two people may approve; every currency of it sums to zero. `is_taken`: our
    side has left receivable already."""
    provider = ours.provider if ours else theirs.provider if theirs else ""
    postings: list[Posting] = []
    rest: dict[str, int] = {}

    def post(account: str, amount_minor: int, currency: str) -> None:
        if amount_minor:
            postings.append(Posting(account, amount_minor, currency))
            rest[currency] = rest.get(currency, 0) + amount_minor

    if theirs is not None:
        post(in_transit(provider), theirs.net, theirs.currency)
    if ours is not None and not is_taken:
        post(receivable(provider), -ours.net, ours.currency)
        post(pending(ours.merchant_id), ours.due, ours.currency)
        post(available(ours.merchant_id), -ours.due, ours.currency)
    if class_ == "amount" and ours is not None and theirs is not None:
        # Another amount has another fee: the fee is no break of its own.
        post(provider_expense(provider), theirs.fee - ours.fee, ours.currency)
    for currency, amount_minor in list(rest.items()):
        post(suspense(provider), -amount_minor, currency)
    must_balance(postings)
    return postings


def left_of(
    posting: list[Posting],
    provider: str,
    merchant_id: str | None,
    *,
    line_is_taken: bool,
    ours_is_taken: bool,
) -> list[Posting] | None:
    """What of an approved posting is not in the books yet; None: nothing of it. A line goes into
    transit once, and what we booked leaves receivable once: whatever came between has done its
    part, and suspense takes the rest, which it gave."""
    of_line = {in_transit(provider)}
    of_ours = {receivable(provider), pending(merchant_id or ""), available(merchant_id or "")}
    taken = (of_line if line_is_taken else set()) | (of_ours if ours_is_taken else set())
    kept = [one for one in posting if one.account not in taken]
    if len(kept) == len(posting):
        return posting
    if not any(one.account in of_line | of_ours for one in kept):
        return None
    rest: dict[str, int] = {}
    others = [one for one in kept if one.account != suspense(provider)]
    for one in others:
        rest[one.currency] = rest.get(one.currency, 0) - one.amount
    others += [Posting(suspense(provider), minor, code) for code, minor in rest.items() if minor]
    must_balance(others)
    return others
