"""`seed --dry-run`: show a made-up world and its plan without a house.

`--jsonl` is for plans of any size: one payment a line, as it is made, none of them kept.
Never: shows more of a card than brand, BIN and last four digits.
"""

import sys
from typing import Any

from payrail.domain.synthetic import Plan, SeededPayment, shown_card, shown_payment, world

#: Lines written at once: fewer calls, and a pipe that ends early is noticed soon.
_CHUNK = 500


def as_world(plan: Plan) -> dict[str, Any]:
    """The world and the plan for people and machines. For plans of thousands; all is kept."""
    from dataclasses import asdict

    small, payments = world(plan.seed), list(plan.stream())
    shops = [plan.world.merchant(number) for number in range(plan.merchants)]
    people = dict.fromkeys((*small.customers, *(one.customer for one in payments)))
    cards = {card.id: card for card in (*small.cards, *(one.card for one in payments))}
    return {
        "seed": plan.seed,
        "merchants": [asdict(one) for one in shops],
        "customers": [asdict(one) for one in people],
        "cards": [shown_card(card) for card in cards.values()],
        "payments": [shown_payment(one) for one in payments],
        "days": plan.days,
        "breaks": [asdict(one) for day in range(plan.days) for one in plan.breaks(day)],
        "payouts": [asdict(one) for day in range(plan.days) for one in plan.payouts(day)],
    }


def put_lines(plan: Plan, start: int = 0) -> None:
    """The payments from number `start` on, each as a line of JSON on stdout."""
    lines: list[bytes] = []
    out = sys.stdout.buffer
    for payment in plan.stream(start):
        lines.append(line_of(payment))
        if len(lines) == _CHUNK:
            out.writelines(lines)
            lines.clear()
    out.writelines(lines)
    out.flush()


def line_of(payment: SeededPayment) -> bytes:
    """One payment as a line: the same bytes wherever and whenever it is made."""
    import msgspec

    return msgspec.json.encode(shown_payment(payment)) + b"\n"
