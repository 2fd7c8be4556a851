"""duplicate: whoever asks twice with one key is charged once and told the same twice."""

import asyncio
from collections.abc import Sequence

from actors.cli.shop import Answer, Shop
from actors.cli.stories import Checks
from actors.cli.stories.cards import MERCHANT, good_card, order
from actors.cli.stories.houses import House, own_house
from payrail.domain.books import LEDGER_BOOK

KEY = "duplicate-create"


async def play(checks: Checks) -> None:
    async with own_house() as house, house.shop() as shop:
        token = await shop.tokenize(MERCHANT, good_card())
        first = await _two_at_once(checks, shop, token)
        await _wrong_uses(checks, shop, token)
        payment_id = str(first.body.get("id"))
        await _double_click(checks, house, shop, payment_id)
        created = [line for line in house.lines(LEDGER_BOOK) if line["type"] == "payment.created"]
        checks.that("payments.jsonl has one payment.created", len(created) == 1, len(created))
        await _after_a_restart(checks, house, shop, token, first)


async def _two_at_once(checks: Checks, shop: Shop, token: str) -> Answer:
    """Two creates at once; result: the one that made the payment."""
    answers = await asyncio.gather(*(_create(shop, order(token), KEY) for _ in range(2)))
    statuses = sorted(answer.status for answer in answers)
    made = [answer for answer in answers if answer.status == 201 and not answer.replayed]
    checks.that("two POST at once with one key make one payment", len(made) == 1, statuses)
    first = made[0] if made else answers[0]
    for other in answers:
        if other is not first:
            _check_second(checks, first, other)
    again = await shop.keep_posting("create", MERCHANT, "/payment-intents", order(token), KEY)
    _check_same(checks, "once more, the same bytes with Idempotent-Replayed", [first, again])
    return first


def _check_second(checks: Checks, first: Answer, other: Answer) -> None:
    in_flight = other.code == "idempotency-in-flight" and "Retry-After" in other.headers
    replay = other.replayed and other.data == first.data
    fact = "the other is a replay of its bytes, or 409 idempotency-in-flight with Retry-After"
    checks.that(fact, in_flight or replay, f"{other.status} {other.code}")


async def _wrong_uses(checks: Checks, shop: Shop, token: str) -> None:
    other = await _create(shop, order(token, amount=1100), KEY)
    diff = other.body.get("diff")
    expected = [{"field": "amount", "first": 1099, "now": 1100}]
    checks.that(
        "the same key with amount 1100 is 422 and names the difference",
        other.status == 422 and diff == expected,
        f"{other.status} {other.code} {diff}",
    )
    none = await _create(shop, order(token), None)
    checks.that(
        "no key is 400",
        none.status == 400 and none.code == "idempotency-key-missing",
        f"{none.status} {none.code}",
    )


async def _double_click(checks: Checks, house: House, shop: Shop, payment_id: str) -> None:
    path = f"/payment-intents/{payment_id}/authorize"
    answers = await asyncio.gather(
        *(shop.keep_posting("authorize", MERCHANT, path, {}, "duplicate-click") for _ in range(2))
    )
    _check_same(checks, "a double click on authorize gives one answer", answers)
    checks.that("that answer is 200", answers[0].status == 200, answers[0].status)
    charges = [
        line
        for line in house.lines("data/providers/providerA_truth.jsonl")
        + house.lines("data/providers/providerB_truth.jsonl")
        if line["operation"] == "authorize"
    ]
    checks.that("the providers' truths show one charge", len(charges) == 1, len(charges))


async def _after_a_restart(
    checks: Checks, house: House, shop: Shop, token: str, first: Answer
) -> None:
    epoch = house.row("gateway")["epoch"]
    code, _ = await house.payrail("restart", "gateway")
    checks.that("`payrail restart gateway` exits 0", code == 0, code)
    checks.that("the gateway serves again", await house.serves_again("gateway", epoch))
    again = await shop.keep_posting("create", MERCHANT, "/payment-intents", order(token), KEY)
    _check_same(checks, "after the restart: same status, same bytes", [first, again])


async def _create(shop: Shop, body: object, key: str | None) -> Answer:
    return await shop.post("create", MERCHANT, "/payment-intents", body, key)


def _check_same(checks: Checks, fact: str, answers: Sequence[Answer]) -> None:
    first, *others = answers
    same = all(
        (other.status, other.data) == (first.status, first.data)
        and (other.replayed or first.replayed)
        for other in others
    )
    checks.that(fact, same, [(answer.status, answer.code, answer.replayed) for answer in answers])
