"""Fault rules: drills as data, chosen without a lot being drawn.

A rule without `probability` touches every card. With one, it touches generated cards only, and a
reference has the same luck each time: documented test cards always give their documented result.
"""

from collections.abc import Container, Mapping

from msgspec import Struct, structs

from actors.provider.chance import share_of

SAFE = ("down", "error")  # the call is refused and was not processed
BROKEN = ("http", "reset", "garbage")  # the answer says nothing about the call


class Match(Struct, frozen=True, omit_defaults=True):
    """What a rule is limited to; None limits nothing."""

    merchant: str | None = None
    payment: str | None = None
    token: str | None = None
    amount: int | None = None


class FaultRule(Struct, frozen=True, omit_defaults=True):
    """One rule, as people write it. `count` is what is left of it, None: without end."""

    operation: str
    do: str
    count: int | None = None
    probability: float | None = None
    match: Match | None = None
    fence: bool = True

    @property
    def deed(self) -> str:
        return self.do.partition(":")[0]

    @property
    def argument(self) -> str:
        return self.do.partition(":")[2]


class Subject(Struct, frozen=True):
    """What a rule is held against: one call to the provider."""

    operation: str
    reference: str
    merchant_id: str
    payment_id: str
    token: str | None
    amount: int | None
    is_documented: bool  # the card is in the table of test cards


def choose(
    rules: Mapping[str, FaultRule], subject: Subject, seed: int, deeds: Container[str]
) -> tuple[str, FaultRule] | None:
    """(id, rule) of the oldest rule of these deeds that touches this call, None when none does."""
    for rule_id, rule in rules.items():
        if rule.deed in deeds and _touches(rule_id, rule, subject, seed):
            return rule_id, rule
    return None


def spent(rule: FaultRule) -> FaultRule | None:
    """The rule after one use, None when nothing of it is left."""
    if rule.count is None:
        return rule
    return structs.replace(rule, count=rule.count - 1) if rule.count > 1 else None


def _touches(rule_id: str, rule: FaultRule, subject: Subject, seed: int) -> bool:
    if rule.operation not in (subject.operation, "*"):
        return False
    if rule.match is not None and not _fits(rule.match, subject):
        return False
    if rule.probability is None:
        return True
    luck = share_of(seed, rule_id, subject.operation, subject.reference)
    return not subject.is_documented and luck < rule.probability


def _fits(match: Match, subject: Subject) -> bool:
    pairs = (
        (match.merchant, subject.merchant_id),
        (match.payment, subject.payment_id),
        (match.token, subject.token),
        (match.amount, subject.amount),
    )
    return all(wanted in (None, found) for wanted, found in pairs)
