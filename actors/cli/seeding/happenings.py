"""What happens to the whole house on some days: spoiled statements, payouts, and who judges breaks.

A break is injected before its day's batches close. Later on some are proposed by one person and
approved by another, as many of each class as the plan says; the rest stays open.
"""

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from actors.cli.doors import ask
from actors.cli.scenes import must_be_answered
from actors.cli.seeding.found import HOUSE
from actors.cli.seeding.tally import Tally
from actors.cli.shop import Answer, Shop
from payrail.domain.synthetic import Plan, PlannedBreak, PlannedPayout

#: Reports younger than this are looked through for breaks that are new; older ones were.
_DAYS_BACK = 3
_LOOKS_MAX, _LOOK_S = 600, 0.2
_RUNNING = 202
_ENDS = {"paid": ("paid",), "failed": ("failed",), "returned": ("paid", "failed")}


class Happenings:
    """Those of one plan at one house. `inner`: URL and secret of the providers' own door."""

    def __init__(
        self,
        shop: Shop,
        plan: Plan,
        names: Mapping[str, str],
        inner: tuple[str, str],
        tally: Tally,
    ) -> None:
        """`names`: from the plan's merchants to the house's."""
        self._shop, self._plan, self._tally = shop, plan, tally
        self._names, self._inner = names, inner
        self._judged: Counter[str] | None = None  # posted breaks by class, once it was looked
        self.since = ""  # the first business day whose reports count

    async def spoil(self, breaks: Sequence[PlannedBreak], captured_at: Collection[str]) -> None:
        """Have the providers spoil these, unless they are told already: at a provider that has
        something to state, the planned one or another."""
        for planned in breaks:
            where = sorted(captured_at, key=lambda name: (name != planned.provider, name))
            rule, path = dict(planned.rule), f"/providers/{where[0]}/inject-failure"
            if not await self._is_told(where[0], rule):
                answer = await self._shop.keep_posting("inject", HOUSE, path, rule, None)
                must_be_answered(answer, "inject")

    async def _is_told(self, provider: str, rule: dict[str, Any]) -> bool:
        url, secret = self._inner
        path = f"{url}/providers/{provider}/faults"
        status, shown = await asyncio.to_thread(ask, "GET", path, key=secret)
        rules = shown.get("data", ()) if status == 200 and isinstance(shown, dict) else ()
        return any(rule.items() <= one.items() for one in rules)

    async def pay_out(self, day: int) -> None:
        """Pay merchants out by hand, and have their bank say what the plan says."""
        for planned in self._plan.payouts(day):
            await self._paid_out(planned)

    async def _paid_out(self, planned: PlannedPayout) -> None:
        merchant = self._names.get(planned.merchant_id, planned.merchant_id)
        key = f"seed-{self._plan.seed:_}-payout-{planned.day}"
        body = {"currency": planned.currency}
        if planned.outcome not in _ENDS and await self._newest(HOUSE, ("in_transit",)):
            return  # It is about one that is on its way, and there is one.
        made = await self._shop.keep_posting("payout", merchant, "/payouts", body, key)
        must_be_answered(made, "payout")
        payout_id = made.body.get("id") or await self._another(merchant, planned)
        if not payout_id:
            self._tally.skipped["payout"] += 1
            return
        self._tally.deeds["payout"] += 1
        for outcome in _ENDS.get(planned.outcome, ()):
            path, ruled = f"/payouts/{payout_id}/resolve", {"outcome": outcome}
            answer = await self._shop.keep_posting(
                "payout", merchant, path, ruled, f"{key}-{outcome}"
            )
            must_be_answered(answer, "payout")

    async def _another(self, merchant: str, planned: PlannedPayout) -> str:
        """What is available was paid out in the morning: one of those, or one of today's money."""
        if planned.outcome not in _ENDS:
            return await self._paid_of_today(planned.day)
        states = ("in_transit",) if planned.outcome == "paid" else ("in_transit", "paid")
        return await self._newest(merchant, states)

    async def _newest(self, merchant: str, states: tuple[str, ...]) -> str:
        """The youngest payout in one of these states, of the last hundred."""
        listed = await self._shop.keep_getting(merchant, "/payouts?limit=100")
        must_be_answered(listed, "GET of payouts")
        rows = listed.body["data"]
        return next((str(row["id"]) for row in rows if row["state"] in states), "")

    async def _paid_of_today(self, day: int) -> str:
        """A payout of what was captured today, which is settled for that: nobody has been paid out
        since the morning."""
        await self.settle()
        await self.reconcile()
        balances = await self._shop.keep_getting(HOUSE, "/balances")
        must_be_answered(balances, "GET of balances")
        for row in balances.body["data"]:
            _, _, about = row["account"].partition("liability:")
            merchant, _, kind = about.partition(":")
            if kind != "available" or row["amount"] <= 0:
                continue
            key = f"seed-{self._plan.seed:_}-payout-{day}-{merchant}-{row['currency']}"
            body = {"currency": row["currency"]}
            made = await self._shop.keep_posting("payout", merchant, "/payouts", body, key)
            must_be_answered(made, "payout")
            if made.body.get("id"):
                return str(made.body["id"])
        return ""

    async def settle(self) -> Answer:
        """Close what is open at the providers."""
        return await self._run("/settlements")

    async def reconcile(self) -> Answer:
        """Reconcile what has been closed, as the hourly job does."""
        return await self._run("/reconciliations")

    async def _run(self, path: str) -> Answer:
        """A run of the reconciler, to its end."""
        for _ in range(_LOOKS_MAX):
            answer = await self._shop.keep_posting("settle", HOUSE, path, {}, None)
            if answer.status != _RUNNING:
                break
            await asyncio.sleep(_LOOK_S)
        must_be_answered(answer, f"POST {path}")
        return answer

    async def judge(self, day: int, today: str) -> None:
        """Have two people post what the plan wants posted of the breaks that are there."""
        past = (one for past in range(day + 1) for one in self._plan.breaks(past))
        wanted = Counter(one.kind for one in past if one.judged)
        if not wanted:
            return
        first = self._judged is None
        since = date.fromisoformat(today) - timedelta(days=_DAYS_BACK)
        found = await self.breaks_since(self.since if first else since.isoformat())
        judged = self._judged = self._judged or Counter(o["class"] for o in found if is_posted(o))
        for one in found:
            is_wanted = judged[one["class"]] < wanted[one["class"]]
            if is_wanted and one["merchant_id"] and not is_posted(one) and await self._post(one):
                judged[one["class"]] += 1

    async def breaks_since(self, since: str) -> list[dict[str, Any]]:
        """Breaks of the reports from that day on, oldest first."""
        listed = await self._shop.keep_getting(HOUSE, "/reconciliations")
        must_be_answered(listed, "GET of reconciliations")
        dates = sorted(row["date"] for row in listed.body["data"] if row["date"] >= since)
        found: list[dict[str, Any]] = []
        for one in dates:
            report = await self._shop.keep_getting(HOUSE, f"/reconciliations/{one}")
            must_be_answered(report, "GET of a report")
            found += [{**row, "date": one} for row in report.body["breaks"]]
        return found

    async def _post(self, found: dict[str, Any]) -> bool:
        """Propose as one, approve as another; whether it is booked."""
        path = f"/reconciliations/{found['date']}/breaks/{found['n']}"
        merchant = found["merchant_id"]
        for verb, role in (("propose", ""), ("approve", "approver")):
            answer = await self._shop.keep_posting(
                "break", merchant, f"{path}/{verb}", {}, None, role=role
            )
            must_be_answered(answer, f"break {verb}")
            if answer.status != 200:
                self._tally.skipped["break"] += 1
                return False
        self._tally.deeds["break"] += 1
        return True


def is_posted(found: dict[str, Any]) -> bool:
    resolution = found["resolution"]
    return resolution is not None and resolution["status"] == "booked"
