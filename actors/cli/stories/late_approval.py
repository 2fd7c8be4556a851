"""late-approval: a charge whose answer is missing is neither approved nor declined until asked.

The provider's time is cut to a second, so that nobody waits for the story.
"""

import asyncio
import json
from typing import Any

from actors.cli.shop import Answer, Shop
from actors.cli.stories import Checks
from actors.cli.stories.cards import MERCHANT, good_card, order
from actors.cli.stories.houses import House, own_house, until
from payrail.domain.books import LEDGER_BOOK
from payrail.runtime.orders import give_order

TIMEOUT = {"PAYRAIL_PROVIDER_TIMEOUT": "1s"}
#: Longer than the provider's time, so that the ask comes first.
SLOW_MS = 3_000


async def play(checks: Checks) -> None:
    async with own_house(TIMEOUT) as house, house.shop() as shop:
        token = await shop.tokenize(MERCHANT, good_card())
        await _approved_and_silent(checks, house, shop, token)
        await _too_slow(checks, house, shop, token)
        await _too_slow_and_done_all_the_same(checks, house, shop, token)


async def _approved_and_silent(checks: Checks, house: House, shop: Shop, token: str) -> None:
    """The provider approves and says nothing. It is paused, so that the doubt can be looked at,
    and the gateway is killed in the middle of it."""
    await _inject(checks, house, {"operation": "authorize", "do": "approve_then_hang", "count": 1})
    payment_id = await _created(shop, token, "silent")
    path = f"/payment-intents/{payment_id}"
    answer = await _authorize(shop, path, "silent", first_then=_pause_when_charged(house))
    _check_unknown(checks, "approved and silent: 202 unknown once the time is up", answer)
    checks.that("B's truth has nothing", not house.lines("data/providers/providerB_truth.jsonl"))
    again = await _authorize(shop, path, "silent")
    _check_unknown(checks, "the same key again: 202", again)
    epoch = house.row("gateway")["epoch"]
    checks.that("the gateway is killed in between", house.kill("gateway"))
    await house.serves_again("gateway", epoch)
    await house.payrail("resume", "provider-a")
    ended = await _ended(house, payment_id)
    checks.that("A is asked and says approved: authorized", ended == "authorized", ended)
    known = await _authorize(shop, path, "silent")
    checks.that(
        "the same key is now 200",
        known.status == 200 and known.payment.get("state") == "authorized",
        f"{known.status} {known.code}",
    )
    charges = _truth(house, payment_id)
    checks.that("A's truth has one line of it", len(charges) == 1, charges)


async def _too_slow(checks: Checks, house: House, shop: Shop, token: str) -> None:
    await _inject(checks, house, {"operation": "authorize", "do": f"slow:{SLOW_MS}", "count": 1})
    payment_id = await _created(shop, token, "slow")
    path = f"/payment-intents/{payment_id}"
    answer = await _authorize(shop, path, "slow")
    checks.that("slow: the client is not kept waiting", answer.status in (202, 402), answer.status)
    ended = await _ended(house, payment_id)
    checks.that("asked before it decided, A refuses: declined", ended == "declined", ended)
    seen = (await shop.get(MERCHANT, path)).body
    code = seen.get("decline_code")
    checks.that("its decline code is processing_error", code == "processing_error", code)
    refused = await until(lambda: _refused_late(house, payment_id))
    checks.that("when its time comes A refuses the late charge", refused)
    checks.that("A's truth has no line of it", not _truth(house, payment_id))
    state = (await shop.get(MERCHANT, path)).body.get("state")
    checks.that("the payment stays declined", state == "declined", state)


async def _too_slow_and_done_all_the_same(
    checks: Checks, house: House, shop: Shop, token: str
) -> None:
    rule = {"operation": "authorize", "do": f"slow:{SLOW_MS}", "count": 1, "fence": False}
    await _inject(checks, house, rule)
    payment_id = await _created(shop, token, "unfenced")
    path = f"/payment-intents/{payment_id}"
    await _authorize(shop, path, "unfenced")
    ended = await _ended(house, payment_id)
    checks.that("a provider that breaks its word: declined first", ended == "declined", ended)
    reversed_late = await until(
        lambda: "payment.late_approval_reversed" in _types(house, payment_id)
    )
    checks.that("its late approval is reversed", reversed_late, _types(house, payment_id))
    state = (await shop.get(MERCHANT, path)).body.get("state")
    checks.that("the payment stays closed", state == "declined", state)
    operations = [line["operation"] for line in _truth(house, payment_id)]
    checks.that(
        "A's truth has the charge and its reversal",
        operations == ["authorize", "reverse"],
        operations,
    )
    await _check_case(checks, house, shop, payment_id)


async def _check_case(checks: Checks, house: House, shop: Shop, payment_id: str) -> None:
    """A case is an entry of the book, and a line of the API for whom it is about."""
    opened = [
        line
        for line in house.lines(LEDGER_BOOK)
        if line["type"] == "case.opened" and line["data"]["payment_id"] == payment_id
    ]
    checks.that("a case is opened for people", len(opened) == 1, opened)
    cases = await shop.get(MERCHANT, f"/cases?state=open&payment_intent={payment_id}")
    reasons = [one["reason"] for one in cases.body.get("data", ())]
    checks.that("/cases has a line", reasons == ["late_approval"], f"{cases.status} {reasons}")


async def _inject(checks: Checks, house: House, rule: dict[str, Any]) -> None:
    code, _ = await house.payrail("providers", "inject", "provider-a", json.dumps(rule))
    checks.that(f"inject {rule['do']}", code == 0, f"exit {code}")


async def _created(shop: Shop, token: str, key: str) -> str:
    answer = await shop.keep_posting(
        "create", MERCHANT, "/payment-intents", order(token), f"{key}-create"
    )
    return str(answer.body["id"])


async def _authorize(shop: Shop, path: str, key: str, first_then: Any = None) -> Answer:
    """POST authorize; `first_then` is awaited beside it."""
    question = asyncio.create_task(
        shop.keep_posting("authorize", MERCHANT, f"{path}/authorize", {}, f"{key}-authorize")
    )
    if first_then is not None:
        await first_then
    return await question


async def _pause_when_charged(house: House) -> None:
    """Pause the provider as soon as its truth has the charge: its ask then waits in the mailbox."""
    truth = "data/providers/providerA_truth.jsonl"
    await until(lambda: house.lines(truth))
    give_order(house.home, "provider-a", "pause", "")
    await until(lambda: house.row("provider-a").get("state") == "paused")


async def _ended(house: House, payment_id: str) -> str:
    """The last of `authorized` and `declined` that the book has of a payment, once it has one."""
    ends = {"payment.authorized": "authorized", "payment.declined": "declined"}

    def found() -> list[str]:
        return [ends[name] for name in _types(house, payment_id) if name in ends]

    await until(found)
    return found()[-1] if found() else "in doubt"


def _check_unknown(checks: Checks, fact: str, answer: Answer) -> None:
    state = answer.payment.get("state")
    good = answer.status == 202 and state == "unknown"
    checks.that(fact, good, f"{answer.status} {answer.code} {state}")


def _types(house: House, payment_id: str) -> list[str]:
    lines = house.lines(LEDGER_BOOK)
    return [line["type"] for line in lines if line["ref"] == payment_id]


def _truth(house: House, payment_id: str) -> list[dict[str, Any]]:
    lines = house.lines("data/providers/providerA_truth.jsonl")
    return [line for line in lines if str(line["reference"]).startswith(f"{payment_id}.")]


def _refused_late(house: House, payment_id: str) -> bool:
    return any(
        event.get("type") == "call.refused" and str(event["reference"]).startswith(payment_id)
        for line in house.lines("data/actors/provider-a/journal.jsonl")
        for event in line["events"]
    )
