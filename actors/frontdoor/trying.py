"""`?dry_run=true`: an order on its way to the gateway becomes the question what it would do.

Every check of the order is made before, its Idempotency-Key included, which is not taken.
"""

from typing import Any, Literal

from aiohttp import web
from msgspec import Struct
from pydantic import BaseModel

from actors.frontdoor.queries import bad_query
from payrail.domain.words.dry_run import FIELD_OF, DryRun

QUERY = "dry_run"
_YES_NO = {None: False, "true": True, "false": False}


class DryPosting(BaseModel):
    account: str
    amount: int
    currency: str


class DryEntry(BaseModel):
    type: str
    amount: int
    currency: str
    postings: list[DryPosting]


class DryFees(BaseModel):
    """Minor units of the payment's currency."""

    merchant: int
    provider: int


class DryCall(BaseModel):
    operation: Literal["authorize", "capture", "reverse", "refund"]
    provider: str


class DryRunShown(BaseModel):
    """What an order would do; `assuming` what each call would bring, null when there is none."""

    object: Literal["dry_run"]
    assuming: Literal["approved"] | None
    would: dict[str, Any]
    entries: list[DryEntry]
    fees: DryFees
    events: list[str]
    calls: list[DryCall]


def tried(request: web.Request, kind: str, order: Struct) -> tuple[str, Any]:
    """Kind and body of what is asked of the gateway. Raises RequestError 422 for a bad query."""
    given = request.query.getall(QUERY, [])
    value = given[0] if len(given) == 1 else None
    if len(given) > 1 or value not in _YES_NO:
        raise bad_query(QUERY, "must be true or false, once")
    if not _YES_NO[value]:
        return kind, order
    field: dict[str, Any] = {FIELD_OF[kind]: order}
    return "order.dry_run", DryRun(**field)
