"""How a seeded house stands: its payments by state and currency, and what came of the rest.

Payments are those of the seed; refunds, disputes and payouts are the house's, and so are the breaks
since the plan's first day.
"""

from collections import Counter
from dataclasses import dataclass, field

from actors.cli.seeding.found import pages
from actors.cli.seeding.happenings import Happenings, is_posted
from actors.cli.shop import Shop

#: Lists of the house, by name.
LISTS = ("refunds", "disputes", "payouts")
Key = tuple[str, str]  # state, currency


@dataclass(slots=True)
class Ends:
    """Counts, and sums in minor units."""

    payments: int = 0
    counts: Counter[Key] = field(default_factory=Counter)
    totals: Counter[Key] = field(default_factory=Counter)
    lists: dict[str, Counter[str]] = field(default_factory=dict)  # list: state: how many
    breaks: Counter[str] = field(default_factory=Counter)  # by class
    posted: Counter[str] = field(default_factory=Counter)

    @property
    def settled(self) -> int:
        """Payments that are settled."""
        return sum(count for (state, _), count in self.counts.items() if state == "settled")


async def seen(shop: Shop, prefix: str, happenings: Happenings) -> Ends:
    """Look at all of it. Raises Stop 75 when the house does not answer."""
    ends = Ends()
    async for rows in pages(shop, f"/payment-intents?q={prefix}"):
        for row in rows:
            if str(row["metadata"].get("order", "")).startswith(prefix):
                key = row["state"], row["currency"]
                ends.payments += 1
                ends.counts[key] += 1
                ends.totals[key] += row["amount"]
    for name in LISTS:
        ends.lists[name] = Counter()
        async for rows in pages(shop, f"/{name}"):
            ends.lists[name].update(row["state"] for row in rows)
    for one in await happenings.breaks_since(happenings.since):
        ends.breaks[one["class"]] += 1
        ends.posted[one["class"]] += is_posted(one)
    return ends
