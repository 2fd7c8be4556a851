"""Fault rules: drills as data, as people write them; and the check of one, which names every field
that is wrong at once.

Never: repeats a value that was sent; a rule may hold anything, a card number too.
"""

import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from payrail.errors import RequestError

#: A drill has a handful of rules; whoever reaches this forgot to clear.
RULES_MAX = 100
COUNT_MAX = 1_000_000
SLOW_MS_MAX = 3_600_000
LATE_WEBHOOK_S_MAX = 7 * 86_400
AMOUNT_MAX = 99_999_999

MONEY_OPERATIONS = ("authorize", "capture", "refund", "reverse")
OPERATIONS = (*MONEY_OPERATIONS, "status", "webhook", "statement", "*")

_CALLS = (*MONEY_OPERATIONS, "status", "*")
_MONEY = (*MONEY_OPERATIONS, "*")
_WEBHOOK = ("webhook", "*")
_STATEMENT = ("statement", "*")
_MISMATCH = (
    r"missing_ours|missing_theirs|amount|currency|fee|fx|duplicate|late|wrong_batch|wrong_state"
    r"|refund|chargeback"
)

# What may be done, to what, and what may stand behind its colon. A pair not here is refused.
_DEEDS: dict[str, tuple[tuple[str, ...], str | None]] = {
    "down": (_CALLS, None),
    "error": (_CALLS, None),
    "http": (_CALLS, r"500|502|504"),
    "reset": (_CALLS, None),
    "garbage": (_CALLS, None),
    "hang": (_CALLS, None),
    "approve_then_hang": (_MONEY, None),
    "slow": (_MONEY, r"[1-9][0-9]{0,6}"),
    "decline": (_MONEY, r"[a-z][a-z0-9_]{0,39}"),
    "wrong_amount": (_MONEY, None),
    "duplicate_webhook": (_WEBHOOK, None),
    "late_webhook": (_WEBHOOK, r"[1-9][0-9]{0,5}"),
    "early_webhook": (_WEBHOOK, None),
    "reorder_webhooks": (_WEBHOOK, None),
    "settlement_mismatch": (_STATEMENT, _MISMATCH),
}
_ARGUMENT_MAX = {"slow": SLOW_MS_MAX, "late_webhook": LATE_WEBHOOK_S_MAX}
_FIELDS = ("operation", "do", "count", "probability", "match", "fence")
_MATCH = {
    "merchant": re.compile(r"m_[A-Za-z0-9_-]{1,60}"),
    "payment": re.compile(r"pi_[A-Za-z0-9_-]{1,60}"),
    "token": re.compile(r"tok_[A-Za-z0-9_-]{1,64}"),
}


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


def parse_rule(given: Mapping[str, Any]) -> FaultRule:
    """The rule that `given` says. Raises RequestError 422, naming every field that is wrong."""
    wrong = _Wrong()
    for name in given:
        if name not in _FIELDS:
            wrong.add(name if re.fullmatch(r"[a-z_]{1,20}", name) else "?", "is not known")
    operation = given.get("operation")
    if operation not in OPERATIONS:
        wrong.add("operation", f"must be one of {', '.join(OPERATIONS)}")
    rule = FaultRule(
        operation=str(operation),
        do=_do(given.get("do"), str(operation), wrong),
        count=_whole(given.get("count"), COUNT_MAX, "count", wrong),
        probability=_probability(given.get("probability"), wrong),
        match=_match(given.get("match"), wrong),
        fence=_fence(given.get("fence", True), wrong),
    )
    wrong.must_be_empty()
    return rule


def operations_of(deed: str) -> tuple[str, ...]:
    """What a deed may be done to."""
    return _DEEDS[deed][0]


class _Wrong:
    """Collects what is wrong with a rule. Never holds a value that was sent."""

    def __init__(self) -> None:
        self._errors: list[dict[str, str]] = []

    def add(self, field: str, message: str) -> None:
        self._errors.append({"field": field, "message": message})

    def must_be_empty(self) -> None:
        if self._errors:
            detail = "This is not a fault rule."
            raise RequestError(422, "validation-error", detail, errors=self._errors)


def _do(value: Any, operation: str, wrong: _Wrong) -> str:
    text = value if isinstance(value, str) else ""
    deed, colon, argument = text.partition(":")
    if deed not in _DEEDS:
        wrong.add("do", f"must be one of {', '.join(_DEEDS)}")
        return text
    operations, pattern = _DEEDS[deed]
    if operation in OPERATIONS and operation not in operations:
        wrong.add("do", f"{deed} goes with operation {', '.join(operations)}")
    if (pattern is None) == bool(colon):
        wrong.add("do", f"{deed} takes {'no argument' if pattern is None else 'an argument'}")
    elif pattern is not None and not re.fullmatch(pattern, argument):
        wrong.add("do", f"the argument of {deed} must read as {pattern}")
    elif deed in _ARGUMENT_MAX and int(argument) > _ARGUMENT_MAX[deed]:
        wrong.add("do", f"the argument of {deed} is at most {_ARGUMENT_MAX[deed]}")
    return text


def _whole(value: Any, most: int, field: str, wrong: _Wrong) -> int | None:
    if value is None:
        return None
    if type(value) is int and 1 <= value <= most:
        return value
    wrong.add(field, f"must be a whole number from 1 to {most}, or null")
    return None


def _probability(value: Any, wrong: _Wrong) -> float | None:
    if value is None:
        return None
    if type(value) in (int, float) and 0 <= value <= 1:
        return float(value)
    wrong.add("probability", "must be a number from 0 to 1")
    return None


def _fence(value: Any, wrong: _Wrong) -> bool:
    if type(value) is not bool:
        wrong.add("fence", "must be true or false")
    return value is not False


def _match(value: Any, wrong: _Wrong) -> Match | None:
    if value is None:
        return None
    if not isinstance(value, dict) or not value.keys() <= {*_MATCH, "amount"}:
        wrong.add("match", "takes merchant, payment, token and amount")
        return None
    for name, pattern in _MATCH.items():
        text = value.get(name)
        if text is not None and not (isinstance(text, str) and pattern.fullmatch(text)):
            wrong.add(f"match.{name}", "must be an id of ours")
    _whole(value.get("amount"), AMOUNT_MAX, "match.amount", wrong)
    return Match(**value)
