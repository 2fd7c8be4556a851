"""Play seeded payments at a running house, over HTTP alone, so that each state is left behind.

Whoever plays a plan again sends the same keys, and of what the house has already nothing is made
again: no card is stored twice, no fault is injected twice. A window of the plan at a time, in four
kinds of lanes: doubtful payments each in one of their own, since every one waits for its provider's
time to be over; those for the second provider one after the other, each followed by a good charge
at the first, so that its breaker sees no row of failures; and the rest, a few at a time.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from actors.cli.exits import TRY_LATER, Stop
from actors.cli.pace import AT_ONCE, Pace
from actors.cli.payments import CONCURRENT, order_of, without_doubt
from actors.cli.shop import Answer, Shop
from actors.cli.together import together
from payrail.domain.synthetic import Act, SeededPayment
from payrail.domain.testcards import outcome_for

#: So many payments of a plan are looked ahead to.
WINDOW = 512
#: Cards whose tokens are remembered; one that was forgotten is stored once more.
TOKENS_MAX = 4_096
_FIRST, _SECOND = "providerA", "providerB"
#: What moves a charge to the second provider: the first takes nothing in, and says so.
_REFUSE = "error"
_CHARGE = "authorize"
_CREATED = 201
_REUSED = "idempotency-key-reused"
_SAYS = frozenset({"payment_method", "metadata"})
_AGAIN = "The same command once more goes on from here."


@dataclass(frozen=True, slots=True)
class Played:
    """How one payment stands. `is_new`: this run has created it. `passed`: states that it stood in
    for a moment. `wrong` says what was planned otherwise; empty: as planned."""

    plan: SeededPayment
    payment_id: str = ""
    state: str = "none"
    provider: str | None = None
    is_new: bool = False
    passed: tuple[str, ...] = ()
    wrong: str = ""


Told = Callable[[Played], None]


async def play_all(
    stage: "Stage",
    plan: Iterator[SeededPayment],
    told: Told,
    *,
    lanes: int = CONCURRENT,
    pace: Pace = AT_ONCE,
) -> None:
    """Play the payments of the plan, and tell of each one."""

    async def lane(payments: Iterator[SeededPayment]) -> None:
        for planned in payments:
            await pace.turn()
            told(await stage.play(planned))

    while window := list(islice(plan, WINDOW)):
        await together(lane(payments) for payments in _lanes(window, lanes))


def _lanes(plan: Sequence[SeededPayment], count: int) -> list[Iterator[SeededPayment]]:
    doubtful = [one for one in plan if one.scene.ends == "unknown"]
    moved = [one for one in plan if one.scene.provider == _SECOND and one not in doubtful]
    good = [one for one in plan if _is_surely_good(one)][: len(moved)]
    between = [one for pair in zip(moved, good, strict=False) for one in pair]
    between += moved[len(good) :]
    taken = {one.key for one in (*doubtful, *between)}
    rest = iter([one for one in plan if one.key not in taken])
    # The same iterator for several lanes: each takes the next payment that is left.
    return [*(iter([one]) for one in doubtful), iter(between), *([rest] * count)]


def _is_surely_good(planned: SeededPayment) -> bool:
    """Whether it is a good call at the first provider, whatever the issuer says of other cards."""
    scene = planned.scene
    is_plain = scene.provider == _FIRST and not scene.drill
    is_good = is_plain and scene.ends not in ("declined", "requires_action")
    return is_good and outcome_for(planned.card.number) is not None


def is_to_be_captured(planned: SeededPayment) -> bool:
    """Whether a statement will have a line of it, unless its issuer declines."""
    return planned.scene.ends == "captured"


class Stage:
    """Where payments are played: the shop, what the house has of the plan already (`id_of` tells
    by key), and the tokens of cards that were stored lately."""

    def __init__(
        self,
        shop: Shop,
        id_of: Callable[[str], str] = lambda _: "",
        *,
        said: Mapping[str, str] | None = None,
        names: Mapping[str, str] | None = None,
    ) -> None:
        """`said` goes into the metadata of each payment; `names` leads from a merchant of the plan
        to that of the house."""
        self._shop, self._id_of = shop, id_of
        self.said, self._names = dict(said or {}), dict(names or {})
        self._tokens: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._storing: dict[tuple[str, str], asyncio.Task[Answer]] = {}

    def merchant_of(self, planned: SeededPayment) -> str:
        """What the house calls its merchant."""
        return self._names.get(planned.merchant_id, planned.merchant_id)

    async def play(self, planned: SeededPayment) -> Played:
        """One payment, from its card to the state in which the plan leaves it. Raises Stop 75 when
        the house does not answer any more."""
        merchant, known = self.merchant_of(planned), self._id_of(planned.key)
        if known:
            created = await self._shop.keep_getting(merchant, f"/payment-intents/{known}")
        else:
            created = await self._create(planned)
        must_be_answered(created, "create")
        payment = created.payment
        if not payment:
            return Played(planned, wrong=f"create answered {created.status} {created.code}")
        path = f"/payment-intents/{payment['id']}"
        if created.replayed:
            created = await self._shop.keep_getting(merchant, path)
            payment = created.payment
        if payment.get("state") == "created":
            await self._drill(planned, str(payment["id"]))
        is_new = not known and not created.replayed
        answer = await without_doubt(self._shop, merchant, path, created, until=_doubt(planned))
        left = [one for one in planned.scene.acts if not _is_done(one, answer.payment, planned)]
        for act in left:
            answer = await self._act(planned, path, act)
            if answer.status not in (200, 202) or answer.payment.get("state") == "declined":
                break
        seen = await self._seen(planned, path, answer, is_new=is_new)
        # Of what an earlier run has played to its end, days may have made more than was planned.
        return seen if is_new or left else replace(seen, wrong="")

    async def _create(self, planned: SeededPayment) -> Answer:
        """Create it. A request that was on its way when an earlier run ended may have created it
        with another token: what it said first is said again then."""
        token = await self._token(planned)
        if isinstance(token, Answer):
            return token
        body = order_of(planned, token, planned.key)
        body["metadata"] = planned.metadata | self._says(planned)
        if planned.scene.one_call:
            body |= {"confirm": True, "capture_method": planned.scene.one_call}
        answer = await self._ask_to_create(planned, body)
        if first := _said_first(answer):
            answer = await self._ask_to_create(planned, body | first)
            self._believe(first)
        return answer

    def _believe(self, first: Mapping[str, Any]) -> None:
        """What the first payment said of its plan is what all say."""
        said = first.get("metadata", {})
        self.said |= {name: said[name] for name in self.said if name in said}

    def _says(self, planned: SeededPayment) -> dict[str, str]:
        """What goes on where a plan has days; said first, it is said again."""
        return {**self.said, "day": str(planned.day)} if self.said else {}

    async def _ask_to_create(self, planned: SeededPayment, body: Mapping[str, object]) -> Answer:
        key, merchant = f"{planned.key}-create", self.merchant_of(planned)
        return await self._shop.keep_posting("create", merchant, "/payment-intents", body, key)

    async def _token(self, planned: SeededPayment) -> Answer | str:
        """The card's token at this merchant, or why the vault takes it not. It is asked once, or
        seldom; whoever needs the same card meanwhile waits for the same answer."""
        place = self.merchant_of(planned), planned.card.number
        if token := self._tokens.get(place):
            return token
        if place not in self._storing:
            storing = self._shop.store(place[0], planned.card)
            self._storing[place] = asyncio.create_task(storing)
        try:
            answer = await self._storing[place]
        finally:
            self._storing.pop(place, None)
        must_be_answered(answer, "tokenize")
        if answer.status != _CREATED:
            return answer
        self._tokens[place] = str(answer.body["token"])
        if len(self._tokens) > TOKENS_MAX:
            self._tokens.popitem(last=False)
        return self._tokens[place]

    async def _drill(self, planned: SeededPayment, payment_id: str) -> None:
        """What happens to the charge of this payment, and to no other."""
        scene, merchant = planned.scene, self.merchant_of(planned)
        if scene.provider == _SECOND:
            await inject_once(self._shop, merchant, _FIRST, payment_id, _CHARGE, _REFUSE)
        if scene.drill and scene.provider:
            where = scene.provider
            await inject_once(self._shop, merchant, where, payment_id, _CHARGE, scene.drill)

    async def _act(self, planned: SeededPayment, path: str, act: Act) -> Answer:
        body: dict[str, Any] = {}
        if act.percent is not None:
            body = {"amount": planned.share_minor(act.percent), "final_capture": act.final}
        key = f"{planned.key}-{act.verb}" + (f"-{act.percent}" if act.percent else "")
        merchant = self.merchant_of(planned)
        answer = await self._shop.keep_posting(act.verb, merchant, f"{path}/{act.verb}", body, key)
        must_be_answered(answer, act.verb)
        return await without_doubt(self._shop, merchant, path, answer, until=_doubt(planned))

    async def _seen(
        self, planned: SeededPayment, path: str, answer: Answer, *, is_new: bool
    ) -> Played:
        """The payment as the house shows it now."""
        payment = answer.payment
        if not payment or answer.status not in (200, 201, 402):
            shown = await self._shop.keep_getting(self.merchant_of(planned), path)
            payment = (shown if shown.status == 200 else answer).payment
        return Played(
            planned,
            payment_id=str(payment.get("id", "")),
            state=str(payment.get("state", "none")),
            provider=payment.get("provider"),
            is_new=is_new,
            passed=_passed(payment),
            wrong=_judged(planned, payment, answer),
        )


async def inject_once(
    shop: Shop, merchant: str, provider: str, payment_id: str, operation: str, do: str
) -> None:
    """A drill of the next such call of this payment, and of no other. Raises Stop 75."""
    match = {"payment": payment_id}
    rule = {"operation": operation, "do": do, "count": 1, "match": match}
    path = f"/providers/{provider}/inject-failure"
    must_be_answered(await shop.keep_posting("inject", merchant, path, rule, None), "inject")


def must_be_answered(answer: Answer, what: str) -> None:
    """Raises Stop 75 for a house that was asked for as long as a shop asks, in vain."""
    if answer.again:
        how = f"{answer.status} {answer.code}" if answer.status else "not at all"
        raise Stop(TRY_LATER, f"{what} was answered {how}, again and again", _AGAIN)


def _doubt(planned: SeededPayment) -> str:
    """The doubt in which it is left."""
    return planned.scene.ends if planned.scene.ends == "unknown" else ""


def _is_done(act: Act, payment: dict[str, Any], planned: SeededPayment) -> bool:
    """Whether an earlier run has given this order: its key may have been forgotten since."""
    state, captures = payment.get("state"), len(payment.get("captures", ()))
    if act.verb == "authorize":
        return state != "created"
    if act.verb == "capture":
        claims = [one for one in planned.scene.acts if one.verb == "capture"]
        return captures > claims.index(act) or state in ("reversed", "declined")
    return state == "reversed"


def _passed(payment: dict[str, Any]) -> tuple[str, ...]:
    """States in which no payment stands still, or not for long."""
    seen = {
        "processing": payment.get("attempts"),
        "authorized": payment.get("amount_authorized"),
        "captured": payment.get("captures"),
    }
    return tuple(state for state, was in seen.items() if was)


def _said_first(answer: Answer) -> dict[str, Any]:
    """What a refused create was asked with the first time, if only its token and what goes with it
    are different."""
    diff = answer.body.get("diff", []) if answer.code == _REUSED else []
    fields = {one["field"]: one.get("first") for one in diff}
    return fields if fields.keys() <= _SAYS else {}


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
