"""The console as a resident: one listener, one watch over the house, no mailbox and no journal.

Its life: listen, report ready; look at the house once a second while somebody looks at it; at the
end close the streams. It keeps nothing, so a killed one comes back with nothing to recover.
"""

import asyncio
from typing import Any

from aiohttp import web

from actors.console.api import Api
from actors.console.app import Console, console_app
from actors.console.render import Renderer
from actors.console.tabs import Tabs
from actors.console.watch import Watch
from payrail.runtime.control import Control
from payrail.runtime.ports import Clock, Fs, Rng
from payrail.security.secrets import service_key
from payrail.settings import Settings
from payrail.web.server import serve

NAME = "console"
#: Between two looks at the house while tabs are open.
TURN_MS = 1_000
#: Likewise while events are counted that happened before anybody looked.
_COUNTING_TURN_MS = 100
#: How soon a first tab is noticed.
_IDLE_MS = 250


class ConsoleResident:
    """One incarnation of the console."""

    name = NAME

    def __init__(self, *, settings: Settings, fs: Fs, clock: Clock, rng: Rng, log: Any) -> None:
        self._settings, self._fs = settings, fs
        self._clock, self._rng, self._log = clock, rng, log
        self.addresses: list[Any] = []  # of the listener

    async def run(self, control: Control) -> None:
        """See `payrail.runtime.control.Resident`."""
        control.cell.epoch += 1  # Without a journal, the cell is all that counts incarnations.
        api = Api(self._settings.api_url, service_key(self._fs, self._rng))
        watch, renderer = Watch(api, self._clock), Renderer()
        tabs = Tabs(watch, renderer)
        console = Console(watch, tabs, renderer, self._settings.host, lambda: control.paused)
        app = console_app(console, self._rng, self._log)
        runner = await serve(app, self._settings.host, self._settings.console_port)
        self.addresses = list(runner.addresses)
        try:
            control.started()
            self._log.info("console.listening", epoch=control.cell.epoch)
            await self._look(control, watch, tabs)
        finally:
            await self._leave(tabs, runner, api)

    async def _look(self, control: Control, watch: Watch, tabs: Tabs) -> None:
        while not control.stopping.is_set():
            wait_ms = _IDLE_MS
            if len(tabs) and not control.paused:
                await watch.fresh()
                await tabs.show()
                wait_ms = _COUNTING_TURN_MS if watch.seen.counting else TURN_MS
            try:
                async with asyncio.timeout(wait_ms / 1000):
                    await control.stopping.wait()
            except TimeoutError:
                pass

    async def _leave(self, tabs: Tabs, runner: web.AppRunner, api: Api) -> None:
        tabs.close()
        await runner.cleanup()
        await api.close()
