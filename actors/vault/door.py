"""What the vault's HTTP door does with a request: where a card comes in and stays.

A number is checked, encrypted and dropped before anything is written; a CVC is checked for its
length and dropped. The rest is asked of the vault by mailbox, so that every answer has its line in
the access log. While that log cannot be written, nothing is handed out: 503 `audit-unavailable`.
Never: puts a number, a CVC or an unreadable token into a message, an error or a log.
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from aiohttp import web
from msgspec import Struct

from actors.vault.access import PURPOSES, shown_token
from actors.vault.cipher import Card, VaultKeys
from actors.vault.door_models import (
    ChargeToken,
    Detokenize,
    TokenizeCard,
    checked_number,
)
from actors.vault.operators_door import OperatorsDoor, must_be_inside
from payrail.domain.access import TOKEN_DELETERS, TOKEN_READERS
from payrail.domain.cards import bin_of, brand_of, find_pans, last4
from payrail.domain.messages import LookUpCard, StoreCard
from payrail.domain.words.cards import DeleteCard
from payrail.domain.words.vault_keys import LookAtKeys, RotateKeys
from payrail.errors import RequestError
from payrail.runtime.edge import Edge
from payrail.runtime.ports import Clock, Rng
from payrail.web.access import AccessView, Caller, must_name_merchant
from payrail.web.bodies import read_json
from payrail.web.correlation import correlation_id
from payrail.web.heads import bearer
from payrail.web.limits import Limits
from payrail.web.replies import passed_on

EDGE, VAULT = "vault.http", "vault"
ORIGIN = "http"
#: Who asks when the internal secret is shown.
INSIDER = "internal"
#: Paths that take the internal secret.
INSIDE = ("/charge-token", "/rotate-keys", "/unlock", "/protect")
#: Calls without a right key that are written down; more are refused without a line.
REFUSALS_PER_S = 5
_TOKEN_BYTES = 16
#: How often a waiting question looks whether the log can still be written.
_LOOK_S = 0.25
_UNAUTHENTICATED = 401
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)


class VaultDoor:
    """Handlers of 8027."""

    def __init__(  # noqa: PLR0913 - its ports, by name.
        self,
        *,
        edge: Edge,
        access: AccessView,
        keys: VaultKeys,
        operators: OperatorsDoor,
        clock: Clock,
        rng: Rng,
        internal_secret: bytes,
        budget_ms: int,
        blocked: Callable[[], bool],
    ) -> None:
        self._edge, self._access, self._keys = edge, access, keys
        self._clock, self._rng, self._internal_secret = clock, rng, internal_secret
        self._budget_ms, self._blocked = budget_ms, blocked
        self._limits = Limits(clock.monotonic_ms)
        self.operators = operators
        self.odd: Mapping[str, int] = {}  # runs of odd uses of cards, by kind; see `watching`
        self.leaving = False  # the vault takes no more: whoever waits is told so

    async def tokenize(self, request: web.Request) -> web.Response:
        caller = self._caller(request)
        merchant_id = must_name_merchant(caller)
        body = await read_json(request, TokenizeCard)
        now = datetime.fromtimestamp(self._clock.now().business_ms // 1000, UTC)
        number = checked_number(body, now.year, now.month)
        token = f"tok_{self._rng.token_hex(_TOKEN_BYTES)}"
        card = Card(number, body.exp_month, body.exp_year, body.name)
        try:
            stored = self._keys.encrypt(token, card)
        except OSError:
            raise _no_card_key() from None
        order = StoreCard(
            token=token,
            merchant_id=merchant_id,
            who=caller.user_id,
            origin=ORIGIN,
            brand=brand_of(number),
            bin=bin_of(number),
            last4=last4(number),
            fingerprint=self._keys.fingerprint(merchant_id, number),
            exp_month=body.exp_month,
            exp_year=body.exp_year,
            key_id=stored.key_id,
            ciphertext=stored.ciphertext,
            slot=stored.slot,
            usage=body.usage,
            expires_in_s=body.expires_in_s,
        )
        return await self._ask(request, "card.store", order, token)

    async def detokenize(self, request: web.Request) -> web.Response:
        caller = await self._noted(request)
        body = await read_json(request, Detokenize)
        return await self._look_up(request, caller, body.token, body.purpose, "last4")

    async def token(self, request: web.Request) -> web.Response:
        given = request.match_info["id"]
        caller = await self._noted(request, given, "support.last4")
        return await self._look_up(request, caller, given, "support.last4", "metadata")

    async def delete_token(self, request: web.Request) -> web.Response:
        caller = await self._noted(request, request.match_info["id"], "delete")
        allowed = caller.role in TOKEN_DELETERS and not caller.publishable
        order = DeleteCard(
            token=shown_token(request.match_info["id"]),
            merchant_id=caller.merchant_id,
            who=caller.user_id,
            origin=ORIGIN,
            refused=None if allowed else "role_refused",
        )
        return await self._ask(request, "card.delete", order, order.token)

    async def charge_token(self, request: web.Request) -> web.Response:
        if not self._is_inside(request):
            await self._note_refused(request)
        self._must_be_inside(request)
        body = await read_json(request, ChargeToken)
        wish = LookUpCard(
            token=shown_token(body.token),
            merchant_id=None,
            who=INSIDER,
            origin=ORIGIN,
            purpose=_known_purpose(body.purpose),
            want="sealed",
            provider=_word("provider", body.provider),
            payment_id=_word("payment_id", body.payment_id),
            operation_id=_word("operation_id", body.operation_id),
        )
        return await self._ask(request, "card.lookup", wish, wish.token)

    async def rotate(self, request: web.Request) -> web.Response:
        """A new key. Whoever may not is written down, too, as often as a log can bear."""
        order = RotateKeys(INSIDER, ORIGIN)
        if not self._is_inside(request):
            self._limits.must_pass("rotate", REFUSALS_PER_S)
            order = RotateKeys(self._name_of(request), ORIGIN, "unauthenticated")
        return await self._ask(request, "keys.rotate", order, "keys")

    async def rotation(self, request: web.Request) -> web.Response:
        self._must_be_inside(request)
        return await self._ask(request, "keys.look", LookAtKeys(), "keys")

    async def health(self, _request: web.Request) -> web.Response:
        if self._blocked():
            raise _audit_unavailable()
        return web.json_response({"status": "ok", "actor": VAULT, "anomalies": dict(self.odd)})

    def admit(self, request: web.Request) -> None:
        """Let a request in by its key, or by the secret that its path takes. Raises RequestError
        401 or 429."""
        if request.path in INSIDE:
            self._must_be_inside(request)
        else:
            self._caller(request)

    def _must_be_inside(self, request: web.Request) -> None:
        must_be_inside(request, self._internal_secret)

    def _is_inside(self, request: web.Request) -> bool:
        try:
            self._must_be_inside(request)
        except RequestError:
            return False
        return True

    def _name_of(self, request: web.Request) -> str:
        """Who shows a key that opens other doors, for the log. Raises RequestError 429."""
        try:
            return self._access.authenticate(bearer(request)).user_id
        except RequestError as refusal:
            if refusal.status == 429:
                raise
            return "unknown"

    def _caller(self, request: web.Request) -> Caller:
        caller = self._access.authenticate(bearer(request))
        return self._access.speaking_for(caller, request.headers)

    async def _noted(self, request: web.Request, token: str = "", purpose: str = "") -> Caller:
        """Who asks about a card. Raises RequestError; whoever has no right key is written down."""
        try:
            return self._caller(request)
        except RequestError as refusal:
            if refusal.status == _UNAUTHENTICATED:
                await self._note_refused(request, token, purpose)
            raise

    async def _note_refused(self, request: web.Request, token: str = "", purpose: str = "") -> None:
        """Leave a line of a look-up without a right key, as often as a log can bear. Its body is
        not read, so that its token and purpose are known from a path alone."""
        try:
            self._limits.must_pass("look-up", REFUSALS_PER_S)
            wish = LookUpCard(
                token=shown_token(token),
                merchant_id=None,
                who=self._name_of(request),
                origin=ORIGIN,
                purpose=purpose or "unknown",
                want="nothing",
                refused="unauthenticated",
            )
            await self._ask(request, "card.lookup", wish, wish.token)
        except RequestError:
            return  # A log that takes no line gives nobody a card; this one gets none anyway.

    async def _look_up(
        self, request: web.Request, caller: Caller, token: str, purpose: str, want: str
    ) -> web.Response:
        """Ask for a card's shadow; a refusal of ours is asked too, so that it leaves its line."""
        allowed = caller.role in TOKEN_READERS and not caller.publishable
        wish = LookUpCard(
            token=shown_token(token),
            merchant_id=caller.merchant_id,
            who=caller.user_id,
            origin=ORIGIN,
            purpose=_known_purpose(purpose),
            want=want if allowed else "nothing",
            refused=None if allowed else "role_refused",
        )
        return await self._ask(request, "card.lookup", wish, wish.token)

    async def _ask(self, request: web.Request, kind: str, body: Struct, about: str) -> web.Response:
        """The vault's answer, unless its log cannot be written. Raises RequestError."""
        if self._blocked():
            raise _audit_unavailable()
        asking = asyncio.ensure_future(
            self._edge.ask(
                VAULT,
                kind,
                body,
                correlation_id=correlation_id(request),
                budget_ms=self._budget_ms,
                key=about,
            )
        )
        try:
            while not asking.done():
                await asyncio.wait((asking,), timeout=_LOOK_S)
                if not asking.done() and self._blocked():
                    raise _audit_unavailable()
                if not asking.done() and self.leaving:
                    raise _going_down()
        finally:
            asking.cancel()
        return passed_on(asking.result())


def _known_purpose(given: str) -> str:
    """The purpose as the log may hold it: one of ours, nothing, or a word for anything else."""
    return given if given in PURPOSES or not given else "unknown"


def _word(field: str, given: str) -> str:
    if _WORD.fullmatch(given) and not find_pans(given):
        return given
    raise RequestError(
        422,
        "validation-error",
        "A name that is none.",
        errors=[{"field": field, "message": "must be 1 to 64 letters, digits or _ . -"}],
    )


def _audit_unavailable() -> RequestError:
    return RequestError(
        503,
        "audit-unavailable",
        "The access log cannot be written, so no card is touched; try again later.",
        retryable=True,
        headers={"Retry-After": "5"},
    )


def _no_card_key() -> RequestError:
    return RequestError(
        503,
        "card-key-unavailable",
        "A new card's own key cannot be made durable, so the card was not stored; try again later.",
        retryable=True,
        headers={"Retry-After": "5"},
    )


def _going_down() -> RequestError:
    return RequestError(
        504,
        "actor-restarting",
        "The vault goes down; ask again.",
        retryable=True,
        headers={"Retry-After": "1"},
    )
