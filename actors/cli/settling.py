"""Settle and reconcile what was captured, at a house that can.

Never: settles twice what is settled, or waits for a house that has no such routes yet.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from actors.cli.scenes import Played
from actors.cli.shop import Answer, Shop

#: In this order: files first, then the comparison that settles what they match.
ROUTES = ("/settlements", "/reconciliations")
#: How long matched payments may take to become `settled`.
SETTLED_S_MAX = 10.0
_LOOK_AGAIN_S = 0.1
_NO_SUCH_ROUTE = (404, 405)


@dataclass(frozen=True, slots=True)
class Settling:
    """`status`: done, not_due (nothing was left to settle), not_yet (the house has no such route)
    or failed; `told` says it for people."""

    status: str
    told: str


async def settle(shop: Shop, played: Sequence[Played]) -> tuple[Settling, list[Played]]:
    """Settle what is due. Result: what came of it, and the payments as they stand then."""
    due = [one for one in played if one.plan.scene.settles and one.state == "captured"]
    if not due:
        return Settling("not_due", "nothing was left to settle"), list(played)
    for path in ROUTES:
        answer = await _order(shop, path, due)
        if answer.status in _NO_SUCH_ROUTE:
            return Settling("not_yet", f"this house has no POST {path} yet"), list(played)
        if answer.status >= 400 or answer.status == 0:
            told = f"POST {path} answered {answer.status} {answer.code}".rstrip()
            return Settling("failed", told), list(played)
    now = {one.payment_id: state for one, state in await _watched(shop, due)}
    settled = sum(state == "settled" for state in now.values())
    told = f"{settled} of {len(due)} payments settled"
    seen = [replace(one, state=now.get(one.payment_id, one.state)) for one in played]
    return Settling("done" if settled == len(due) else "failed", told), seen


async def _order(shop: Shop, path: str, due: Sequence[Played]) -> Answer:
    """One order, asked for as often as it takes. Its key says for which payments: those of another
    run are another order."""
    first = due[0].plan
    key = f"{first.key}-{path.strip('/')}-{len(due)}"
    return await shop.keep_posting("settle", first.merchant_id, path, {}, key)


async def _watched(shop: Shop, due: Sequence[Played]) -> list[tuple[Played, str]]:
    """Each payment with its state, once it is settled or the time is over."""
    ends = asyncio.get_running_loop().time() + SETTLED_S_MAX

    async def state_of(one: Played) -> tuple[Played, str]:
        while True:
            path = f"/payment-intents/{one.payment_id}"
            state = str((await shop.get(one.plan.merchant_id, path)).body.get("state", one.state))
            if state == "settled" or asyncio.get_running_loop().time() > ends:
                return one, state
            await asyncio.sleep(_LOOK_AGAIN_S)

    return list(await asyncio.gather(*(state_of(one) for one in due)))
