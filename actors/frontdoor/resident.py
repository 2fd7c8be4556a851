"""The front door as a resident: two listeners, and the turns of what lies behind them.

Its life: open the edge (its epoch is durable), listen, report ready; then take replies, repeat what
a reborn receiver may have lost, fold the books; at the end take no more and answer whoever waits.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from aiohttp import web

from actors.frontdoor.inside import NAME, Inside, Ports
from actors.frontdoor.neighbours import HomeNeighbours
from payrail.domain.words.kinds import GATEWAY, RECONCILER
from payrail.runtime.bells import IDLE_MS_MAX
from payrail.runtime.control import Control
from payrail.runtime.ports import Bell, Clock, Fs, Rng
from payrail.settings import Settings
from payrail.steplog import StepLog
from payrail.web.outgoing import Names
from payrail.web.server import serve

#: How long a poll waits for a ring while somebody waits for an answer.
_BUSY_MS = 2
#: How long open questions may still be answered once the house goes down.
_LEAVE_MS = 3_000


class Frontdoor:
    """One incarnation of the front door."""

    name = NAME

    def __init__(  # noqa: PLR0913 - its ports, by name.
        self,
        *,
        home: str,
        settings: Settings,
        fs: Fs,
        clock: Clock,
        rng: Rng,
        bell: Bell,
        log: Any,
        steps: StepLog,
        actors: Sequence[str],
        providers: Sequence[str],
    ) -> None:
        """`actors`: who must serve for the house to be ready; `providers`: those among them."""
        self._settings, self._clock, self._log = settings, clock, log
        self._names = Names()
        self._ports = Ports(
            fs=fs,
            clock=clock,
            rng=rng,
            bell=bell,
            log=log,
            steps=steps,
            neighbours=HomeNeighbours(home),
            resolve=self._names,
            actors=tuple(actors),
            receivers=(GATEWAY, *providers, RECONCILER),
            budget_ms=settings.request_budget_ms,
            webhook_allow=settings.webhook_allow,
            house_secret=settings.house_secret.get_secret_value(),
            internal_secret=settings.internal_secret.get_secret_value(),
        )
        self.addresses: list[Any] = []  # of the public listener, then of the inner one

    async def run(self, control: Control) -> None:
        """See `payrail.runtime.control.Resident`."""
        inside = Inside(self._ports, control.cell, control.bell.wake)
        runners: list[web.AppRunner] = []
        try:
            await self._open(inside, runners)
            control.started()
            inside.metrics.open()
            self._log.info("frontdoor.listening", epoch=inside.edge.epoch)
            await self._serve(control, inside)
            await self._leave(inside, runners)
        finally:
            for runner in runners:
                await runner.cleanup()
            inside.metrics.close()
            self._names.close()

    async def _open(self, inside: Inside, runners: list[web.AppRunner]) -> None:
        """Fold the books as they are, then listen."""
        while inside.fold():
            await asyncio.sleep(0)  # A long book must not hold up the beat.
        settings = self._settings
        ports = settings.api_port, settings.provider_port
        for app, port in zip(inside.apps(), ports, strict=True):
            runners.append(await serve(app, settings.host, port))
            self.addresses.append(runners[-1].addresses[0])

    async def _serve(self, control: Control, inside: Inside) -> None:
        edge = inside.edge
        while not control.stopping.is_set():
            inside.asking.paused = control.paused
            if control.paused:
                await control.bell.wait(IDLE_MS_MAX)
            elif edge.take_replies():
                await asyncio.sleep(0)
            else:
                wait_ms = _BUSY_MS if edge.open_questions else IDLE_MS_MAX
                await control.bell.wait(wait_ms, edge.take_replies)
            inside.tend()

    async def _leave(self, inside: Inside, runners: list[web.AppRunner]) -> None:
        """Take no more; answer whoever still waits, with what comes or with what is known."""
        edge, asking = inside.edge, inside.asking
        asking.close()
        closing = [asyncio.create_task(runner.cleanup()) for runner in runners]
        runners.clear()
        until_ms = self._clock.monotonic_ms() + _LEAVE_MS
        while edge.open_questions and self._clock.monotonic_ms() < until_ms:
            if not edge.take_replies():
                await asyncio.sleep(_BUSY_MS / 1000)
        asking.give_up()
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                await asyncio.gather(*closing)
