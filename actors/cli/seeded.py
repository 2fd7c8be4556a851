"""What a seeded house looks like afterwards: states with their sums, and where to look.

Never: shows more of a card than brand, BIN and last four digits.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from actors.cli.scenes import Played
from actors.cli.settling import Settling
from payrail.domain.money import format_minor
from payrail.domain.synthetic import SmallWorld, SyntheticCard, seed_plan, world
from payrail.settings import Settings

#: In the order of a payment's life.
STATES = (
    *("created", "requires_action", "authorized", "captured", "settled", "declined"),
    *("reversed", "unknown", "none"),
)

#: Joins each payment to the request that created it, by correlation id.
REQUESTS = (
    """jq -sc 'INDEX(.[] | select(.path == "/payment-intents"); .correlation_id) as $asked"""
    """ | .[] | select(.type == "payment.created")"""
    """ | [.ref, ($asked[.correlation_id] | .method, .path, .status)]'"""
    """ data/logs/frontdoor.jsonl data/ledger/payments.jsonl"""
)
LINES = (
    """jq -c '[.ref, .type, .amount, .currency]' data/ledger/payments.jsonl | tail""",
    """jq -c 'select(.type == "payment.unknown") | [.ref, .data]' data/ledger/payments.jsonl""",
    REQUESTS,
    """tail -qF mailboxes/gateway/*.jsonl | jq -cR 'fromjson? | [.sent_at, .from, .kind, .key]'""",
)


def as_world(seed: int, payments: int) -> dict[str, Any]:
    """The world and the plan of a seed for people and machines, without a card number."""
    from dataclasses import asdict

    made_up = world(seed)
    return {
        "seed": seed,
        "merchants": [asdict(one) for one in made_up.merchants],
        "customers": [asdict(one) for one in made_up.customers],
        "cards": _cards(made_up),
        "payments": [
            {
                "key": one.key,
                "scene": one.scene.name,
                "ends": one.scene.ends,
                "provider": one.scene.provider,
                "merchant_id": one.merchant_id,
                "customer": one.customer.id,
                "card": _card(one.card),
                "amount": one.amount_minor,
                "currency": one.currency,
                "decline_code": one.decline_code,
            }
            for one in seed_plan(seed, payments)
        ],
    }


def as_summary(
    chosen: Settings, seed: int, played: Sequence[Played], settling: Settling
) -> dict[str, Any]:
    """The end of a run for machines."""
    return {
        "seed": seed,
        "payments": len(played),
        "new": sum(one.is_new for one in played),
        "states": {
            state: {"count": count, "totals": totals}
            for state, (count, totals) in _states(played).items()
        },
        "passed_through": _passed(played),
        "providers": dict(Counter(one.provider or "none" for one in played)),
        "settlement": {"status": settling.status, "detail": settling.told},
        "not_as_planned": [
            {"key": one.plan.key, "payment_id": one.payment_id, "wrong": one.wrong}
            for one in played
            if one.wrong
        ],
        "where": {"home": str(chosen.home), "lines": list(LINES), "urls": _urls(chosen, played)},
    }


def print_summary(
    console: Console, chosen: Settings, seed: int, played: Sequence[Played], settling: Settling
) -> None:
    """The end of a run for people."""
    new = sum(one.is_new for one in played)
    console.print(_table(seed, played))
    console.print(f"{new} created now, {len(played) - new} were there already", highlight=False)
    passed = ", ".join(f"{state} {count}" for state, count in _passed(played).items())
    console.print(f"passed through: {passed}", highlight=False)
    console.print(f"settlement: {settling.told}", highlight=False)
    for one in played:
        if one.wrong:
            what = f"not as planned: {one.plan.key} {one.payment_id} {one.wrong}"
            console.print(what, highlight=False, markup=False)
    console.print(f"\nWhere to look, in {chosen.home}:", highlight=False, markup=False)
    for line in (*LINES, *_urls(chosen, played)):
        console.print(f"  {line}", highlight=False, markup=False, soft_wrap=True)


def _table(seed: int, played: Sequence[Played]) -> Table:
    table = Table("state", title=f"{len(played)} payments of seed {seed}")
    table.add_column("count", justify="right")
    currencies = sorted({one.plan.currency for one in played})
    for currency in currencies:
        table.add_column(currency, justify="right")
    for state, (count, totals) in _states(played).items():
        sums = (format_minor(totals[one], one) if one in totals else "" for one in currencies)
        table.add_row(state, str(count), *(text.rpartition(" ")[0] for text in sums))
    return table


def _states(played: Sequence[Played]) -> dict[str, tuple[int, dict[str, int]]]:
    """State: how many payments, and the sum of their amounts in minor units by currency."""
    counts = Counter(one.state for one in played)
    totals: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for one in played:
        totals[one.state][one.plan.currency] += one.plan.amount_minor
    order = sorted(counts, key=lambda state: (*STATES, state).index(state))
    return {state: (counts[state], dict(sorted(totals[state].items()))) for state in order}


def _passed(played: Sequence[Played]) -> dict[str, int]:
    """States in which no payment stands still, or not for long, by the entries that begin them."""
    return {
        "processing": sum("payment.attempt_started" in one.passed for one in played),
        "authorized": sum("payment.authorized" in one.passed for one in played),
        "captured": sum("payment.captured" in one.passed for one in played),
    }


def _urls(chosen: Settings, played: Sequence[Played]) -> list[str]:
    """Pages that open in a browser: the API's own answers want a key."""
    pages = f"{chosen.console_url}/payments"
    shown = [f"{pages}/{one.payment_id}" for one in played[:1]]
    return [f"{pages}?state=unknown", *shown, f"{chosen.api_url}/docs"]


def _cards(made_up: SmallWorld) -> list[dict[str, Any]]:
    return [_card(card) for card in made_up.cards]


def _card(card: SyntheticCard) -> dict[str, Any]:
    return {
        "id": card.id,
        "brand": card.brand,
        "bin": card.bin,
        "last4": card.last4,
        "exp_month": card.exp_month,
        "exp_year": card.exp_year,
        "country": card.country,
        "funding": card.funding,
    }
