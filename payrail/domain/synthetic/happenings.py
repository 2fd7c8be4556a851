"""What happens to a whole house on some days of a plan: breaks in statements, payouts, sale days.

A break is planned only where a line is sure to be there to be spoiled; it is injected before that
day is settled, so that the last day, which stays open, has none.
"""

from collections.abc import Iterable, Sequence
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


@dataclass(frozen=True, slots=True)
class SureCapture:
    """A scene that is captured on that day, whatever an issuer says of invented cards."""

    day: int
    provider: str
    merchant_id: str
    currency: str
    settles: bool


def sure_captures(payments: Iterable[SeededPayment]) -> list[SureCapture]:
    """One for each day and provider that has any, in order."""
    found: dict[tuple[int, str], SureCapture] = {}
    for one in payments:
        place, scene = (one.day, one.scene.provider or ""), one.scene
        if scene.ends == "captured" and scene.provider and outcome_for(one.card.number):
            sure = SureCapture(*place, one.merchant_id, one.currency, scene.settles)
            found.setdefault(place, sure)
    return [found[place] for place in sorted(found)]


def break_of_scene(
    sure: Sequence[SureCapture], day: int, days: int, seed: int
) -> PlannedBreak | None:
    """With every other sure capture, one line of its provider's is spoiled that day. None on the
    last two days: what is captured there is to be paid out, or to be left open."""
    for nth, one in enumerate(sure):
        if one.day == day < days - 2 and nth % 2 == 0:
            kind = CAPTURE_BREAKS[(seed + nth // 2) % len(CAPTURE_BREAKS)]
            return PlannedBreak(day, one.provider, kind, judged=nth % 4 == 0)
    return None


def break_of_busy_day(day: int, payments: int, seed: int) -> PlannedBreak | None:
    """Where there is much, something is wrong on every third day."""
    nth, rest = divmod(day, _EVERY)
    if payments < _BUSY_PAYMENTS or rest:
        return None
    kind = BREAK_KINDS[(seed + nth) % len(BREAK_KINDS)]
    return PlannedBreak(day, "providerA", kind, judged=nth % 2 == 0)


def payouts_on(sure: Sequence[SureCapture], day: int, days: int) -> tuple[PlannedPayout, ...]:
    """What was captured at the first provider the day before, and not spoiled, is paid out."""
    return tuple(
        PlannedPayout(day, one.merchant_id, one.currency, _said(nth, is_last=day == days - 1))
        for nth, one in enumerate(sure)
        if one.day + 1 == day < days and one.settles and one.provider == "providerA"
        if nth % 2 == 1 or day == days - 1
    )


def _said(nth: int, *, is_last: bool) -> str:
    """What the merchant's bank says of it."""
    return "none" if is_last else ("failed", "returned", "paid")[nth // 2 % 3]
