"""What is said to a provider and by it: calls, asks, outcomes, drills."""

from typing import Any

from msgspec import Struct

from payrail.domain.words.kinds import ANY_PROVIDER, HAND, TIMER, asked, kind


class ClaimHold(Struct, forbid_unknown_fields=True):
    """Gateway to provider: capture. `authorization` is the reference of the approved charge."""

    payment_id: str
    reference: str
    merchant_id: str
    authorization: str
    amount: int
    currency: str
    operation_id: str  # cap_…


class ReverseHold(Struct, forbid_unknown_fields=True):
    payment_id: str
    reference: str
    merchant_id: str
    authorization: str
    amount: int
    currency: str
    operation_id: str


class Ask(Struct, forbid_unknown_fields=True):
    """Gateway to provider: what became of this reference? Asking about one never seen fences it."""

    payment_id: str
    reference: str
    operation: str  # authorize | capture | reverse
    number: int  # which ask of this reference, from 1


class Outcome(Struct, forbid_unknown_fields=True):
    """Provider to gateway, both for an operation and for an ask.

    `result`: approved | declined | refused (safe: not processed) | ambiguous | pending | fenced.
    """

    payment_id: str
    reference: str
    operation: str
    result: str
    code: str  # "approved", a decline code, or why it was refused
    provider: str
    provider_reference: str | None
    amount: int
    currency: str
    asked: bool = False


class InjectFault(Struct, forbid_unknown_fields=True):
    """A drill: a fault rule that the provider has yet to judge; `rule` as its JSON."""

    rule: dict[str, Any]
    user_id: str = HAND


class ClearFaults(Struct, forbid_unknown_fields=True):
    user_id: str = HAND


class TakeUp(Struct):
    """A provider's timer: a slow charge is taken up now."""

    reference: str


KINDS = (
    kind("capture", "gateway", ClaimHold),
    kind("reverse", "gateway", ReverseHold),
    kind("ask", "gateway", Ask),
    kind("outcome", ANY_PROVIDER, Outcome),
    kind("charge.take_up", TIMER, TakeUp),
    asked("fault.inject", "frontdoor", InjectFault, by_hand=True),
    asked("fault.clear", "frontdoor", ClearFaults, by_hand=True),
)
