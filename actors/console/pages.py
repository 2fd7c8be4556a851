"""What each page shows: how its facts are found, and which of its regions change by themselves.

A page and its live stream are made by the same lines, so that both always say the same.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from actors.console.api import ApiDown
from actors.console.money import books_of
from actors.console.render import words
from actors.console.shapes import Entry, Payments
from actors.console.story import challenge_link, story_of
from actors.console.watch import Watch

#: What of an address a list is asked for; the API judges the values.
FILTERS = ("state", "provider", "currency")
LIST_LIMIT, HOUSE_LIMIT = 50, 10

Facts = dict[str, Any]
_AWAY: Facts = {"payment": None, "entries": [], "story": None, "challenge_link": None}
Query = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Page:
    """One kind of page. `regions`: the ids of what is live, each a template of that name."""

    name: str
    title: str
    path: str
    regions: tuple[str, ...]
    find: Callable[[Watch, Query], Awaitable[Facts]]

    @property
    def template(self) -> str:
        return f"{self.name}.html"


async def facts_of(page: Page, watch: Watch, query: Query) -> Facts:
    """Everything that the page's templates name. Raises ApiRefused."""
    found = await page.find(watch, query)
    # What the finding just learned about the API is true for the whole page.
    return {
        **found,
        "page": page,
        "query": query,
        "api_url": watch.api.url,
        "seen": watch.seen,
        "tally": watch.tally,
        "summary": _summary(watch),
    }


async def _house(watch: Watch, _query: Query) -> Facts:
    payments = await _listed(watch, {"limit": str(HOUSE_LIMIT)})
    return {"payments": payments, "books": books_of(watch.seen.balances)}


async def _payments(watch: Watch, query: Query) -> Facts:
    wanted = {name: query[name] for name in (*FILTERS, "cursor") if query.get(name)}
    payments = await _listed(watch, {"limit": str(LIST_LIMIT), **wanted})
    kept = {name: text for name, text in wanted.items() if name != "cursor"}
    return {"payments": payments, "wanted": wanted, "kept": kept}


async def _payment(watch: Watch, query: Query) -> Facts:
    if watch.seen.down:
        return _AWAY
    try:
        payment = await watch.api.payment(query["id"])
        lines = (await watch.api.ledger(query["id"])).entries
        entries = [msgspec.json.decode(line, type=Entry) for line in lines]
    except ApiDown as error:
        watch.missed(str(error))
        return _AWAY
    except msgspec.MsgspecError:
        watch.missed("its ledger cannot be read")
        return _AWAY
    story = story_of([bytes(line) for line in lines])
    link = challenge_link(watch.api.url, payment)
    return {"payment": payment, "entries": entries, "story": story, "challenge_link": link}


async def _nothing_more(_watch: Watch, _query: Query) -> Facts:
    return {}


async def _listed(watch: Watch, query: Query) -> Payments | None:
    """None when nobody answers; who was away a moment ago is not waited for again."""
    if watch.seen.down:
        return None
    try:
        return await watch.api.payments(query)
    except ApiDown as error:
        watch.missed(str(error))
        return None


def _summary(watch: Watch) -> str:
    """How the house is, in one breath."""
    actors = watch.seen.actors
    if not actors:
        return "Nothing has been seen of the house yet."
    away = [f"{actor.name} is {actor.state}" for actor in actors if actor.state != "serving"]
    house = f"{', '.join(away)}." if away else f"All {len(actors)} actors serve."
    breakers = "".join(
        f" The breaker of {one.id} is {words(one.breaker.state.lower())}."
        for one in watch.seen.providers
        if one.breaker.state != "CLOSED"
    )
    doubt = watch.tally.in_doubt
    payments = f"{doubt:,} payments are" if doubt > 1 else f"{doubt or 'No'} payment is"
    old = "When it was seen last: " if watch.seen.down else ""
    return f"{old}{house}{breakers} {payments} in doubt."


_ALWAYS = ("notice", "pulse")
HOUSE = Page(
    "house",
    "House",
    "/",
    (*_ALWAYS, "summary", "line", "books", "providers", "actors", "newest", "activity"),
    _house,
)
PAYMENTS = Page("payments", "Payments", "/payments", (*_ALWAYS, "states", "list"), _payments)
PAYMENT = Page("payment", "Payment", "", (*_ALWAYS, "payment"), _payment)
OPERATIONS = Page(
    "operations", "Operations", "/operations", (*_ALWAYS, "summary", "actors"), _nothing_more
)
PROVIDERS = Page("providers_page", "Providers", "/providers", (*_ALWAYS, "breakers"), _nothing_more)
PAGES = {page.name: page for page in (HOUSE, PAYMENTS, PAYMENT, OPERATIONS, PROVIDERS)}
