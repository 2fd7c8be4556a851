"""The header `PayRail-Fault`: a fault that a request asks for itself, judged before anything is
asked of anybody. For admins and operators, and for whoever knows the secret of the inner door.

It is no part of what an Idempotency-Key stands for: an order that is sent again is answered as it
was, whatever its header says.
Never: repeats what was sent.
"""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from actors.frontdoor.heads import must_hold_no_card
from payrail.domain.access import PAYERS
from payrail.domain.fault_wishes import CHARACTERS_MAX, HEADER, FaultWish, parse_wish
from payrail.errors import MalformedJson, RequestError
from payrail.storage import strict
from payrail.web.access import Caller
from payrail.web.parameters import Schema

#: As the document tells it, on every operation that takes it.
MAY: Mapping[str, Schema] = {
    HEADER: {
        "type": "string",
        "maxLength": CHARACTERS_MAX,
        "description": "A fault for the first call to a provider that this request leads to, as"
        " JSON: `do`, and if wanted `operation` (that call's, or `webhook` for its notice),"
        " `provider` (only there) and `fence`. For admins and operators. A second attempt at"
        " another provider goes without, and a replay ignores it.",
        "examples": ['{"do":"decline:insufficient_funds"}'],
    }
}


def fault_of(request: web.Request, caller: Caller, leads_to: str) -> FaultWish | None:
    """What this request wants to go wrong; None: nothing. Raises RequestError 403 or 422."""
    if HEADER not in request.headers:
        return None
    if caller.role not in PAYERS:
        detail = f"The header {HEADER} is for the roles {', '.join(sorted(PAYERS))}."
        raise RequestError(403, "forbidden", detail)
    return told(request, leads_to)


def told(request: web.Request, leads_to: str) -> FaultWish | None:
    """The same for whoever may in any case."""
    given = request.headers.getall(HEADER, [])
    if not given:
        return None
    if len(given) > 1:
        raise _no_rule("must be sent once")
    fields = _object(given[0])
    must_hold_no_card(fields)
    return parse_wish(fields, leads_to)


def _object(text: str) -> dict[str, Any]:
    if len(text) > CHARACTERS_MAX:
        raise _no_rule(f"is at most {CHARACTERS_MAX} characters long")
    try:
        found = strict.parse(text.encode("utf-8", "surrogateescape"))
    except MalformedJson as error:
        raise _no_rule(f"must be JSON: {error}") from None
    if not isinstance(found, dict):
        raise _no_rule('must be an object such as {"do":"down"}')
    return found


def _no_rule(message: str) -> RequestError:
    detail = f"The header {HEADER} does not hold a fault for this request."
    told = [{"field": HEADER, "message": message}]
    return RequestError(422, "validation-error", detail, errors=told)
