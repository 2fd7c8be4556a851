"""The vault's HTTP listener, in its own process: opens when the actor lives, ends with it."""

from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from msgspec.structs import replace

from actors.vault.cipher import VaultKeys
from actors.vault.door import EDGE, VAULT, VaultDoor
from actors.vault.operators_door import OperatorsDoor
from actors.vault.protecting import Protector
from actors.vault.routes import TOKENIZE, vault_routes
from actors.vault.watching import LogWatch, watching
from payrail.runtime.control import Control
from payrail.runtime.driver import Driver
from payrail.runtime.edge import Edge
from payrail.runtime.ports import Bell, Clock, Fs, Rng
from payrail.runtime.resident import Door
from payrail.security.secrets import secret, service_key
from payrail.settings import Settings
from payrail.web import docs_page, openapi
from payrail.web.access import AccessView
from payrail.web.cors import let_in, origins_of
from payrail.web.openapi import Route
from payrail.web.problems import Problem
from payrail.web.questions import only_known
from payrail.web.server import make_app, serve

#: What the document says of pages that store cards.
_ABOUT = (
    "A page of the console may call `POST /tokenize` from a browser (CORS, no credentials); no"
    " other origin may, and nothing else. A publishable key opens `/tokenize` alone."
)


def vault_app(
    door: Any, rng: Rng, log: Any, origins: Collection[str] = frozenset()
) -> web.Application:
    """The application of `VaultDoor` or `sealed_door.SealedDoor`, with its document. `origins`:
    whose pages may store cards."""
    routes = [_may_be_sealed(route) for route in vault_routes(door)]
    app = make_app(rng=rng, log=log)
    for route in routes:
        app.router.add_route(route.method, route.path, only_known(route, door.admit))
    let_in(app, "POST", TOKENIZE, origins)
    document = openapi.document_handler("PayRail vault", "1", routes, Problem, about=_ABOUT)
    app.router.add_get("/openapi.json", document)
    app.router.add_get("/docs", docs_page.page_handler("PayRail vault", "1", routes))
    return app


def _may_be_sealed(route: Route) -> Route:
    """Any route may be refused by a sealed vault, but for its health."""
    if route.open_to_all:
        return route
    return replace(route, codes=(*route.codes, "vault-sealed"))


def opened_door(  # noqa: PLR0913 - its ports, by name.
    driver: Driver[Any],
    *,
    fs: Fs,
    clock: Clock,
    rng: Rng,
    bell: Bell,
    keys: VaultKeys,
    log: Any,
    budget_ms: int,
    must_be_whole: Callable[[], None],
    house_secret: str = "",
    internal_secret: str = "",
) -> VaultDoor:
    """The handlers of one incarnation, joined to the vault in their process; its edge's epoch is
    durable. `must_be_whole`: see `AccessView`. Secrets are those that settings give, if they do."""
    edge = Edge(EDGE, fs, clock, bell, (VAULT,))
    house = secret(fs, "house", rng, given=house_secret)
    internal = secret(fs, "internal", rng, given=internal_secret)
    driver.sinks[EDGE] = edge.give
    return VaultDoor(
        edge=edge,
        access=AccessView(fs, clock, house, service_key(fs, rng), must_be_whole),
        keys=keys,
        clock=clock,
        rng=rng,
        operators=OperatorsDoor(Protector(fs, clock, rng, keys, log), internal),
        internal_secret=internal,
        budget_ms=budget_ms,
        blocked=lambda: driver.blocked,
    )


def vault_door(
    *,
    settings: Settings,
    fs: Fs,
    clock: Clock,
    rng: Rng,
    bell: Bell,
    log: Any,
    keys: VaultKeys,
    must_be_whole: Callable[[], None],
) -> Door:
    """A door for the vault's resident: listens while the actor lives, hears replies in process."""

    @asynccontextmanager
    async def door(driver: Driver[Any], _control: Control) -> AsyncIterator[None]:
        handlers = opened_door(
            driver,
            fs=fs,
            clock=clock,
            rng=rng,
            bell=bell,
            keys=keys,
            log=log,
            budget_ms=settings.request_budget_ms,
            must_be_whole=must_be_whole,
            house_secret=settings.house_secret.get_secret_value(),
            internal_secret=settings.internal_secret.get_secret_value(),
        )
        watch = LogWatch(fs, clock, log)
        handlers.odd = watch.counts
        app = vault_app(handlers, rng, log, origins_of(settings.console_url))
        runner = await serve(app, settings.host, settings.vault_port)
        try:
            async with watching(watch, log):
                yield
        finally:
            handlers.leaving = True
            await runner.cleanup()

    return door
