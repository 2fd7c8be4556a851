"""`seed --dry-run`: show a made-up world and its plan without a house.

`--jsonl` is for plans of any size: one payment a line, as it is made, none of them kept.
Never: shows more of a card than brand, BIN and last four digits.
"""

import sys
from collections import Counter
from typing import Any

from actors.cli.common import put_table
from payrail.domain.synthetic import (
    Plan,
    SeededPayment,
    outlook,
    shown_card,
    shown_payment,
    world,
)

#: A world that is shown as one object is held in memory.
WORLD_PAYMENTS_MAX = 50_000
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


def put_counts(plan: Plan) -> None:
    """How many payments there are of each pattern, and the states in which they are foreseen to
    end, with their refunds and disputes; then the breaks by kind."""
    counts: Counter[tuple[str, str]] = Counter()
    for payment in plan.stream():
        end = outlook(payment, plan.days)
        counts["pattern", payment.pattern] += 1
        counts["payment", end.payment] += 1
        counts.update(("refund", state) for state in end.refunds)
        counts.update(("dispute", state) for state in end.disputes)
    days = range(plan.days)
    counts.update(("break", one.kind) for day in days for one in plan.breaks(day))
    counts.update(("payout", one.outcome) for day in days for one in plan.payouts(day))
    put_table(
        ("what", "which", "count"), [(*what, count) for what, count in sorted(counts.items())]
    )


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
