"""outage: the first provider is down, the second takes over, and no shop notices.

The breaker's pause of 30 s is not waited for: business time is moved over it.
"""

import json
from typing import Any

from actors.cli.shop import Answer, Shop
from actors.cli.stories import Checks
from actors.cli.stories.cards import MERCHANT, good_card, order
from actors.cli.stories.houses import House, own_house, until
from payrail.domain.books import LEDGER_BOOK, OUTBOX_BOOK
from payrail.domain.breaker import FAILURES_IN_A_ROW, GOOD_TO_CLOSE, PROBE_EVERY
from payrail.domain.synthetic import SyntheticCard

PAYMENTS = 20
RULE = {"operation": "*", "do": "down"}
#: An actor that sleeps looks at the clock again after a quarter of a second at most.
HALF_OPEN_S_MAX = 5.0
_DECLINED = SyntheticCard("4000000000000002", 12, 2034, "123", "visa", "US", "credit")
_BOTH = [("providerA", "not_accepted"), ("providerB", "approved")]
_ONLY_B = [("providerB", "approved")]


async def play(checks: Checks) -> None:
    async with own_house() as house, house.shop() as shop:
        await _declines(checks, house, shop)
        await _outage(checks, house, shop)
        await _seen_by_everyone(checks, house, shop)
        await _explained(checks, house, shop)
        await _pause_over(checks, house)
        await _closed_again(checks, house, shop)


async def _declines(checks: Checks, house: House, shop: Shop) -> None:
    token = await shop.tokenize(MERCHANT, _DECLINED)
    answers = [await _pay(shop, token, f"declined-{number}") for number in range(PAYMENTS)]
    statuses = {answer.status for answer in answers}
    checks.that(f"{PAYMENTS} declines are {PAYMENTS} times 402", statuses == {402}, statuses)
    checks.that("they leave A's breaker CLOSED", _breaker(house) == "CLOSED", _breaker(house))


async def _outage(checks: Checks, house: House, shop: Shop) -> None:
    token = await shop.tokenize(MERCHANT, good_card())
    code, _ = await house.payrail("providers", "inject", "provider-a", json.dumps(RULE))
    checks.that("provider-a is down", code == 0, f"exit {code}")
    answers = [await _pay(shop, token, f"outage-{number}") for number in range(PAYMENTS)]
    ended = [(answer.status, answer.body.get("provider")) for answer in answers]
    fact = f"{PAYMENTS} payments, and all succeed at providerB"
    checks.that(fact, ended == [(201, "providerB")] * PAYMENTS, ended)
    tried = [_attempts(answer) for answer in answers]
    first, rest = tried[:FAILURES_IN_A_ROW], tried[FAILURES_IN_A_ROW:]
    fact = "the first five were refused by A, not accepted, and approved by B"
    checks.that(fact, first == [_BOTH] * FAILURES_IN_A_ROW, first)
    checks.that("then payments have one attempt", all(one == _ONLY_B for one in rest), rest)
    checks.that("A's truth has no line from the outage", not _truth(house, "providerA"))
    charged = len(_truth(house, "providerB"))
    checks.that(f"B's truth has {PAYMENTS} charges", charged == PAYMENTS, charged)


async def _seen_by_everyone(checks: Checks, house: House, shop: Shop) -> None:
    """The breaker in the file, among the events, over HTTP and on the command line."""
    checks.that("providerA_state.json says OPEN", _breaker(house) == "OPEN", _breaker(house))
    events = [line["type"] for line in house.lines(OUTBOX_BOOK)]
    opened = events.count("provider.breaker_opened")
    checks.that("events.jsonl has one provider.breaker_opened", opened == 1, opened)
    shown = (await shop.get(MERCHANT, "/providers/providerA")).body
    state = shown.get("breaker", {}).get("state")
    checks.that("GET /providers/providerA says OPEN", state == "OPEN", shown)
    _, text = await house.payrail("providers", "ls", "--json")
    states = {row["id"]: row["breaker"] for row in json.loads(text)}
    expected = {"providerA": "OPEN", "providerB": "CLOSED"}
    checks.that("`payrail providers ls` says the same", states == expected, states)


async def _explained(checks: Checks, house: House, shop: Shop) -> None:
    """Why the last payment went to B: on the command line and over HTTP."""
    payment_id = str(house.lines(LEDGER_BOOK)[-1]["ref"])
    _, text = await house.payrail("why", payment_id)
    reason = next((line for line in text.splitlines() if " by rule " in line), text[-500:])
    for fact, words in (
        ("the rule", "providerB by rule default"),
        ("A's health", "providerA is down, breaker OPEN"),
        ("B's extra cost", "beside providerA"),
    ):
        checks.that(f"`payrail why` names {fact}", words in reason, reason)
    shown = (await shop.get(MERCHANT, f"/payment-intents/{payment_id}/routing")).body
    (attempt,) = shown.get("attempts") or [{}]
    told = (attempt.get("rule"), isinstance(attempt.get("extra_cost"), int))
    checks.that("GET /payment-intents/{id}/routing says the same", told == ("default", True), shown)


async def _pause_over(checks: Checks, house: House) -> None:
    code, _ = await house.payrail("providers", "clear", "provider-a")
    checks.that("`payrail providers clear` ends the drill", code == 0, code)
    code, text = await house.payrail("clock", "advance", "30s", "--json")
    checks.that("`payrail clock advance 30s` moves business time", code == 0, text)
    probing = await until(lambda: _breaker(house) == "HALF_OPEN", HALF_OPEN_S_MAX)
    checks.that("providerA_state.json says HALF_OPEN", probing, _breaker(house))


async def _closed_again(checks: Checks, house: House, shop: Shop) -> None:
    """One charge in ten tries A, until five were good there."""
    token = await shop.tokenize(MERCHANT, good_card())
    count = PROBE_EVERY * (GOOD_TO_CLOSE - 1) + 1
    answers = [await _pay(shop, token, f"after-{number}") for number in range(count)]
    probes = [n for n, answer in enumerate(answers) if answer.body.get("provider") == "providerA"]
    expected = list(range(0, count, PROBE_EVERY))
    checks.that(f"of {count} payments, one in ten tries A", probes == expected, probes)
    statuses = {answer.status for answer in answers}
    checks.that("and all of them succeed", statuses == {201}, statuses)
    fact = f"after {GOOD_TO_CLOSE} good ones providerA_state.json says CLOSED"
    checks.that(fact, _breaker(house) == "CLOSED", _breaker(house))
    last = await _pay(shop, token, "well-again")
    back = _attempts(last) == [("providerA", "approved")]
    checks.that("the next payment goes to A", back, _attempts(last))
    charged = len(_truth(house, "providerA"))
    fact = "A's truth has those charges, and no line from the outage"
    checks.that(fact, charged == GOOD_TO_CLOSE + 1, charged)


async def _pay(shop: Shop, token: str, key: str) -> Answer:
    body = order(token) | {"confirm": True}
    return await shop.keep_posting("create", MERCHANT, "/payment-intents", body, key)


def _attempts(answer: Answer) -> list[tuple[str, str]]:
    return [(one["provider"], one["code"]) for one in answer.body.get("attempts", [])]


def _breaker(house: House) -> str:
    (view,) = house.lines("data/providers/providerA_state.json")
    return str(view["breaker"]["state"])


def _truth(house: House, provider: str) -> list[dict[str, Any]]:
    return house.lines(f"data/providers/{provider}_truth.jsonl")
