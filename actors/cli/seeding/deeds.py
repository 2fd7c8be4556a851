"""What follows on a payment, at once or days later: captures, refunds, disputes, as its plan says.

`orders` tells what to ask; here it is asked, and looked at again before the next order.
Never: judges an own refund: another person's key does.
"""

import asyncio
from collections.abc import Callable, Sequence

import msgspec

from actors.cli.doors import ask
from actors.cli.payments import without_doubt
from actors.cli.scenes import inject_once, must_be_answered
from actors.cli.seeding.orders import DONE, NO, Case, Order, order_of
from actors.cli.seeding.tally import Tally
from actors.cli.shop import Answer, Shop
from payrail.domain.synthetic import Follow, SeededPayment

_CHECKER = "approver"
_JUDGED = ("approve", "reject")
_ABOUT_CLAIMS = frozenset(
    {"refund", *_JUDGED, "dispute", "evidence", "submit", "accept", "resolve"}
)
_BEGINS = {"refund.requested": "refunds", "dispute.opened": "disputes"}
_IN_DOUBT = 202
#: How long an order about a refund or a dispute may stay in doubt, and how often it is looked at.
_LOOKS_MAX, _LOOK_S = 100, 0.1


class Deeds:
    """Gives planned orders at a house. `inner` are URL and secret of the providers' own door."""

    def __init__(
        self,
        shop: Shop,
        merchant_of: Callable[[SeededPayment], str],
        inner: tuple[str, str],
        tally: Tally,
    ) -> None:
        self._shop, self._merchant_of, self._inner, self._tally = shop, merchant_of, inner, tally

    async def follow(self, planned: SeededPayment, payment_id: str, due: Sequence[Follow]) -> None:
        """Give all these orders about one payment, in their order."""
        case, drill = await self._case(planned, payment_id), None
        for follow in due:
            if follow.verb == "drill":
                drill = follow
                continue
            what = NO if case.payment["state"] == "declined" else order_of(case, follow)
            if isinstance(what, Order):
                if drill is not None:
                    await self._inject(case, drill)
                await self._give(case, follow, what, looks=1 if drill else _LOOKS_MAX)
                case = await self._case(planned, payment_id)
            elif what != DONE:
                self._tally.skipped[follow.verb] += 1
            drill = None

    async def _give(self, case: Case, follow: Follow, order: Order, *, looks: int) -> None:
        answer = await self._asked(case, follow, order, looks)
        if answer.status in (200, 201, _IN_DOUBT):
            self._tally.deeds[follow.verb] += 1
            return
        why = f"{follow.verb} was answered {answer.status} {answer.code}".rstrip()
        self._tally.otherwise(case.planned.key, str(case.payment["id"]), why)

    async def _asked(self, case: Case, follow: Follow, order: Order, looks: int) -> Answer:
        if order.provider:
            url, secret = self._inner
            status, shown = await asyncio.to_thread(
                ask, "POST", f"{url}{order.path}", order.body, key=secret
            )
            return Answer(status, msgspec.json.encode(shown))
        role = _CHECKER if follow.verb in _JUDGED else ""

        async def post() -> Answer:
            return await self._shop.keep_posting(
                follow.verb, case.merchant, order.path, order.body, order.key, role=role
            )

        answer = await post()
        must_be_answered(answer, follow.verb)
        if follow.verb in ("capture", "cancel"):
            about = f"/payment-intents/{case.payment['id']}"
            return await without_doubt(self._shop, case.merchant, about, answer)
        for _ in range(looks):
            if answer.status != _IN_DOUBT:
                break
            await asyncio.sleep(_LOOK_S)
            answer = await post()  # The same key tells its end.
        return answer

    async def _case(self, planned: SeededPayment, payment_id: str) -> Case:
        merchant = self._merchant_of(planned)
        shown = await self._shop.keep_getting(merchant, f"/payment-intents/{payment_id}")
        must_be_answered(shown, "GET of a payment")
        case = Case(planned, merchant, shown.body)
        if any(one.verb in _ABOUT_CLAIMS for one in planned.later):
            await self._claims(case)
        return case

    async def _claims(self, case: Case) -> None:
        """Refunds and disputes of the payment, by way of its ledger: lists would be searched from
        end to end."""
        book = await self._shop.keep_getting(case.merchant, f"/ledger/{case.payment['id']}")
        must_be_answered(book, "GET of a ledger")
        for entry in book.body["entries"]:
            name = _BEGINS.get(entry["type"])
            found = case.refunds if name == "refunds" else case.disputes
            if name is None or entry["ref"] in {one["id"] for one in found}:
                continue  # An inquiry that became a chargeback was opened twice.
            shown = await self._shop.keep_getting(case.merchant, f"/{name}/{entry['ref']}")
            must_be_answered(shown, f"GET of {name}")
            found.append(shown.body)

    async def _inject(self, case: Case, drill: Follow) -> None:
        """Begin the drill that is for the order that follows."""
        operation, _, do = drill.detail.partition(" ")
        payment_id, provider = str(case.payment["id"]), str(case.payment["provider"])
        await inject_once(self._shop, case.merchant, provider, payment_id, operation, do)
