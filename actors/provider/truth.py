"""A provider's truth: what really happened there, whatever it told anybody.

Owns: data/providers/providerX_truth.jsonl.
"""

import msgspec
from msgspec import Struct

from payrail.errors import LineDamaged
from payrail.runtime.actor import BookSpec

#: Effects that move money between the provider and us: the type and sign of their statement line.
MONEY = {"capture": ("capture", 1), "refund": ("refund", -1), "chargeback": ("chargeback", -1)}


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
