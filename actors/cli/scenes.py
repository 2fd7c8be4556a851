"""Play a seeded plan at a running house, over HTTP alone, so that each state is left behind.

Whoever plays a plan again sends the same keys: what is there already is answered as it was, no card
is stored twice, no fault is injected twice. Four lanes run side by side: doubtful payments each in
one of their own, since every one waits for its provider's time to be over; those for the second
provider one after the other, each followed by a good charge at the first, so that its breaker sees
no row of failures; and the rest, a few at a time.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from actors.cli.payments import CONCURRENT, order_of, without_doubt
from actors.cli.shop import Answer, Shop
from payrail.domain.synthetic import Act, SeededPayment, SyntheticCard
from payrail.domain.testcards import outcome_for

#: No card has this token: asked about with it, a key that is known tells the first one.
NOBODYS_TOKEN = "tok_" + "0" * 32
_FIRST, _SECOND = "providerA", "providerB"
#: What moves a charge to the second provider: the first takes nothing in, and says so.
_REFUSE = "error"
_REUSED = "idempotency-key-reused"


@dataclass(frozen=True, slots=True)
class Played:
    """How one payment stands. `is_new`: this run has created it. `passed`: the types of its
    entries. `wrong` says what was planned otherwise; empty: as planned."""

    plan: SeededPayment
    payment_id: str = ""
    state: str = "none"
    provider: str | None = None
    is_new: bool = False
    passed: tuple[str, ...] = ()
    wrong: str = ""


Told = Callable[[Played], None]


async def play_all(shop: Shop, plan: Sequence[SeededPayment], told: Told) -> list[Played]:
    """Play every payment of the plan; result in the plan's order."""
    stage = Stage(shop)
    await stage.look_back(plan[0])
    played: dict[str, Played] = {}

    async def lane(payments: Iterator[SeededPayment]) -> None:
        for planned in payments:
            played[planned.key] = await stage.play(planned)
            told(played[planned.key])

    async with asyncio.TaskGroup() as tasks:
        for payments in _lanes(plan):
            tasks.create_task(lane(payments))
    return [played[planned.key] for planned in plan]


def _lanes(plan: Sequence[SeededPayment]) -> list[Iterator[SeededPayment]]:
    doubtful = [one for one in plan if one.scene.ends == "unknown"]
    moved = [one for one in plan if one.scene.provider == _SECOND and one not in doubtful]
    good = [one for one in plan if _is_surely_good(one)][: len(moved)]
    between = [one for pair in zip(moved, good, strict=False) for one in pair]
    between += moved[len(good) :]
    taken = {one.key for one in (*doubtful, *between)}
    rest = iter([one for one in plan if one.key not in taken])
    # The same iterator for several lanes: each takes the next payment that is left.
    return [*(iter([one]) for one in doubtful), iter(between), *([rest] * CONCURRENT)]


def _is_surely_good(planned: SeededPayment) -> bool:
    """Whether it is a good call at the first provider, whatever the issuer says of other cards."""
    scene = planned.scene
    is_plain = scene.provider == _FIRST and not scene.drill
    is_good = is_plain and scene.ends not in ("declined", "requires_action")
    return is_good and outcome_for(planned.card.number) is not None


class Stage:
    """Where payments are played: the shop, and the tokens of cards that it has stored."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._tokens: dict[tuple[str, str], asyncio.Task[str]] = {}
        self._played_before = False

    async def look_back(self, first: SeededPayment) -> None:
        """Find out whether the plan has been played here before."""
        self._played_before = await self._first_token(first) is not None

    async def play(self, planned: SeededPayment) -> Played:
        """One payment, from its card to the state in which the plan leaves it."""
        created = await self._create(planned)
        payment = created.payment
        if not payment:
            return Played(planned, wrong=f"create answered {created.status} {created.code}")
        path = f"/payment-intents/{payment['id']}"
        if created.replayed:
            payment = (await self._shop.get(planned.merchant_id, path)).payment
        if payment.get("state") == "created":
            await self._drill(planned, str(payment["id"]))
        answer = await without_doubt(self._shop, planned.merchant_id, path, created)
        for act in planned.scene.acts:
            answer = await self._act(planned, path, act)
            if answer.status not in (200, 202) or answer.payment.get("state") == "declined":
                break
        return await self._seen(planned, path, answer, is_new=not created.replayed)

    async def _create(self, planned: SeededPayment) -> Answer:
        """Create it, with the token of the first time when there was one."""
        token = await self._first_token(planned) if self._played_before else None
        answer = await self._ask_to_create(planned, token or await self._token(planned))
        if answer.code == _REUSED and (first := _first_token(answer)):
            answer = await self._ask_to_create(planned, first)
        return answer

    async def _first_token(self, planned: SeededPayment) -> str | None:
        """The token with which this payment was created, None when it was not. A card is stored
        under a new token each time, and a key stands for one request."""
        return _first_token(await self._ask_to_create(planned, NOBODYS_TOKEN))

    async def _ask_to_create(self, planned: SeededPayment, token: str) -> Answer:
        body = order_of(planned, token, planned.key)
        if planned.scene.one_call:
            body |= {"confirm": True, "capture_method": planned.scene.one_call}
        key = f"{planned.key}-create"
        return await self._shop.keep_posting(
            "create", planned.merchant_id, "/payment-intents", body, key
        )

    async def _token(self, planned: SeededPayment) -> str:
        """The card's token at this merchant; a card is stored once a run."""
        place = planned.merchant_id, planned.card.number
        if place not in self._tokens:
            storing = self._store(planned.merchant_id, planned.card)
            self._tokens[place] = asyncio.create_task(storing)
        return await self._tokens[place]

    def _store(self, merchant_id: str, card: SyntheticCard) -> Coroutine[Any, Any, str]:
        return self._shop.tokenize(merchant_id, card)

    async def _drill(self, planned: SeededPayment, payment_id: str) -> None:
        """What happens to the charge of this payment, and to no other."""
        scene = planned.scene
        if scene.provider == _SECOND:
            await self._inject(planned, payment_id, _FIRST, _REFUSE)
        if scene.drill and scene.provider:
            await self._inject(planned, payment_id, scene.provider, scene.drill)

    async def _inject(self, planned: SeededPayment, payment_id: str, where: str, do: str) -> None:
        rule = {"operation": "authorize", "do": do, "count": 1, "match": {"payment": payment_id}}
        path = f"/providers/{where}/inject-failure"

        async def send() -> Answer:
            return await self._shop.post("inject", planned.merchant_id, path, rule, None)

        await self._shop.patiently(send)

    async def _act(self, planned: SeededPayment, path: str, act: Act) -> Answer:
        body: dict[str, Any] = {}
        if act.percent is not None:
            body = {"amount": planned.share_minor(act.percent), "final_capture": act.final}
        key = f"{planned.key}-{act.verb}" + (f"-{act.percent}" if act.percent else "")
        answer = await self._shop.keep_posting(
            act.verb, planned.merchant_id, f"{path}/{act.verb}", body, key
        )
        until = planned.scene.ends if planned.scene.ends == "unknown" else ""
        return await without_doubt(self._shop, planned.merchant_id, path, answer, until=until)

    async def _seen(
        self, planned: SeededPayment, path: str, answer: Answer, *, is_new: bool
    ) -> Played:
        """The payment as the house shows it now."""
        shown = await self._shop.get(planned.merchant_id, path)
        payment = (shown if shown.status == 200 else answer).payment
        book = await self._shop.get(planned.merchant_id, f"/ledger/{payment.get('id')}")
        return Played(
            planned,
            payment_id=str(payment.get("id", "")),
            state=str(payment.get("state", "none")),
            provider=payment.get("provider"),
            is_new=is_new,
            passed=tuple(entry["type"] for entry in book.body.get("entries", [])),
            wrong=_judged(planned, payment, answer),
        )


def _first_token(answer: Answer) -> str | None:
    """The token in the diff of a refused create, if nothing else is different."""
    diff = answer.body.get("diff", []) if answer.code == _REUSED else []
    fields = {one["field"]: one.get("first") for one in diff}
    return fields["payment_method"] if fields.keys() == {"payment_method"} else None


def _judged(planned: SeededPayment, payment: dict[str, Any], answer: Answer) -> str:
    """What is not as planned."""
    state, ends = payment.get("state"), planned.scene.ends
    if state == "declined" and outcome_for(planned.card.number) is None:
        return ""  # The issuer's word on a made-up card is nobody's plan.
    if state != ends and not (planned.scene.settles and state == "settled"):
        return f"is {state}, not {ends}: answered {answer.status} {answer.code}".rstrip()
    if planned.decline_code and payment.get("decline_code") != planned.decline_code:
        return f"declined as {payment.get('decline_code')}, not {planned.decline_code}"
    return ""
