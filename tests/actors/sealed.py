"""Cards in a drawer of seals, and the words with which a provider is told and asked."""

from typing import Any

from actors.provider.seals import PresentedCard, SealUnopened
from payrail.domain.cards import luhn_digit
from payrail.domain.messages import (
    Ask,
    Charge,
    ClaimHold,
    InjectFault,
    ReverseHold,
)
from tests.actors.pure import Played

GOOD = "4242424242424242"
DECLINED = "4000000000009995"
GENERATED = "400012345678901" + luhn_digit("400012345678901")
DAY_MS = 86_400_000


class Drawer:
    """Seals are keys of a drawer that nobody but this test can open."""

    def __init__(self) -> None:
        self.cards: dict[str, PresentedCard] = {}

    def put(self, number: str, year: int = 2030, holder: str = "") -> str:
        name = f"sealed-{len(self.cards)}"
        self.cards[name] = PresentedCard(number, 12, year, holder)
        return name

    def open_seal(self, sealed: str, reference: str) -> PresentedCard:
        if sealed not in self.cards:
            raise SealUnopened("not of this drawer")
        return self.cards[sealed]


def charge(sealed: str, reference: str = "pi_1.1", amount: int = 1099, capture: bool = False):
    payment = reference.partition(".")[0]
    return Charge(payment, reference, "m_001", "tok_1", amount, "USD", sealed, capture)


def claim(amount: int, reference: str = "pi_1.2") -> ClaimHold:
    return ClaimHold("pi_1", reference, "m_001", "pi_1.1", amount, "USD", f"cap_{reference}")


def give_back(amount: int, reference: str = "pi_1.3") -> ReverseHold:
    return ReverseHold("pi_1", reference, "m_001", "pi_1.1", amount, "USD", f"rev_{reference}")


def ask(provider: Played, reference: str = "pi_1.1"):
    return said(provider.tell("ask", Ask("pi_1", reference, "authorize", 1)))


def inject(provider: Played, **rule):
    return provider.tell("fault.inject", InjectFault(rule), sender="frontdoor", reply_to="req_1")


def said(step):
    (send,) = step.out
    assert (send.to, send.kind) == ("gateway", "outcome")
    return send.body


def notes(step) -> list[tuple[str, str, str]]:
    """(door, what was done, operation) of each fault that the log is told of."""
    told = [note.fields for note in step.notes if note.event == "fault.injected"]
    return [(one["door"], one["do"], one["operation"]) for one in told]


def truths(provider: Played) -> list[tuple[str, str, int]]:
    records: list[Any] = [post.record for step in provider.steps for post in step.posts]
    return [(truth.operation, truth.reference, truth.amount) for truth in records]
