"""What a seeded house looks like afterwards: tables for people, one object for machines."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from actors.cli.seeding.ends import Ends, Key
from actors.cli.seeding.tally import Tally
from actors.cli.settling import Settling
from payrail.domain.money import format_minor
from payrail.settings import Settings

#: In the order of a payment's life.
STATES = (
    *("created", "requires_action", "authorized", "captured", "settled", "chargeback"),
    *("declined", "reversed", "unknown", "none"),
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


def as_summary(
    chosen: Settings, seed: int, days: int, tally: Tally, ends: Ends, settling: Settling
) -> dict[str, Any]:
    """The end of a run for machines."""
    return {
        "seed": seed,
        "days": days,
        "payments": ends.payments,
        "new": tally.new,
        "states": {
            state: {"count": count, "totals": totals}
            for state, (count, totals) in _by_state(ends.counts, ends.totals).items()
        },
        "passed_through": dict(tally.passed),
        "providers": dict(tally.providers),
        "orders": {"given": dict(tally.deeds), "left_out": dict(tally.skipped)},
        **{name: dict(sorted(found.items())) for name, found in ends.lists.items()},
        "breaks": _breaks(tally, ends),
        "settlement": {"status": settling.status, "detail": settling.told},
        "not_as_planned_count": tally.wrong_count,
        "not_as_planned": tally.wrong,
        "where": {"home": str(chosen.home), "lines": list(LINES), "urls": _urls(chosen, tally)},
    }


def print_summary(
    console: Console, chosen: Settings, seed: int, tally: Tally, ends: Ends, settling: Settling
) -> None:
    """The end of a run for people."""
    title = f"{ends.payments} payments of seed {seed}"
    console.print(_states_table(title, ends.counts, ends.totals))
    _say(console, f"{tally.new} created now, {ends.payments - tally.new} were there already")
    _say(console, f"passed through: {_listed(tally.passed)}")
    for name, found in ends.lists.items():
        _say(console, f"{name}: {_listed(found)}")
    if ends.breaks:
        console.print(_breaks_table(tally, ends))
    _say(console, f"orders given: {_listed(tally.deeds)}; left out: {_listed(tally.skipped)}")
    _say(console, f"settlement: {settling.told}")
    _print_wrong(console, tally)
    _say(console, f"\nWhere to look, in {chosen.home}:")
    for line in (*LINES, *_urls(chosen, tally)):
        console.print(f"  {line}", highlight=False, markup=False, soft_wrap=True)


def print_so_far(console: Console, tally: Tally, day: int) -> None:
    """What was done when somebody ended a run."""
    console.print(_states_table(f"ended on day {day}", tally.states, tally.amounts))
    _say(console, f"{tally.new} payments were created, orders given: {_listed(tally.deeds)}")
    _print_wrong(console, tally)
    _say(console, "The same command once more goes on from here.")


def _print_wrong(console: Console, tally: Tally) -> None:
    for one in tally.wrong:
        _say(console, f"not as planned: {one['key']} {one['payment_id']} {one['wrong']}")
    if tally.wrong_count > len(tally.wrong):
        _say(console, f"… and {tally.wrong_count - len(tally.wrong)} more")


def _states_table(title: str, counts: Counter[Key], totals: Counter[Key]) -> Table:
    table = Table("state", title=title)
    table.add_column("count", justify="right")
    currencies = sorted({currency for _, currency in counts})
    for currency in currencies:
        table.add_column(currency, justify="right")
    for state, (count, sums) in _by_state(counts, totals).items():
        texts = (format_minor(sums[one], one) if one in sums else "" for one in currencies)
        table.add_row(state, str(count), *(text.rpartition(" ")[0] for text in texts))
    return table


def _breaks_table(tally: Tally, ends: Ends) -> Table:
    table = Table("break", title="breaks")
    for name in ("planned", "found", "posted"):
        table.add_column(name, justify="right")
    for name, row in _breaks(tally, ends).items():
        table.add_row(name, *(str(row[column]) for column in ("planned", "found", "posted")))
    return table


def _breaks(tally: Tally, ends: Ends) -> dict[str, dict[str, int]]:
    names = sorted({*ends.breaks, *tally.planned_breaks})
    return {
        name: {
            "planned": tally.planned_breaks[name],
            "found": ends.breaks[name],
            "posted": ends.posted[name],
        }
        for name in names
    }


def _by_state(
    counts: Mapping[Key, int], totals: Mapping[Key, int]
) -> dict[str, tuple[int, dict[str, int]]]:
    """State: how many payments, and the sum of their amounts in minor units by currency."""
    by_state: defaultdict[str, dict[str, int]] = defaultdict(dict)
    sums: Counter[str] = Counter()
    for (state, currency), count in sorted(counts.items()):
        sums[state] += count
        by_state[state][currency] = totals[state, currency]
    order = sorted(sums, key=lambda state: (*STATES, state).index(state))
    return {state: (sums[state], by_state[state]) for state in order}


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "none"


def _urls(chosen: Settings, tally: Tally) -> list[str]:
    """Pages that open in a browser: the API's own answers want a key."""
    pages = f"{chosen.console_url}/payments"
    shown = [f"{pages}/{tally.example}"] if tally.example else []
    return [f"{pages}?state=unknown", *shown, f"{chosen.api_url}/docs"]


def _say(console: Console, text: str) -> None:
    console.print(text, highlight=False, markup=False)
