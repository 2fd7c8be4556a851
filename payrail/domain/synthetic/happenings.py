"""What happens to a whole house on some days of a plan: breaks in statements, payouts, sale days.

A break is planned only where a line is sure to be there to be spoiled; it is injected before that
day is settled, so that the last day, which stays open, has none.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from payrail.domain.synthetic.scenes import SeededPayment
from payrail.domain.testcards import outcome_for

#: Kinds that spoil a capture, which nearly every statement has.
CAPTURE_BREAKS = (
    *("missing_theirs", "amount", "fee", "duplicate", "currency", "late", "missing_ours"),
    *("wrong_state", "fx", "wrong_batch"),
)
#: And those that need a refund or a chargeback to spoil.
BREAK_KINDS = (*CAPTURE_BREAKS, "refund", "chargeback")
#: A day with so many payments has lines of every type in its statements.
_BUSY_PAYMENTS = 500
_EVERY = 3


@dataclass(frozen=True, slots=True)
class PlannedBreak:
    """One line of a statement of that day is spoiled. `judged`: a suggested posting is proposed by
    one person and approved by another; otherwise the break stays open."""

    day: int
    provider: str
    kind: str
    judged: bool

    @property
    def rule(self) -> dict[str, object]:
        """The fault rule for its provider."""
        return {"operation": "statement", "do": f"settlement_mismatch:{self.kind}", "count": 1}


@dataclass(frozen=True, slots=True)
class PlannedPayout:
    """A merchant is paid out what is available in this currency on that day, and its bank answers:
    paid | failed | returned (paid first, then sent back) | none (nobody says so yet)."""

    day: int
    merchant_id: str
    currency: str
    outcome: str


def sure_captures(payments: Iterable[SeededPayment]) -> list[tuple[int, str]]:
    """The days on which a scene is sure to be captured, with its provider."""
    return sorted(
        {
            (one.day, one.scene.provider)
            for one in payments
            if one.scene.ends == "captured" and one.scene.provider and outcome_for(one.card.number)
        }
    )


def break_of_scene(sure: list[tuple[int, str]], day: int, seed: int) -> PlannedBreak | None:
    """On every other day with a sure capture one of its provider's lines is spoiled."""
    for nth, (found, provider) in enumerate(sure):
        if found == day and nth % 2 == 0:
            kind = CAPTURE_BREAKS[(seed + nth // 2) % len(CAPTURE_BREAKS)]
            return PlannedBreak(day, provider, kind, judged=nth % 4 == 0)
    return None


def break_of_busy_day(day: int, payments: int, seed: int) -> PlannedBreak | None:
    """Where there is much, something is wrong on every third day."""
    nth, rest = divmod(day, _EVERY)
    if payments < _BUSY_PAYMENTS or rest:
        return None
    kind = BREAK_KINDS[(seed + nth) % len(BREAK_KINDS)]
    return PlannedBreak(day, "providerA", kind, judged=nth % 2 == 0)


def payouts_on(day: int, days: int) -> tuple[PlannedPayout, ...]:
    """What is said on that day of a payout of the demo merchant, beside the house's daily run."""
    said = {days - 1: "none", days // 3: "failed", days // 2: "returned", 2 * days // 3: "paid"}
    outcome = said.get(day) if days else None
    return (PlannedPayout(day, "m_001", "USD", outcome),) if outcome else ()
