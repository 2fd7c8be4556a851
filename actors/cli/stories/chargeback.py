"""chargeback: a cardholder takes the money back; it is lost, won and lost again by saying nothing.

Three payments with the same card: one answered badly, one answered well, one not at all. In the end
every line of the statements is matched, and the books sum to zero.
"""

import json
from collections import Counter
from typing import Any

from actors.cli.shop import Answer, Shop
from actors.cli.stories import Checks
from actors.cli.stories.cards import MERCHANT, disputed_card, order
from actors.cli.stories.houses import House, own_house, until_seen
from payrail.domain.books import DISPUTES_BOOK, LEDGER_BOOK, REFUNDS_BOOK
from payrail.domain.dispute_terms import dispute_fee
from payrail.domain.settlement.places import NEWEST

AMOUNT, FEE = 5_000, dispute_fee("USD")
DISPUTED, RECEIVABLE = "asset:providerA:disputed", "asset:providerA:receivable"
HOLD = f"liability:{MERCHANT}:dispute_hold"
#: Half a year passes: its jobs need not run at each hour of it: the story orders them at its end.
RARELY = {"PAYRAIL_SETTLE_EVERY": "24h", "PAYRAIL_RECONCILE_EVERY": "24h"}
#: What the statements hold: three captures and chargebacks, two answers, and one that is won.
MOVEMENTS = 9
LEDGERS = (LEDGER_BOOK, REFUNDS_BOOK, DISPUTES_BOOK)


async def play(checks: Checks) -> None:
    async with own_house(RARELY) as house, house.shop() as shop:
        table = _Table(checks, house, shop)
        await _lost(table)
        await _won(table)
        await _expired(table)
        await _settled(table)


class _Table:
    """What each round needs: the checks, the house, its shop and a name for each order."""

    def __init__(self, checks: Checks, house: House, shop: Shop) -> None:
        self.that, self.house, self.shop = checks.that, house, shop
        self._orders = 0

    async def post(self, path: str, body: Any) -> Answer:
        self._orders += 1
        key = f"chargeback-{self._orders}"
        return await self.shop.keep_posting("dispute", MERCHANT, path, body, key)

    async def get(self, path: str) -> dict[str, Any]:
        return (await self.shop.get(MERCHANT, path)).body

    async def advance(self, duration: str) -> None:
        code, text = await self.house.payrail("clock", "advance", duration)
        self.that(f"`payrail clock advance {duration}`", code == 0, text)

    async def disputed(self) -> tuple[str, str]:
        """A payment that its cardholder disputes; result: its id and the dispute's."""
        token = await self.shop.tokenize(MERCHANT, disputed_card())
        body = {**order(token, AMOUNT), "confirm": True, "capture_method": "automatic"}
        paid = await self.post("/payment-intents", body)
        at_a = (paid.status, paid.body.get("state"), paid.body.get("provider"))
        self.that(f"{AMOUNT} paid with the card", at_a == (201, "captured", "providerA"), at_a)
        payment_id = str(paid.body.get("id"))
        await self.advance("2m")
        found = await until_seen(lambda: self._dispute_of(payment_id))
        self.that("the provider's webhook brings a dispute", found, found)
        return payment_id, str((found or {}).get("id"))

    async def state(self, dispute_id: str, wanted: str) -> dict[str, Any]:
        """The dispute, once it is in that state or when waiting for it was in vain."""

        async def look() -> dict[str, Any] | None:
            shown = await self.get(f"/disputes/{dispute_id}")
            return shown if shown.get("state") == wanted else None

        return await until_seen(look) or await self.get(f"/disputes/{dispute_id}")

    async def submitted(self, dispute_id: str, text: str) -> None:
        path = f"/disputes/{dispute_id}"
        given = await self.post(f"{path}/evidence", {"evidence": {"usage_log": text}})
        self.that(f"`{text}` is taken as evidence", given.status == 200, given.data)
        sent = await self.post(f"{path}/submit", {})
        state = (sent.status, sent.body.get("state"))
        self.that("submitted, it is under_review", state == (200, "under_review"), sent.data)

    def entries(self, dispute_id: str) -> list[dict[str, Any]]:
        return [line for line in self.house.lines(DISPUTES_BOOK) if line["ref"] == dispute_id]

    def balance(self) -> Counter[str]:
        """By account, in US cents, as all files of the ledger say."""
        sums: Counter[str] = Counter()
        for path in LEDGERS:
            for line in self.house.lines(path):
                for row in line["postings"]:
                    sums[row["account"]] += row["amount"]
        return sums

    async def _dispute_of(self, payment_id: str) -> dict[str, Any] | None:
        rows = (await self.get(f"/disputes?payment_intent={payment_id}")).get("data") or [None]
        found: dict[str, Any] | None = rows[0]
        return found


async def _lost(table: _Table) -> None:
    payment_id, dispute_id = await table.disputed()
    opened = table.entries(dispute_id)[0]
    by_notice = opened["causation_id"].startswith("frontdoor>gateway:")
    table.that("dispute.opened came by webhook", by_notice, opened["causation_id"])
    moved = Counter[str]()
    for row in opened["postings"]:
        moved[row["account"]] += row["amount"]
    table.that("with postings and the fee", (moved[DISPUTED], moved[RECEIVABLE], moved[HOLD])
               == (AMOUNT, -AMOUNT - FEE, -AMOUNT), dict(moved))  # fmt: skip
    payment = await table.get(f"/payment-intents/{payment_id}")
    seen = payment.get("state"), payment.get("amount_disputed")
    table.that(f"still captured, amount_disputed {AMOUNT}", seen == ("captured", AMOUNT), seen)
    asked = {"payment_intent": payment_id, "amount": 100, "reason": "sent back"}
    refused = await table.post("/refunds", asked)
    code = refused.status, refused.code
    table.that("a refund is 409 dispute-open", code == (409, "dispute-open"), refused.data)
    await table.submitted(dispute_id, "losing_evidence")
    second = await table.post(f"/disputes/{dispute_id}/submit", {})
    table.that("a second submit is 409", second.status == 409, second.data)
    await table.advance("75d")
    shown = await table.state(dispute_id, "lost")
    types = [line["type"] for line in table.entries(dispute_id)]
    table.that("dispute.lost", types[-1] == "dispute.lost", types)
    table.that("it was defended", shown.get("closed_reason") == "defended", shown)
    payment = await table.get(f"/payment-intents/{payment_id}")
    table.that("the payment is a chargeback", payment.get("state") == "chargeback", payment)
    table.that(f"{DISPUTED} is 0", table.balance()[DISPUTED] == 0, table.balance())


async def _won(table: _Table) -> None:
    before = table.balance()
    _, dispute_id = await table.disputed()
    await table.submitted(dispute_id, "winning_evidence")
    held = table.balance()
    await table.advance("75d")
    shown = await table.state(dispute_id, "won")
    table.that("again with winning_evidence: won", shown.get("state") == "won", shown)
    returned = {fee["kind"]: fee["returned"] for fee in shown.get("fees", [])}
    counter = returned == {"received": False, "countered": True}
    table.that("the counter fee comes back, the first one stays", counter, returned)
    after = [line for line in table.entries(dispute_id) if line["type"] == "dispute.won"]
    back = sum(r["amount"] for e in after for r in e["postings"] if r["account"] == RECEIVABLE)
    table.that("the money comes back", back == AMOUNT + FEE, (held, table.balance()))
    nothing = table.balance()[DISPUTED], table.balance()[HOLD]
    table.that("nothing is held any more", nothing == (before[DISPUTED], before[HOLD]), nothing)


async def _expired(table: _Table) -> None:
    _, dispute_id = await table.disputed()
    await table.advance("19d")
    shown = await table.state(dispute_id, "lost")
    end = shown.get("state"), shown.get("closed_reason")
    table.that("again with no evidence: lost, expired", end == ("lost", "expired"), shown)
    code, text = await table.house.payrail("why", dispute_id)
    table.that("`payrail why` tells how it came", code == 0 and "dispute.lost" in text, text)


async def _settled(table: _Table) -> None:
    for verb in ("settle", "reconcile"):
        code, text = await table.house.payrail(verb)
        table.that(f"`payrail {verb}`", code == 0, text)
    reports = sorted((table.house.home / NEWEST).parent.glob("*_????-??-??.json"))
    broken = [name for path in reports if (name := _broken(json.loads(path.read_bytes())))]
    table.that("all lines are matched, on every day", reports and not broken, broken)
    matched = sum(json.loads(path.read_bytes())["counts"]["matched"] for path in reports)
    table.that(f"{MOVEMENTS} movements of money were", matched == MOVEMENTS, matched)
    code, text = await table.house.payrail("ledger", "balance", "--json")
    trial = json.loads(text)["trial_balance"] if code == 0 else {}
    table.that("the trial balance is zero", trial and not any(trial.values()), text)
    cases = (await table.get("/cases?state=open")).get("data")
    table.that("no case was needed", cases == [], cases)
    code, text = await table.house.payrail("verify")
    table.that("`payrail verify` finds nothing", code == 0, text)


def _broken(report: dict[str, Any]) -> str:
    counts = report["counts"]
    wrong = {name: n for name, n in counts.items() if name not in ("matched", "expected") and n}
    return f"{report['date']}: {wrong}" if wrong or report["breaks"] else ""
