"""A fault that a request asks for travels with the first call that it leads to, and with no other:
a second attempt, a capture that follows by itself and every ask go without.

Never: judges a fault (`payrail.domain.fault_wishes`), or does one: that is the provider's.
"""

from msgspec import structs

from payrail.domain.fault_wishes import FaultWish
from payrail.domain.providers import public_name
from payrail.runtime.actor import Send, Step

#: The messages that are calls to a provider; a charge goes by way of the vault.
_CALLS = frozenset({"card.charge", "capture", "refund", "reverse"})


def carried(step: Step, wish: FaultWish | None) -> Step:
    """`step`, whose call has the fault that was wished for, if it goes to the provider named."""
    if wish is None:
        return step
    step.out = [_with(send, wish) if send.kind in _CALLS else send for send in step.out]
    return step


def _with(send: Send, wish: FaultWish) -> Send:
    provider = getattr(send.body, "provider", send.to)
    if wish.provider not in (None, public_name(provider)):
        return send
    return structs.replace(send, body=structs.replace(send.body, fault=wish.rule))
