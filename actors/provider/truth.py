"""A provider's truth: what really happened there, whatever it told anybody.

Owns: data/providers/providerX_truth.jsonl.
"""

import msgspec
from msgspec import Struct

from payrail.domain.settlement.lines import (
    CAPTURE,
    CHARGEBACK,
    CHARGEBACK_REVERSED,
    DISPUTE_FEE,
    REFUND,
    REFUND_FAILED,
    SECOND_CHARGEBACK,
    ChargeOf,
)
from payrail.domain.timestamps import iso
from payrail.domain.words.settlement import BankRow, StatementWritten
from payrail.errors import LineDamaged
from payrail.runtime.actor import BookSpec, Moment, Post

#: Effects that move money between the provider and us: the type and sign of their statement line.
#: Without a sign, the amount is a fee.
MONEY = {
    "capture": (CAPTURE, 1),
    "refund": (REFUND, -1),
    "refund_failed": (REFUND_FAILED, 1),
    "chargeback": (CHARGEBACK, -1),
    "chargeback_reversed": (CHARGEBACK_REVERSED, 1),
    "second_chargeback": (SECOND_CHARGEBACK, -1),
    "dispute_fee": (DISPUTE_FEE, 0),
}
#: Money on its way to our bank. It is what all of the above comes to, so no statement counts it.
PAYOUT = "payout"


class Truth(Struct, frozen=True, omit_defaults=True):
    """One line for one real effect. Declines and refusals have none, so they leave no line."""

    at: str  # business time
    reference: str
    operation: str
    operation_id: str
    amount: int
    currency: str
    outcome: str
    fault: str | None = None  # an injected one that had part in it
    provider_reference: str | None = None  # None in lines older than statements
    merchant_id: str | None = None
    fee: int = 0  # asked beside the amount; negative when it is given back
    charge: ChargeOf | None = None  # that it is about, where it moves money
    value_date: str | None = None  # of a payout: when the bank has it


_decode_truth = msgspec.json.Decoder(Truth).decode


def read_truth(line: bytes) -> Struct:
    """A line of the truth. Raises LineDamaged."""
    try:
        return _decode_truth(line)
    except msgspec.MsgspecError as error:
        raise LineDamaged(f"not a line of a provider's truth: {error}") from error


def truth_book(public_name: str) -> BookSpec:
    """The book of `public_name`'s real effects."""
    path = f"data/providers/{public_name}_truth.jsonl"
    return BookSpec(path=path, read=read_truth, sequence="truth", edited=True)


def paid_out(row: BankRow, written: StatementWritten, moment: Moment) -> Post:
    """The truth about a payout of one batch and currency; below zero it was collected from us."""
    spoiled = written.injected[0].kind if written.injected else None
    truth = Truth(
        at=iso(moment.business_ms),
        reference=written.batch_id,
        operation=PAYOUT,
        operation_id=f"{written.batch_id}-{row.currency}",
        amount=row.amount,
        currency=row.currency,
        outcome="paid" if row.amount > 0 else "collected",
        fault=f"settlement_mismatch:{spoiled}" if spoiled is not None else None,
        value_date=row.value_date,
    )
    return Post("truth", truth)
