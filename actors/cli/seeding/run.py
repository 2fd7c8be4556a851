"""One run of `payrail seed`: is the house fit, play, look, tell.

Never: makes a secret. Keys are derived from that of the house which runs.
"""

import asyncio
from collections.abc import Mapping

from rich.console import Console

from actors.cli.common import put_json, say
from actors.cli.doors import wait_until_ready
from actors.cli.exits import NOT_RUNNING, SETTINGS, Stop
from actors.cli.keys import demo_keys, house_secret
from actors.cli.pace import Pace
from actors.cli.progress import days_bar
from actors.cli.providers import internal_secret_text, service_key_text
from actors.cli.scenes import Stage
from actors.cli.seeding.calendar import Calendar
from actors.cli.seeding.deeds import Deeds
from actors.cli.seeding.ends import seen
from actors.cli.seeding.found import HOUSE, look_back
from actors.cli.seeding.happenings import Happenings
from actors.cli.seeding.ids import Ids
from actors.cli.seeding.merchants import Registered, Registry
from actors.cli.seeding.month import Month, Parts, Told, first_day
from actors.cli.seeding.report import as_summary, print_so_far, print_summary
from actors.cli.seeding.tally import Tally
from actors.cli.settling import Settling, judged, settle
from actors.cli.shop import Keys, Shop
from payrail.domain.synthetic import MERCHANTS, Plan
from payrail.domain.synthetic.shops import SHOPS
from payrail.settings import Settings

#: Payments under way at once.
LANES = 16


async def play(chosen: Settings, plan: Plan, *, rate: float | None, as_json: bool) -> bool:
    """Play the plan with a progress bar on stderr; result: whether all ended as planned."""
    await asyncio.to_thread(wait_until_ready, chosen.api_url)
    keys = keys_of(chosen)
    with Ids(plan.payments * 2) as ids:
        async with Shop(chosen.api_url, chosen.vault_url, keys, is_measured=False) as shop:
            await _must_know_us(shop, keys, chosen)
            registered = await asyncio.to_thread(_registered, chosen, plan)
            keys |= registered.keys
            run = _Run(chosen, plan, shop, ids, Pace(rate), registered.names)
            await run.play()
            return await run.tell(as_json=as_json)


class _Run:
    """What one run is made of."""

    def __init__(
        self,
        chosen: Settings,
        plan: Plan,
        shop: Shop,
        ids: Ids,
        pace: Pace,
        names: Mapping[str, str],
    ) -> None:
        inner = chosen.provider_url, internal_secret_text()
        self._chosen, self._plan, self._shop = chosen, plan, shop
        self._day, self._prefix = 0, f"seed-{plan.seed:_}-"
        tally, stage = Tally(), Stage(shop, ids.get, names=names)
        happenings = Happenings(shop, plan, names, inner, tally)
        deeds = Deeds(shop, stage.merchant_of, inner, tally)
        calendar = Calendar(shop)
        self._parts = Parts(ids, stage, deeds, happenings, calendar, tally, pace, LANES)

    async def play(self) -> None:
        """Raises Stop 75 when the house does not answer any more, or business time stands."""
        plan, parts = self._plan, self._parts
        found = await look_back(self._shop, self._prefix, parts.ids)
        await self._say_where()
        done = sum(plan.size_of(day) for day in range(first_day(plan, found))) if plan.days else 0
        with days_bar("seeding", plan.payments, plan.days, done) as bar:

            def on_day(day: int) -> None:
                self._day = day
                bar.day(day)

            month = Month(plan, parts, Told(lambda _: bar.advance(), on_day))
            try:
                await month.play(found)
            except (asyncio.CancelledError, Stop):
                print_so_far(Console(stderr=True), parts.tally, self._day)
                raise

    async def _say_where(self) -> None:
        """What people should know before their clock moves."""
        shown = await self._shop.keep_getting(HOUSE, "/clock")
        if self._plan.days and shown.body.get("mode") == "freeze":
            say("business time is frozen: it is moved on day by day, and stays frozen")

    async def tell(self, *, as_json: bool) -> bool:
        """Look at what has become of it, and tell; whether all is as planned."""
        plan, parts, chosen = self._plan, self._parts, self._chosen
        settling = Settling("done", "by the batches of each day")
        if plan.days == 0:
            settling = await settle(parts.happenings, parts.tally.waiting)
        ends = await seen(self._shop, self._prefix, parts.happenings)
        if plan.days == 0:
            settling = judged(settling, parts.tally, ends)
        if as_json:
            put_json(as_summary(chosen, plan.seed, plan.days, parts.tally, ends, settling))
        else:
            print_summary(Console(), chosen, plan.seed, parts.tally, ends, settling)
        return settling.status != "failed" and not parts.tally.wrong_count


def _registered(chosen: Settings, plan: Plan) -> Registered:
    """The merchants that the plan needs beyond those of the demo."""
    wanted = [one.merchant for one in SHOPS[len(MERCHANTS) : plan.merchants]]
    if not wanted:
        return Registered()
    registry = Registry(chosen.api_url, service_key_text(), house_secret(chosen))
    return registry.register(wanted)


def keys_of(chosen: Settings) -> dict[str, dict[str, str]]:
    """The demo merchants' keys, derived from the secret of the house that runs, and the house's
    own. Raises Stop in a home without one: a secret made here would be another one."""
    made = chosen.home / "data" / "secrets" / "house"
    if not chosen.house_secret.get_secret_value() and not made.exists():
        what = f"{chosen.home} holds no secret of a house"
        raise Stop(SETTINGS, what, "Set PAYRAIL_HOME to the home of the house that runs.")
    return {**demo_keys(chosen), HOUSE: {"admin": service_key_text()}}


async def _must_know_us(shop: Shop, keys: Keys, chosen: Settings) -> None:
    """Raises Stop unless the house knows the keys, and somebody answers at the vault."""
    for merchant_id in keys:
        status = (await shop.keep_getting(merchant_id, "/payment-intents?limit=1")).status
        if status in (401, 403):
            what = f"the house at {chosen.api_url} does not know {merchant_id}'s key"
            remedy = "Start it with `payrail up --demo`, and set PAYRAIL_HOME to its home."
            raise Stop(SETTINGS, what, remedy)
    if not await shop.vault_answers():
        what = f"nobody answers at {chosen.vault_url}"
        raise Stop(NOT_RUNNING, what, "Set PAYRAIL_VAULT_URL to where the vault is reached.")
