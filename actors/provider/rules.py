"""Fault rules: drills as data, chosen without a lot being drawn.

A rule without `probability` touches every card. With one, it touches generated cards only, and a
reference has the same luck each time: documented test cards always give their documented result.
Luck follows what a rule says and not its id: the same rule over the same calls has the same faults
in every house of the same seed.
"""

from collections.abc import Container, Mapping

from msgspec import Struct, structs

from actors.provider.chance import share_of
from payrail.domain.fault_rules import FaultRule, Match
from payrail.storage.lines import encode

SAFE = ("down", "error")  # the call is refused and was not processed
BROKEN = ("http", "reset", "garbage")  # the answer says nothing about the call
#: Ids of the rules that stand in faults.toml begin so.
FROM_FILE = "flt_file_"
#: Where a fault came from: a rule that was injected, one of faults.toml, the header of a request,
#: the holder's name or the amount of a charge, a documented test card.
RULE, FILE, HEADER, NAME, AMOUNT, CARD = "rule", "file", "header", "name", "amount", "card"


class Subject(Struct, frozen=True):
    """What a rule is held against: one call to the provider."""

    operation: str
    reference: str
    merchant_id: str
    payment_id: str
    token: str | None
    amount: int | None
    is_documented: bool  # the card is in the table of test cards


class Drill(Struct, frozen=True):
    """A fault that touches a call: its rule, and where that came from."""

    door: str
    rule: FaultRule
    rule_id: str | None = None  # None: a rule of this one call


def choose(
    rules: Mapping[str, FaultRule], subject: Subject, seed: int, deeds: Container[str]
) -> Drill | None:
    """The oldest rule of these deeds that touches this call, None when none does."""
    for rule_id, rule in rules.items():
        if rule.deed in deeds and _touches(rule, subject, seed):
            return Drill(door_of(rule_id), rule, rule_id)
    return None


def wished(rule: FaultRule | None, subject: Subject, deeds: Container[str]) -> Drill | None:
    """The fault that the request itself asked for, if it is one of these deeds on this subject."""
    if rule is None or rule.deed not in deeds or rule.operation != subject.operation:
        return None
    return Drill(HEADER, rule)


def door_of(rule_id: str) -> str:
    """Where a rule with an id came from."""
    return FILE if rule_id.startswith(FROM_FILE) else RULE


def spent(rule: FaultRule) -> FaultRule | None:
    """The rule after one use, None when nothing of it is left."""
    if rule.count is None:
        return rule
    return structs.replace(rule, count=rule.count - 1) if rule.count > 1 else None


def _touches(rule: FaultRule, subject: Subject, seed: int) -> bool:
    if rule.operation not in (subject.operation, "*"):
        return False
    if rule.match is not None and not _fits(rule.match, subject):
        return False
    if rule.probability is None:
        return True
    if subject.is_documented:
        return False
    said = encode(structs.replace(rule, count=None)).decode()
    return share_of(seed, said, subject.operation, subject.reference) < rule.probability


def _fits(match: Match, subject: Subject) -> bool:
    pairs = (
        (match.merchant, subject.merchant_id),
        (match.payment, subject.payment_id),
        (match.token, subject.token),
        (match.amount, subject.amount),
    )
    return all(wanted in (None, found) for wanted, found in pairs)
