"""Drills: faults that people inject at a provider, from the public door and from the inner one.

The answer comes when the rule is durable at the provider. Never: decides whether a rule makes
sense; the provider does.
"""

from collections.abc import Callable

from aiohttp import web

from actors.frontdoor.asking import Asking
from actors.frontdoor.heads import must_hold_no_card
from actors.frontdoor.health import House
from actors.frontdoor.lists import answered
from actors.frontdoor.models import COMMAND_BYTES_MAX, FaultRule
from payrail.domain.access import ADMINS
from payrail.domain.messages import ClearFaults, InjectFault
from payrail.security.apikeys import same_secret
from payrail.web.access import AccessView
from payrail.web.bodies import checked, read_object
from payrail.web.heads import bearer, unauthenticated

#: Who gave an order at the inner door, where there are no users.
INNER_USER = "internal"


class Drills:
    """Handlers of fault rules."""

    def __init__(self, asking: Asking, house: House, user_of: Callable[[web.Request], str]) -> None:
        self._asking, self._house, self._user_of = asking, house, user_of

    async def inject(self, request: web.Request) -> web.Response:
        user_id = self._user_of(request)
        provider = self._house.provider_named(request)
        rule = await read_object(request, COMMAND_BYTES_MAX)
        checked(FaultRule, rule)
        must_hold_no_card(rule)
        body = InjectFault(rule=rule, user_id=user_id)
        return await self._asking.ask(request, provider, "fault.inject", body)

    async def clear(self, request: web.Request) -> web.Response:
        user_id = self._user_of(request)
        provider = self._house.provider_named(request)
        return await self._asking.ask(request, provider, "fault.clear", ClearFaults(user_id))


def admin_of(access: AccessView) -> Callable[[web.Request], str]:
    """Tells the user of an admin's key. Raises RequestError 401 or 403."""

    def user_of(request: web.Request) -> str:
        return access.in_role(request, ADMINS).user_id

    return user_of


def insider(internal_secret: bytes) -> Callable[[web.Request], str]:
    """Lets in whoever knows the internal secret. Raises RequestError 401."""

    def user_of(request: web.Request) -> str:
        if not same_secret(bearer(request), internal_secret):
            raise unauthenticated("This door needs the internal secret.")
        return INNER_USER

    return user_of


async def inner_health(_request: web.Request) -> web.Response:
    """The inner door's own sign of life."""
    return answered({"status": "ok"})
