"""Merchants, users and keys over HTTP, for admins: ordered of the gateway, read from its book.

The order of the checks is: key (401), role (403), merchant (422), id (404), Idempotency-Key (400,
optional here), body (415, 413, 400, 422). A key's text is derived here, for the one answer that
shows it: neither gateway nor any file ever has it, and a repeated request derives it again.
"""

import re
from collections.abc import Sequence
from typing import Any

import msgspec
from aiohttp import web
from msgspec.structs import replace

from actors.frontdoor.asking import Asking
from actors.frontdoor.heads import command_head, idempotency_key, no_such
from actors.frontdoor.lists import LIMIT_DEFAULT, LIMIT_MAX, answered, listed
from actors.frontdoor.models import COMMAND_BYTES_MAX, NoFields
from actors.frontdoor.people_models import (
    KeyShown,
    KeysShown,
    KeyWithText,
    MerchantShown,
    MerchantsShown,
    NewKey,
    NewMerchant,
    NewUser,
    Rotation,
    UserShown,
    UsersShown,
)
from actors.frontdoor.queries import limit_of, place_of
from payrail.domain.access import ADMINS
from payrail.domain.people import Key, MerchantAdded, User, render_key, render_merchant, render_user
from payrail.domain.words.access import (
    AddKey,
    AddMerchant,
    AddUser,
    DeactivateUser,
    RevokeKey,
    RotateKey,
)
from payrail.domain.words.kinds import GATEWAY
from payrail.errors import RequestError
from payrail.runtime.ports import Rng
from payrail.security.apikeys import derive_key
from payrail.storage.lines import encode
from payrail.web.access import AccessView, Caller, must_name_merchant
from payrail.web.bodies import Body, checked, read_object
from payrail.web.openapi import Route

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII)
_MERCHANTS, _USERS, _KEYS = "/merchants", "/users", "/keys"
_PAGED = ("limit", "cursor")
#: No role of a merchant: the service key alone.
THE_HOUSE: frozenset[str] = frozenset()


class People:
    """Handlers of everything about merchants, users and keys."""

    def __init__(self, asking: Asking, access: AccessView, house_secret: bytes, rng: Rng) -> None:
        self._asking, self._access = asking, access
        self._house_secret, self._rng = house_secret, rng

    def routes(self) -> list[Route]:
        """8026: who may come in. For admins; merchants are added by the house alone."""
        return [
            replace(
                _made(_MERCHANTS, self.add_merchant, "Add a merchant", MerchantShown, NewMerchant),
                roles=THE_HOUSE,
            ),
            _list(_MERCHANTS, self.merchants, "List merchants", MerchantsShown),
            _shown(_MERCHANTS, self.merchant, "Show a merchant", MerchantShown),
            _made(_USERS, self.add_user, "Add a user", UserShown, NewUser),
            _list(_USERS, self.users, "List users, newest first", UsersShown),
            _shown(_USERS, self.user, "Show a user", UserShown),
            replace(
                _verb(_USERS, "deactivate", self.deactivate, "End a user, all keys", UserShown),
                codes=("last-admin-key",),
            ),
            _made(_KEYS, self.add_key, "Make a key; its text is shown once", KeyWithText, NewKey),
            _list(_KEYS, self.keys, "List keys, newest first, without their texts", KeysShown),
            _shown(_KEYS, self.key, "Show a key without its text", KeyShown),
            _verb(
                _KEYS,
                "rotate",
                self.rotate,
                "Make a new version; the old one ends at once, or after a grace",
                KeyWithText,
                Rotation,
            ),
            replace(
                _verb(_KEYS, "revoke", self.revoke, "End a key", KeyShown),
                codes=("last-admin-key",),
            ),
        ]

    async def add_merchant(self, request: web.Request) -> web.Response:
        caller = self._admin(request)
        if not caller.service or caller.merchant_id is not None:
            raise RequestError(403, "forbidden", "Only the house itself adds merchants.")
        fields, head = await self._body(request, caller, NewMerchant)
        return await self._ask(request, "merchant.add", AddMerchant(**fields, **head))

    async def add_user(self, request: web.Request) -> web.Response:
        caller = self._admin(request)
        must_name_merchant(caller)
        fields, head = await self._body(request, caller, NewUser)
        return await self._ask(request, "user.add", AddUser(**fields, **head))

    async def deactivate(self, request: web.Request) -> web.Response:
        caller, user = self._about_user(request)
        _, head = await self._body(request, caller, NoFields, empty_ok=True)
        order = DeactivateUser(id=user.user_id, **head)
        return await self._ask(request, "user.deactivate", order)

    async def add_key(self, request: web.Request) -> web.Response:
        caller = self._admin(request)
        fields, head = await self._body(request, caller, NewKey)
        key_role = fields.pop("role")
        order = AddKey(key_role=key_role, **fields, **head)
        return self._with_text(await self._ask(request, "key.add", order))

    async def rotate(self, request: web.Request) -> web.Response:
        caller, key = self._about_key(request)
        fields, head = await self._body(request, caller, Rotation, empty_ok=True)
        order = RotateKey(id=key.key_id, **fields, **head)
        return self._with_text(await self._ask(request, "key.rotate", order))

    async def revoke(self, request: web.Request) -> web.Response:
        caller, key = self._about_key(request)
        _, head = await self._body(request, caller, NoFields, empty_ok=True)
        return await self._ask(request, "key.revoke", RevokeKey(id=key.key_id, **head))

    async def merchants(self, request: web.Request) -> web.Response:
        caller = self._admin(request)
        rows = self._access.directory.merchants.values()
        mine = [render_merchant(one) for one in rows if _is_of(one, caller)]
        return _page(request, mine)

    async def users(self, request: web.Request) -> web.Response:
        caller = self._admin(request)
        rows = self._access.directory.users.values()
        return _page(request, [render_user(one) for one in rows if _is_of(one, caller)])

    async def keys(self, request: web.Request) -> web.Response:
        caller = self._admin(request)
        rows = self._access.directory.keys.values()
        return _page(request, [render_key(one) for one in rows if _is_of(one, caller)])

    async def merchant(self, request: web.Request) -> web.Response:
        caller = self._admin(request)
        known = self._access.directory.merchants.get(_id(request))
        if known is None or not _is_of(known, caller):
            raise no_such("merchant")
        return answered(render_merchant(known))

    async def user(self, request: web.Request) -> web.Response:
        return answered(render_user(self._about_user(request)[1]))

    async def key(self, request: web.Request) -> web.Response:
        return answered(render_key(self._about_key(request)[1]))

    def _admin(self, request: web.Request) -> Caller:
        caller = self._access.in_role(request, ADMINS)
        return caller

    def _about_user(self, request: web.Request) -> tuple[Caller, User]:
        caller = self._admin(request)
        known = self._access.directory.users.get(_id(request))
        if known is None or not _is_of(known, caller):
            raise no_such("user")
        return caller, known

    def _about_key(self, request: web.Request) -> tuple[Caller, Key]:
        caller = self._admin(request)
        known = self._access.directory.keys.get(_id(request))
        if known is None or not _is_of(known, caller):
            raise no_such("key")
        return caller, known

    async def _body(
        self, request: web.Request, caller: Caller, model: type[Body], *, empty_ok: bool = False
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """The body's fields, and what the order says about its asker."""
        key = self._once(request)
        given = await read_object(request, COMMAND_BYTES_MAX, empty_ok=empty_ok)
        checked(model, given)
        return dict(given), command_head(request, caller, key, given)

    def _once(self, request: web.Request) -> str:
        """The key that was sent, or one of our own: asked again after a rebirth of the gateway,
        an order has one effect also without a key."""
        if "Idempotency-Key" in request.headers:
            return idempotency_key(request)
        return f"door-{self._rng.token_hex(16)}"

    async def _ask(self, request: web.Request, kind: str, order: Any) -> web.Response:
        return await self._asking.ask(request, GATEWAY, kind, order)

    def _with_text(self, answer: web.Response) -> web.Response:
        """Show the key's text beside it, in this answer alone."""
        if answer.status >= 300 or not isinstance(answer.body, bytes):
            return answer
        shown = msgspec.json.decode(answer.body)
        shown["key"] = derive_key(
            self._house_secret, shown["id"], shown["version"], publishable=shown["publishable"]
        )
        answer.body = encode(shown)
        return answer


def _is_of(one: MerchantAdded | User | Key, caller: Caller) -> bool:
    return caller.merchant_id in (None, one.merchant_id)


def _id(request: web.Request) -> str:
    """The id out of the path; what can be none is as unknown as any other."""
    given = request.match_info["id"]
    return given if _ID.fullmatch(given) else ""


def _page(request: web.Request, rows: Sequence[dict[str, Any]]) -> web.Response:
    """Newest first; the cursor is a place, behind which nothing new ever comes."""
    limit = limit_of(request, LIMIT_DEFAULT, LIMIT_MAX)
    end = min(place_of(request, "cursor", len(rows)), len(rows))
    begin = max(0, end - limit)
    return listed(list(reversed(rows[begin:end])), str(begin) if begin else None)


def _made(path: str, handler: Any, summary: str, shown: Any, takes: type[Body]) -> Route:
    return Route("POST", path, handler, summary, shown, status=201, takes=takes, roles=ADMINS)


def _list(path: str, handler: Any, summary: str, shown: Any) -> Route:
    return Route("GET", path, handler, summary, shown, query=_PAGED, roles=ADMINS)


def _shown(path: str, handler: Any, summary: str, shown: Any) -> Route:
    return Route("GET", f"{path}/{{id}}", handler, summary, shown, roles=ADMINS)


def _verb(
    path: str, verb: str, handler: Any, summary: str, shown: Any, takes: type[Body] = NoFields
) -> Route:
    return Route(
        "POST",
        f"{path}/{{id}}/{verb}",
        handler,
        summary,
        shown,
        takes=takes,
        body_needed=False,
        roles=ADMINS,
    )
