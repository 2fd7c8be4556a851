"""Drills on statements: each kind of mismatch spoils one line, and what it did is told.

A counted rule spoils up to `count` lines, in one statement or in several; a rule without a count
spoils one line of every statement. No line is spoiled twice.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from msgspec import Struct, structs

from actors.provider.rules import Subject, choose
from payrail.domain.fault_rules import FaultRule
from payrail.domain.money import exponent, half_even
from payrail.domain.settlement.lines import (
    CAPTURE,
    CHARGEBACK,
    REFUND,
    TAKEN_BACK,
    StatementLine,
)
from payrail.domain.words.settlement import Carried, Injected

DEED = "settlement_mismatch"
#: Lines that one statement may have spoiled: what is put off has to fit into a message.
SPOILED_MAX = 100
_OTHER_CURRENCY = {0: ("JPY", "KRW"), 2: ("EUR", "USD"), 3: ("KWD", "BHD")}
#: What a wrong conversion leaves, in basis points.
_CONVERTED, _RATE = 9_800, "0.98"


class Planned(Struct, frozen=True):
    """A rule that may spoil lines of a statement."""

    rule_id: str
    rule: FaultRule


class Drawn(Struct, frozen=True):
    """A line to be stated, and where it stands in the truth."""

    line: StatementLine
    seq: int
    offset: int


@dataclass(slots=True)
class Spoiled:
    """The lines as they are stated, and what was done to them."""

    lines: list[StatementLine] = field(default_factory=list)
    injected: list[Injected] = field(default_factory=list)
    carried: list[Carried] = field(default_factory=list)


def planned(faults: Mapping[str, FaultRule]) -> list[Planned]:
    """The rules that touch statements, oldest first."""
    return [
        Planned(rule_id, rule)
        for rule_id, rule in faults.items()
        if rule.deed == DEED and rule.operation in ("statement", "*")
    ]


def spoil(drawn: list[Drawn], plan: list[Planned], seed: int) -> Spoiled:
    """State these lines, spoiled as the plan says: each rule takes the first lines that it fits
    and that no other rule has taken."""
    kinds: dict[int, tuple[str, str]] = {}  # place -> (rule id, kind)
    for one in plan:
        left = one.rule.count or 1
        for place, line in enumerate(drawn):
            if not left or len(kinds) >= SPOILED_MAX:
                break
            if place not in kinds and _touches(one, line.line, seed):
                kinds[place] = one.rule_id, one.rule.argument
                left -= 1
    made, added = Spoiled(), list[StatementLine]()
    for place, line in enumerate(drawn):
        rule_id, kind = kinds.get(place, ("", ""))
        _state(line, kind, made, added)
        if kind:
            made.injected.append(Injected(rule_id, kind, line.seq))
    made.lines += added
    return made


def _state(drawn: Drawn, kind: str, made: Spoiled, added: list[StatementLine]) -> None:
    line = drawn.line
    if kind == "late":
        made.carried.append(Carried(drawn.seq, drawn.offset))
    if kind in ("late", "missing_theirs"):
        return
    made.lines.append(_CHANGED[kind](line) if kind in _CHANGED else line)
    if kind in _ADDED:
        added.append(_ADDED[kind](line))


def _touches(one: Planned, line: StatementLine, seed: int) -> bool:
    subject = Subject(
        operation="statement",
        reference=line.reference,
        merchant_id=line.merchant_id,
        payment_id=line.payment_id,
        token=None,
        amount=line.gross,
        is_documented=False,
    )
    rules = {one.rule_id: one.rule}
    return line.type == CAPTURE and choose(rules, subject, seed, (DEED,)) is not None


def _less(line: StatementLine) -> StatementLine:
    """A five-hundredth is missing, a minor unit at least."""
    missing = max(1, line.gross // 500)
    return structs.replace(line, gross=line.gross - missing, net=line.net - missing)


def _other_currency(line: StatementLine) -> StatementLine:
    usual, other = _OTHER_CURRENCY[exponent(line.currency)]
    return structs.replace(line, currency=other if line.currency == usual else usual)


def _dearer(line: StatementLine) -> StatementLine:
    more = max(1, line.fee // 10)
    return structs.replace(line, fee=line.fee + more, net=line.net - more)


def _converted(line: StatementLine) -> StatementLine:
    net = half_even(line.gross, _CONVERTED) - line.fee
    return structs.replace(line, rate=_RATE, net=net)


def _misplaced(line: StatementLine) -> StatementLine:
    return structs.replace(line, batch_id=f"{line.batch_id[:-2]}99")


def _taken_back(line: StatementLine) -> StatementLine:
    return structs.replace(line, type=TAKEN_BACK, gross=0, fee=0, net=0)


def _invented(line: StatementLine) -> StatementLine:
    made_up = hashlib.sha256(f"{line.batch_id}:{line.reference}".encode()).hexdigest()[:16]
    return structs.replace(
        line,
        provider_reference=_named(line, "pc", made_up),
        reference=f"pi_{made_up}.1",
        operation_id=f"cap_{made_up}",
    )


def _named(line: StatementLine, prefix: str, made_up: str) -> str:
    """As the provider names what it did: A's names begin with what they are."""
    return made_up.upper() if line.provider == "providerB" else f"{prefix}_{made_up}"


def _again(line: StatementLine) -> StatementLine:
    return line


def _refunded(line: StatementLine) -> StatementLine:
    return _back(line, REFUND, "re")


def _charged_back(line: StatementLine) -> StatementLine:
    return _back(line, CHARGEBACK, "cb")


def _back(line: StatementLine, kind: str, prefix: str) -> StatementLine:
    invented = _invented(line).operation_id.partition("_")[2]
    return structs.replace(
        line,
        type=kind,
        provider_reference=_named(line, prefix, invented),
        operation_id=f"{prefix}_{invented}",
        gross=-line.gross,
        fee=0,
        net=-line.gross,
    )


_CHANGED: dict[str, Callable[[StatementLine], StatementLine]] = {
    "amount": _less,
    "currency": _other_currency,
    "fee": _dearer,
    "fx": _converted,
    "wrong_batch": _misplaced,
    "wrong_state": _taken_back,
}
_ADDED: dict[str, Callable[[StatementLine], StatementLine]] = {
    "missing_ours": _invented,
    "duplicate": _again,
    "refund": _refunded,
    "chargeback": _charged_back,
}
