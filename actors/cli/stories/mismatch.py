"""mismatch: a provider pays ten cents too little, and every one of them is accounted for.

Nine of ten payments settle; the tenth waits until two people have posted the difference.
"""

import json
from typing import Any

from actors.cli.shop import Answer, Shop
from actors.cli.stories import Checks
from actors.cli.stories.cards import MERCHANT, good_card, order
from actors.cli.stories.houses import House, own_house
from payrail.domain.books import LEDGER_BOOK
from payrail.domain.settlement.places import NEWEST

CAPTURES, AMOUNT = 10, 5_000
RULE = {"operation": "statement", "do": "settlement_mismatch:amount", "count": 1}
SUSPENSE = "asset:suspense:recon:providerA"


async def play(checks: Checks) -> None:
    async with own_house() as house, house.shop() as shop:
        payments = await _captured(checks, house, shop)
        broken = await _reconciled(checks, house)
        if broken is None:
            return
        await _nine_settled(checks, shop, payments, broken)
        await _posted(checks, house, shop, broken)
        await _again(checks, house)


async def _captured(checks: Checks, house: House, shop: Shop) -> list[str]:
    token = await shop.tokenize(MERCHANT, good_card())
    body = {**order(token, AMOUNT), "confirm": True, "capture_method": "automatic"}
    answers = [
        await shop.keep_posting("create", MERCHANT, "/payment-intents", body, f"mismatch-{number}")
        for number in range(CAPTURES)
    ]
    ends = {(answer.status, answer.body.get("provider")) for answer in answers}
    checks.that(f"{CAPTURES} captures of {AMOUNT} at A", ends == {(201, "providerA")}, ends)
    code, _ = await house.payrail("providers", "inject", "provider-a", json.dumps(RULE))
    checks.that("A is told to state one amount wrong", code == 0, code)
    return [str(answer.body.get("id")) for answer in answers]


async def _reconciled(checks: Checks, house: House) -> dict[str, Any] | None:
    """`settle && reconcile`; result: the one break."""
    code, text = await house.payrail("settle")
    checks.that("`payrail settle` closes a batch and writes the file", code == 0, text)
    code, text = await house.payrail("reconcile")
    checks.that("`payrail reconcile` names what is wrong and leaves nothing unexplained",
                code == 0, text)  # fmt: skip
    report = _report(house)
    counts = report["counts"]
    good = (counts["matched"], counts["mismatched"]) == (CAPTURES - 1, 1)
    checks.that("9 matched, 1 mismatched", good, counts)
    if not checks.that("there is one break", len(report["breaks"]) == 1, report["breaks"]):
        return None
    broken: dict[str, Any] = report["breaks"][0]
    checks.that("its class is amount", broken["class"] == "amount", broken)
    sides = _line(house, broken["ours"]), _line(house, broken["theirs"])
    shown = broken["payment_id"] in sides[0] and broken["payment_id"] in sides[1]
    checks.that("it shows both source lines", shown, sides)
    checks.that("it shows the difference", broken["difference"] == -AMOUNT // 500, broken)
    posting = {row["account"] for row in broken["suggested_posting"]}
    checks.that("it suggests a posting, with suspense", SUSPENSE in posting, posting)
    return broken


async def _nine_settled(
    checks: Checks, shop: Shop, payments: list[str], broken: dict[str, Any]
) -> None:
    states = [
        (await shop.get(MERCHANT, f"/payment-intents/{ident}")).body.get("state")
        for ident in payments
    ]
    counted = (states.count("settled"), states.count("captured"))
    checks.that("nine are settled, one is captured", counted == (CAPTURES - 1, 1), states)
    state = states[payments.index(broken["payment_id"])]
    checks.that("the captured one is that of the break", state == "captured", state)


async def _posted(checks: Checks, house: House, shop: Shop, broken: dict[str, Any]) -> None:
    """The posting: proposed by one, refused to the same, approved by another."""
    date = _report(house)["date"]
    path = f"/reconciliations/{date}/breaks/{broken['n']}"
    async with house.shop("approver") as second:
        early = await _post(second, f"{path}/approve")
        checks.that("what nobody proposed cannot be approved", early.status == 409, early.data)
        proposed = await _post(shop, f"{path}/propose")
        checks.that("one user proposes the posting", proposed.status == 200, proposed.data)
        own = await _post(shop, f"{path}/approve")
        refused = (own.status, own.code) == (403, "four-eyes")
        checks.that("the proposer approving is 403 four-eyes", refused, own.data)
        approved = await _post(second, f"{path}/approve")
        booked = (approved.status, approved.body.get("status")) == (200, "booked")
        checks.that("a second user approves it", booked, approved.data)
    await _booked(checks, house, shop, broken)


async def _booked(checks: Checks, house: House, shop: Shop, broken: dict[str, Any]) -> None:
    """What stands in the books after the second user."""
    payment_id = broken["payment_id"]
    state = (await shop.get(MERCHANT, f"/payment-intents/{payment_id}")).body.get("state")
    checks.that("the payment is settled", state == "settled", state)
    entries = [
        line
        for line in house.lines(LEDGER_BOOK)
        if line["ref"] == payment_id and line["type"] == "payment.settled"
    ]
    adjusted = [line["data"].get("adjusted") for line in entries]
    checks.that("with adjusted: true", adjusted == [True], adjusted)
    suspense = sum(
        row["amount"]
        for line in house.lines(LEDGER_BOOK)
        for row in line["postings"]
        if row["account"] == SUSPENSE
    )
    carries = suspense == -broken["difference"]
    checks.that("suspense carries the difference", carries, suspense)
    totals = _report(house)["totals"]
    unexplained = {sums["unexplained"] for sums in totals.values()}
    checks.that("unexplained is 0", unexplained == {0}, totals)


async def _again(checks: Checks, house: House) -> None:
    before = (house.home / NEWEST).read_bytes()
    codes = [(await house.payrail(verb))[0] for verb in ("settle", "reconcile")]
    checks.that("both run again", codes == [0, 0], codes)
    after = (house.home / NEWEST).read_bytes()
    checks.that("the report has the same bytes", after == before)
    code, text = await house.payrail("verify")
    checks.that("`payrail verify` finds nothing", code == 0, text)


async def _post(shop: Shop, path: str) -> Answer:
    return await shop.post("break", MERCHANT, path, {}, None)


def _report(house: House) -> dict[str, Any]:
    report: dict[str, Any] = json.loads((house.home / NEWEST).read_bytes())
    return report


def _line(house: House, place: dict[str, Any]) -> str:
    """The line of a file that a break points at."""
    text = (house.home / str(place["file"])).read_text()
    return text.split("\n")[int(place["line"]) - 1]
