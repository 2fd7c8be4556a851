"""What happens to a whole house on some days of a plan: breaks in statements, payouts, sale days.

Never: depends on how many payments there are; a break is injected before that day is settled.
"""

from dataclasses import dataclass

BREAK_KINDS = (
    *("missing_ours", "missing_theirs", "amount", "currency", "fee", "fx", "duplicate", "late"),
    *("wrong_batch", "wrong_state", "refund", "chargeback"),
)


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


def breaks_on(seed: int, day: int, days: int) -> tuple[PlannedBreak, ...]:
    """What is spoiled in the statements of that day."""
    if day % 3 != 2 or day >= days - 1:
        return ()
    nth = day // 3
    kind = BREAK_KINDS[(seed + nth) % len(BREAK_KINDS)]
    return (PlannedBreak(day, ("providerA", "providerB")[nth % 2], kind, nth % 2 == 0),)


def payouts_on(day: int, days: int) -> tuple[PlannedPayout, ...]:
    """Who is paid out by hand on that day, beside the house's own daily run."""
    outcome = {days - 1: "none", 9: "failed", 12: "returned", 15: "paid"}.get(day)
    return (PlannedPayout(day, "m_001", "USD", outcome),) if outcome else ()
