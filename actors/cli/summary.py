"""What a run of payments came to: tables by state and currency, and how long answers took."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

from actors.cli.payments import Done
from payrail.domain.money import format_minor

_OPERATIONS = ("tokenize", "create", "authorize", "capture", "cancel", "read")


def print_summary(
    console: Console, done: Sequence[Done], latency_ms: Mapping[str, list[float]]
) -> None:
    """Both tables, and every payment that did not end as planned."""
    console.print(_states(done))
    console.print(_latencies(latency_ms))
    for one in done:
        if one.wrong:
            console.print(f"not as planned: {one.payment_id or 'a payment'} {one.wrong}")


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of all values do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def _states(done: Sequence[Done]) -> Table:
    counts: Counter[tuple[str, str]] = Counter()
    sums: defaultdict[tuple[str, str], int] = defaultdict(int)
    for one in done:
        place = (one.state, one.plan.currency)
        counts[place] += 1
        sums[place] += one.plan.amount_minor
    table = Table("state", "currency", title=f"{len(done)} payments")
    table.add_column("count", justify="right")
    table.add_column("amount", justify="right")
    for state, currency in sorted(counts):
        place = (state, currency)
        table.add_row(state, currency, str(counts[place]), format_minor(sums[place], currency))
    return table


def _latencies(latency_ms: Mapping[str, list[float]]) -> Table:
    table = Table("operation", title="answers, in ms")
    for name in ("count", "p50", "p99"):
        table.add_column(name, justify="right")
    for operation in _OPERATIONS:
        if values := latency_ms.get(operation):
            p50, p99 = percentile(values, 0.50), percentile(values, 0.99)
            table.add_row(operation, str(len(values)), f"{p50:.1f}", f"{p99:.1f}")
    return table
