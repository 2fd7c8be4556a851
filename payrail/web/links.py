"""Links of an answer: which operations go on from it, and with what of it.

What makes or shows a thing leads to everything under its path; where a body asks for the id of a
payment, making a payment leads there. Tests that walk through the API go along these.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from pydantic import BaseModel

_BODY_ID = "$response.body#/id"
#: The field of a body that names what another path makes.
_NAMES_OF = {"/payment-intents": "payment_intent", "/tokenize": "token"}


class Linked(Protocol):
    """What is needed of a route; see `payrail.web.openapi.Route`."""

    @property
    def method(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def summary(self) -> str: ...
    @property
    def takes(self) -> type[BaseModel] | None: ...
    @property
    def answers(self) -> type[BaseModel] | None: ...


def links(
    route: Linked, routes: Sequence[Linked], name_of: Callable[[str, str], str]
) -> dict[str, Any]:
    """Where the answer of `route` leads, by the name of the operation."""
    if route.method != "POST" or route.answers is None or "{" in route.path:
        return {}
    found: dict[str, Any] = {}
    for other in routes:
        link = _under(route, other) or _asked_for(route, other)
        if link is not None:
            name = name_of(other.method, other.path)
            found[name] = {"operationId": name, "description": other.summary, **link}
    return found


def _under(route: Linked, other: Linked) -> dict[str, Any] | None:
    """`/refunds` leads to `/refunds/{id}` and to all that stands below it."""
    rest = other.path.removeprefix(f"{route.path}/{{id}}")
    if rest == other.path or "{" in rest:
        return _in_ledger(route, other)
    return {"parameters": {"id": _BODY_ID}}


def _in_ledger(route: Linked, other: Linked) -> dict[str, Any] | None:
    if other.path != "/ledger/{id}" or route.path not in ("/payment-intents", "/refunds"):
        return None
    return {"parameters": {"id": _BODY_ID}}


def _asked_for(route: Linked, other: Linked) -> dict[str, Any] | None:
    field = _NAMES_OF.get(route.path)
    if field is None or other.takes is None or field not in other.takes.model_fields:
        return None
    value = _BODY_ID if field == "payment_intent" else f"$response.body#/{field}"
    return {"requestBody": {field: value}}
