"""8027 while the vault is sealed: the same routes, and one answer to all of them.

`/health` says why, and so does every refusal: 503 `vault-sealed`, to be tried again. Unknown paths,
methods and the document are answered as ever. Never: looks at a body, a key or a token.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from actors.vault.listener import vault_app
from payrail.errors import RequestError
from payrail.runtime.ports import Rng
from payrail.settings import Settings
from payrail.web.metrics import Handler
from payrail.web.server import serve

#: People have to do something first: no sense in asking every second.
RETRY_AFTER_S = 30


class SealedDoor:
    """Handlers of a sealed vault. Whatever route there is, its handler is `refuse`."""

    def __init__(self, why: str, settings: Settings, rng: Rng, log: Any) -> None:
        self.why = why
        self._settings, self._rng, self._log = settings, rng, log

    def __getattr__(self, _route: str) -> Handler:
        return self.refuse

    async def health(self, _request: web.Request) -> web.Response:
        told = {"status": "sealed", "actor": "vault", "why": self.why}
        return web.json_response(told, status=503, headers=_later())

    async def refuse(self, _request: web.Request) -> web.StreamResponse:
        raise self._refusal()

    def admit(self, _request: web.Request) -> None:
        """Nobody is let in. Raises RequestError 503."""
        raise self._refusal()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Answer at the vault's port."""
        app = vault_app(self, self._rng, self._log)
        runner = await serve(app, self._settings.host, self._settings.vault_port)
        try:
            yield
        finally:
            await runner.cleanup()

    def _refusal(self) -> RequestError:
        return RequestError(
            503,
            "vault-sealed",
            f"The vault is sealed, and nothing of this was written: {self.why}.",
            retryable=True,
            headers=_later(),
        )


def _later() -> dict[str, str]:
    return {"Retry-After": str(RETRY_AFTER_S)}
