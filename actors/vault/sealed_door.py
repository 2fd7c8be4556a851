"""8027 while the vault is sealed: the same routes, and one answer to nearly all of them.

`/health` says why, and so does every refusal: 503 `vault-sealed`, to be tried again. Unknown paths,
methods and the document are answered as ever. Only `/unlock` does something: once both operators
have given their passphrases, the keys are tried, and the answer comes when the vault serves.
Never: looks at another body, a key or a token, or logs a passphrase.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from actors.vault.cipher import VaultKeys
from actors.vault.guard import Guard
from actors.vault.listener import vault_app
from actors.vault.operator_models import Unlock
from actors.vault.operators import Wrapping, waits_for, wrapping_of
from actors.vault.operators_door import must_be_inside, shown
from actors.vault.refusals import VaultSealed
from payrail.errors import RequestError
from payrail.runtime.control import Control
from payrail.runtime.driver import Driver
from payrail.runtime.ports import Rng
from payrail.web.bodies import read_json
from payrail.web.metrics import Handler
from payrail.web.server import serve

#: People have to do something first: no sense in asking every second.
RETRY_AFTER_S = 30


class SealedDoor:
    """Handlers of a sealed vault. Whatever route there is, its handler is `refuse`."""

    def __init__(
        self,
        why: str,
        *,
        guard: Guard | None,
        open_keys: Callable[[Wrapping], VaultKeys],
        internal_secret: bytes,
        rng: Rng,
        log: Any,
        origins: Collection[str] = frozenset(),
    ) -> None:
        """`guard`: None when no passphrase would help; `open_keys` raises VaultSealed."""
        self.why, self._guard, self._open_keys = why, guard, open_keys
        self._internal_secret, self._rng, self._log = internal_secret, rng, log
        self._origins = origins
        self.operators = _Operators(self)
        self._shares: dict[str, bytes] = {}
        self.keys: asyncio.Future[VaultKeys] = asyncio.get_running_loop().create_future()
        self._over = asyncio.Event()  # it serves, or it never will in this life
        self._serves = False
        self._runner: web.AppRunner | None = None

    def __getattr__(self, _route: str) -> Handler:
        return self.refuse

    async def health(self, _request: web.Request) -> web.Response:
        told = {"status": "sealed", "actor": "vault", "why": self.why}
        return web.json_response(told, status=503, headers=_later())

    async def refuse(self, _request: web.Request) -> web.StreamResponse:
        raise self.refusal()

    def admit(self, _request: web.Request) -> None:
        """Nobody is let in. Raises RequestError 503."""
        raise self.refusal()

    def refusal(self) -> RequestError:
        return RequestError(
            503,
            "vault-sealed",
            f"The vault is sealed, and nothing of this was written: {self.why}.",
            retryable=True,
            headers=_later(),
        )

    # Unlocking.

    async def seal(self, request: web.Request) -> web.Response:
        must_be_inside(request, self._internal_secret)
        return self._shown()

    async def unlock(self, request: web.Request) -> web.Response:
        """Take one operator's passphrase. Raises RequestError."""
        must_be_inside(request, self._internal_secret)
        body = await read_json(request, Unlock)
        if self._guard is None:
            raise self.refusal()
        self._shares[body.operator] = await self._guard.share(body.operator, body.passphrase)
        self._log.info("vault.operator_came", operator=body.operator, missing=self.missing)
        if self.missing:
            self.why = waits_for(self.missing)
            return self._shown()
        self._try_keys(wrapping_of(self._guard.protection, self._shares))
        await self._over.wait()
        if not self._serves:
            raise self.refusal()
        return shown(sealed=False, missing=[], operators=self._names)

    @property
    def missing(self) -> list[str]:
        return [name for name in self._names if name not in self._shares]

    @property
    def _names(self) -> list[str]:
        return self._guard.protection.names if self._guard else []

    def _shown(self) -> web.Response:
        return shown(sealed=True, missing=self.missing, operators=self._names)

    def _try_keys(self, wrapping: Wrapping) -> None:
        """Raises RequestError 503 when the keys do not fit all the same."""
        if self.keys.done():
            return
        try:
            self.keys.set_result(self._open_keys(wrapping))
        except VaultSealed as sealed:
            self.why = sealed.why
            self._log.error("vault.sealed", why=self.why)
            raise self.refusal() from sealed

    # Its listener.

    @asynccontextmanager
    async def listening(self, host: str, port: int) -> AsyncIterator[None]:
        """Answer at the vault's port."""
        self._runner = await serve(vault_app(self, self._rng, self._log, self._origins), host, port)
        try:
            yield
        finally:
            self._over.set()
            await self._close()

    async def make_way(self) -> None:
        """Leave the port to the open vault; who has asked already is still answered."""
        for site in list(self._runner.sites if self._runner else ()):
            await site.stop()

    @asynccontextmanager
    async def opened(self, _driver: Driver[Any], _control: Control) -> AsyncIterator[None]:
        """The last door of the open vault: from here on it serves, and who unlocked it is told."""
        self._serves = True
        self._over.set()
        closing = asyncio.create_task(self._close())
        try:
            yield
        finally:
            await closing

    async def _close(self) -> None:
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()


class _Operators:
    """The operators' routes of a sealed vault: nothing can be protected before it is open."""

    def __init__(self, door: SealedDoor) -> None:
        self.seal, self.unlock, self.protect = door.seal, door.unlock, door.refuse


def _later() -> dict[str, str]:
    return {"Retry-After": str(RETRY_AFTER_S)}
