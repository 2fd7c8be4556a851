"""What a developer asks of providerB with a holder's name or an amount, in place of the issuer.

A name counts for every card, an amount for generated ones; the name goes first. providerA takes no
notice of either. What is wished for is the issuer's word: a drill may still lie over it.
Never: sees a name that is not one of the table; the vault keeps those.
"""

from msgspec import Struct, structs

from actors.provider.rules import AMOUNT, NAME, Drill
from actors.provider.seals import PresentedCard
from actors.provider.state import Operation, Order
from payrail.domain.fault_rules import FaultRule
from payrail.domain.testamounts import SETTLEMENT_DECLINED, decline_of, processor_code
from payrail.domain.testcards import TestCard
from payrail.domain.testnames import APPROVED, ERROR, PENDING, TEST_NAMES

#: Who listens.
PROVIDER = "providerB"


class Wish(Struct, frozen=True):
    """`code`: approved | pending | error | a decline code."""

    drill: Drill
    code: str
    number: int | None = None  # of the refusal, as providerB numbers them

    @property
    def is_put_off(self) -> bool:
        """Whether the answer comes later, or says nothing."""
        return self.code in (PENDING, ERROR)

    @property
    def is_broken(self) -> bool:
        return self.code == ERROR

    @property
    def word(self) -> str:
        """The issuer's word, once nothing is put off or broken any more."""
        return APPROVED if self.is_put_off else self.code


def of_charge(
    provider: str, order: Order, card: PresentedCard, documented: TestCard | None
) -> Wish | None:
    """What the name or the amount of a charge asks for, None when neither is a word of ours."""
    if provider != PROVIDER:
        return None
    name = TEST_NAMES.get(card.holder)
    if name is not None:
        return structs.replace(_wish(NAME, name.word, order, name.code), number=name.number)
    number = None if documented else processor_code(order.amount, order.currency)
    if number is None:
        return None
    at_once = SETTLEMENT_DECLINED if order.capture else APPROVED
    return _wish(AMOUNT, str(number), order, decline_of(number) or at_once)


def of_capture(provider: str, order: Order, hold: Operation | None) -> Wish | None:
    """A capture of what was charged with an amount whose settlement is declined."""
    if provider != PROVIDER or order.operation != "capture" or hold is None or hold.is_documented:
        return None
    number = processor_code(hold.asked or hold.amount, hold.currency)
    if number is None or decline_of(number) is not None:
        return None
    return _wish(AMOUNT, str(number), order, SETTLEMENT_DECLINED)


def _wish(door: str, word: str, order: Order, code: str) -> Wish:
    return Wish(Drill(door, FaultRule(order.operation, f"{door}:{word}")), code)
