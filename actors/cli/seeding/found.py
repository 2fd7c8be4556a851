"""What a house has of a seed already: its payments, and where its calendar stands.

Each payment carries what is needed to go on: the key of its order, the plan it belongs to, its day,
and when that plan's first day began. So nothing has to be remembered elsewhere.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from actors.cli.exits import TRY_LATER, Stop
from actors.cli.seeding.ids import Ids
from actors.cli.shop import Shop
from payrail.domain.timestamps import iso, parse_iso

#: In place of a merchant: the house's own key, which sees everybody's.
HOUSE = "house"
#: As many as one page of a list has.
PAGE = 100


@dataclass(frozen=True, slots=True)
class Began:
    """When day 0 of a plan began, in business time and on the wire; `plan` names the plan."""

    plan: str
    business_ms: int
    wire_ms: int

    @property
    def metadata(self) -> dict[str, str]:
        """As payments carry it."""
        return {
            "plan": self.plan,
            "began": iso(self.business_ms),
            "began_on_the_wire": iso(self.wire_ms),
        }


@dataclass(frozen=True, slots=True)
class Found:
    """`began` None: nothing was played here yet, or without days. `day` is that of the newest
    payment."""

    began: Began | None = None
    day: int = 0


async def pages(shop: Shop, path: str) -> AsyncIterator[list[dict[str, Any]]]:
    """A whole list, page by page, newest first. Raises Stop 75 when the house does not answer."""
    joint = "&" if "?" in path else "?"
    cursor = ""
    while True:
        about = f"{path}{joint}limit={PAGE}{cursor}"
        answer = await shop.keep_getting(HOUSE, about)
        if answer.status != 200:
            what = f"GET {path} answered {answer.status} {answer.code}".rstrip()
            raise Stop(TRY_LATER, what, "The same command once more goes on from here.")
        yield answer.body["data"]
        if not answer.body["has_more"]:
            return
        cursor = f"&cursor={answer.body['next_cursor']}"


async def look_back(shop: Shop, prefix: str, ids: Ids) -> Found:
    """Find every payment of the seed, put its id into `ids`, and tell where the newest stands."""
    found: Found | None = None
    async for rows in pages(shop, f"/payment-intents?q={prefix}"):
        for row in rows:
            said = row["metadata"]
            if not str(said.get("order", "")).startswith(prefix):
                continue
            ids.put(said["order"], row["id"])
            found = found or Found(began_of(said), int(said.get("day", 0)))
    return found or Found()


def began_of(said: dict[str, str]) -> Began | None:
    """What a payment's metadata says of its plan's beginning."""
    if "began" not in said:
        return None
    wire = said["began_on_the_wire"]
    return Began(said["plan"], parse_iso(said["began"]), parse_iso(wire))
