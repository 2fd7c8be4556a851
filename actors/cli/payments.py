"""Carry out a plan of made-up payments at a running house, and compare each end with the plan."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from actors.cli.shop import Answer, Shop
from payrail.domain.cards import bin_of, bin_table
from payrail.domain.synthetic import PlannedPayment, SeededPayment, SyntheticCard
from payrail.domain.testcards import TEST_CARDS, outcome_for

CONCURRENT = 8
#: How long an outcome in doubt may take to become known.
DOUBT_S_MAX = 30.0
_LOOK_AGAIN_S = 0.25
_DOUBTFUL = frozenset({"processing", "unknown"})

ENDS = {
    "capture": "captured",
    "authorize_only": "authorized",
    "cancel": "reversed",
    "decline": "declined",
}


@dataclass(frozen=True, slots=True)
class Done:
    """How one payment ended. `wrong` says what was planned otherwise; empty: as planned."""

    plan: PlannedPayment
    payment_id: str
    state: str
    wrong: str = ""


def with_documented_cards(plan: Sequence[PlannedPayment]) -> list[PlannedPayment]:
    """The plan with cards whose end is certain: of made-up ones the issuer declines a share."""
    sure = [
        card.number
        for card in TEST_CARDS.values()
        if card.outcome == "approved" and not card.challenge and not card.later
    ]
    return [
        planned
        if planned.decline_code
        else replace(planned, card=_documented(planned.card, sure[number % len(sure)]))
        for number, planned in enumerate(plan)
    ]


async def pay_all(
    shop: Shop, plan: Sequence[PlannedPayment], run: str, told: Callable[[Done], None]
) -> list[Done]:
    """Pay the whole plan, a few at a time; `run` parts the keys of this run from all others."""
    waiting = list(enumerate(plan))[::-1]
    done: list[Done] = []

    async def client() -> None:
        while waiting:
            number, planned = waiting.pop()
            ended = await pay(shop, planned, f"{run}-{number:05d}")
            done.append(ended)
            told(ended)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(CONCURRENT):
            tasks.create_task(client())
    return done


async def pay(shop: Shop, planned: PlannedPayment, key: str) -> Done:
    """One payment from card to its planned end."""
    merchant = planned.merchant_id
    token = await shop.tokenize(merchant, planned.card)
    created = await shop.keep_posting(
        "create", merchant, "/payment-intents", order_of(planned, token, key), f"{key}-create"
    )
    if created.status != 201:
        return Done(planned, "", "none", f"create answered {created.status} {created.code}")
    payment_id = str(created.body["id"])
    path = f"/payment-intents/{payment_id}"
    answer = await shop.keep_posting("authorize", merchant, f"{path}/authorize", {}, f"{key}-auth")
    answer = await without_doubt(shop, merchant, path, answer)
    if answer.payment.get("state") == "authorized" and planned.action in ("capture", "cancel"):
        verb = planned.action
        answer = await shop.keep_posting(verb, merchant, f"{path}/{verb}", {}, f"{key}-{verb}")
        answer = await without_doubt(shop, merchant, path, answer)
    return _judged(planned, payment_id, answer)


def order_of(planned: PlannedPayment | SeededPayment, token: str, key: str) -> dict[str, object]:
    """The body that creates a planned payment."""
    who = planned.customer
    return {
        "amount": planned.amount_minor,
        "currency": planned.currency,
        "payment_method": token,
        "customer": {
            "id": who.id,
            "name": who.name,
            "email": who.email,
            "ip": who.ip,
            "country": who.country,
        },
        "metadata": {"order": key},
    }


async def without_doubt(
    shop: Shop, merchant: str, path: str, answer: Answer, *, until: str = ""
) -> Answer:
    """Look again until the payment is in doubt no more, or in the state that is waited for."""
    waited_s = 0.0
    while answer.status in (200, 202) and _in_doubt(answer) and waited_s < DOUBT_S_MAX:
        if until and answer.payment.get("state") == until:
            break
        await asyncio.sleep(_LOOK_AGAIN_S)
        waited_s += _LOOK_AGAIN_S
        seen = await shop.get(merchant, path)
        answer = seen if seen.status == 200 else answer
    return answer


def _documented(card: SyntheticCard, number: str) -> SyntheticCard:
    row = bin_table()[bin_of(number)]
    cvc = (card.cvc + "7")[:4] if row.brand == "amex" else card.cvc[:3]
    return replace(
        card, number=number, cvc=cvc, brand=row.brand, country=row.country, funding=row.funding
    )


def _in_doubt(answer: Answer) -> bool:
    payment = answer.payment
    return payment.get("state") in _DOUBTFUL or bool(payment.get("pending_operation"))


def _judged(planned: PlannedPayment, payment_id: str, answer: Answer) -> Done:
    payment = answer.payment
    state = str(payment.get("state", "none"))
    made_up = outcome_for(planned.card.number) is None
    if not payment:
        wrong = f"answered {answer.status} {answer.code}"
    elif state == "declined" and made_up:
        wrong = ""  # The issuer's word on a made-up card is nobody's plan.
    elif state != ENDS[planned.action]:
        wrong = f"is {state}, not {ENDS[planned.action]}"
    elif planned.decline_code and payment.get("decline_code") != planned.decline_code:
        wrong = f"declined as {payment.get('decline_code')}, not {planned.decline_code}"
    else:
        wrong = ""
    return Done(planned, payment_id, state, wrong)
