"""`/unlock` and `/protect` of an open vault, for who has the internal secret.

Never: logs a body.
"""

from aiohttp import web

from actors.vault.operator_models import Protect, Unlock, wrong
from actors.vault.protecting import Protector
from payrail.security.apikeys import same_secret
from payrail.web.bodies import read_json
from payrail.web.heads import bearer, unauthenticated


class OperatorsDoor:
    """Handlers about who holds the keys."""

    def __init__(self, protector: Protector, internal_secret: bytes) -> None:
        self._protector, self._internal_secret = protector, internal_secret

    async def seal(self, request: web.Request) -> web.Response:
        must_be_inside(request, self._internal_secret)
        return shown(sealed=False, missing=[], operators=self._protector.operators)

    async def unlock(self, request: web.Request) -> web.Response:
        """It is open: nobody's passphrase is tried."""
        must_be_inside(request, self._internal_secret)
        await read_json(request, Unlock)
        return shown(sealed=False, missing=[], operators=self._protector.operators)

    async def protect(self, request: web.Request) -> web.Response:
        must_be_inside(request, self._internal_secret)
        body = await read_json(request, Protect)
        if body.off and body.operators:
            raise wrong("operators", "must be left out when the keys go back into clear")
        if body.off:
            await self._protector.expose(body.current)
        else:
            await self._protector.protect(body.operators, body.current)
        names = self._protector.operators
        return web.json_response({"protected": bool(names), "operators": names})


def must_be_inside(request: web.Request, internal_secret: bytes) -> None:
    """Raises RequestError 401 without the internal secret."""
    if not same_secret(bearer(request), internal_secret):
        raise unauthenticated("This needs the internal secret.")


def shown(*, sealed: bool, missing: list[str], operators: list[str]) -> web.Response:
    return web.json_response({"sealed": sealed, "missing": missing, "operators": operators})
