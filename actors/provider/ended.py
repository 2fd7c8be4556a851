"""What a provider answers about: a call that ended, or waits, with the charge that it concerns.

Both providers' manners are written from this, and from nothing that changes later: the same call is
answered in the same bytes however often it is sent.
"""

from dataclasses import dataclass

from actors.provider.calls import PENDING_MS
from actors.provider.state import Operation, ProviderState, Waiting
from payrail.domain.provider_errors import psp_reference


@dataclass(frozen=True, slots=True)
class Ended:
    """`charge` is the call itself where that is a charge; None where nobody knows it."""

    provider: str
    reference: str
    call: Operation
    charge: Operation | None
    charge_reference: str

    @property
    def amount(self) -> int:
        return self.call.amount

    @property
    def is_charge(self) -> bool:
        return self.call.operation == "authorize"

    @property
    def name(self) -> str:
        """The provider's own name for the call; one that came to nothing has one as well."""
        return self.call.provider_reference or made_up_name(self.provider, self.reference)

    @property
    def charge_name(self) -> str:
        if self.charge is None or self.is_charge:
            return self.name
        named = self.charge.provider_reference
        return named or made_up_name(self.provider, self.charge_reference)


def made_up_name(provider: str, reference: str) -> str:
    """A lasting name for what had no effect."""
    name = psp_reference(f"{provider}/{reference}")
    return name if provider == "providerB" else f"ch_{name.lower()}"


def ended(provider: str, state: ProviderState, reference: str, call: Operation) -> Ended:
    """The call as it is answered."""
    about = call.authorization or reference
    charge = call if call.operation == "authorize" else state.operations.get(about)
    return Ended(provider, reference, call, charge, about)


def waits(provider: str, state: ProviderState, waiting: Waiting) -> Ended:
    """A call that was taken in and has no end yet, as far as it may be told."""
    order = waiting.order
    call = Operation(
        operation=order.operation,
        payment_id=order.payment_id,
        merchant_id=order.merchant_id,
        token=order.token,
        amount=order.amount,
        currency=order.currency,
        result="pending",
        code="pending",
        provider_reference=waiting.name or None,
        is_documented=waiting.is_documented,
        authorization=order.authorization,
        operation_id=order.operation_id,
        at_ms=(waiting.due_ms or PENDING_MS) - PENDING_MS,
    )
    return ended(provider, state, order.reference, call)
