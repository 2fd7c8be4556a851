"""The front door as a resident: two listeners, one edge, and the views of the books.

Its life: open the edge (its epoch is durable), listen, report ready; then take replies, repeat what
a reborn receiver may have lost, fold the books; at the end take no more and answer whoever waits.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from aiohttp import web

from actors.frontdoor.asking import Asking
from actors.frontdoor.doors import Parts, Views, both_apps
from actors.frontdoor.events import EventsView
from actors.frontdoor.metrics_book import MetricsBook
from actors.frontdoor.reads import PaymentsView
from actors.frontdoor.receivers import Receivers
from payrail.domain.words.kinds import GATEWAY, RECONCILER
from payrail.errors import Damage
from payrail.runtime.bells import IDLE_MS_MAX
from payrail.runtime.cells import CellView
from payrail.runtime.control import Control
from payrail.runtime.edge import Edge
from payrail.runtime.ports import Bell, Clock, Fs, Rng
from payrail.security.secrets import secret, service_key
from payrail.settings import Settings
from payrail.steplog import StepLog
from payrail.web.access import AccessView
from payrail.web.outgoing import Names
from payrail.web.server import serve

NAME = "frontdoor"
#: How long a poll waits for a ring while somebody waits for an answer.
_BUSY_MS = 2
#: How often open questions are compared with the epochs of their receivers.
_ASK_AGAIN_MS = 50
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
        self._home, self._settings = home, settings
        self._fs, self._clock, self._rng, self._bell = fs, clock, rng, bell
        self._log, self._steps = log, steps
        self._actors, self._receivers = tuple(actors), (GATEWAY, *providers, RECONCILER)
        self._metrics = MetricsBook(home, fs, clock, self._actors)
        self._damage_told: set[str] = set()
        self._names = Names()
        self.addresses: list[Any] = []  # of the public listener, then of the inner one

    async def run(self, control: Control) -> None:
        """See `payrail.runtime.control.Resident`."""
        receivers = Receivers(self._home, NAME, self._receivers)
        edge = Edge(
            NAME,
            self._fs,
            self._clock,
            self._bell,
            self._receivers,
            watch=receivers,
            drained=self._drained,
        )
        control.cell.epoch = edge.epoch
        runners: list[web.AppRunner] = []
        try:
            asking, views = await self._open(edge, runners, control)
            control.started()
            self._metrics.open()
            self._log.info("frontdoor.listening", epoch=edge.epoch)
            await self._serve(control, edge, receivers, asking, views)
            await self._leave(edge, asking, runners)
        finally:
            for runner in runners:
                await runner.cleanup()
            self._metrics.close()
            self._names.close()

    async def _open(
        self, edge: Edge, runners: list[web.AppRunner], control: Control
    ) -> tuple[Asking, Views]:
        """Fold the books as they are, then listen."""
        settings = self._settings
        house_secret = self._secret("house", settings.house_secret.get_secret_value())
        internal = self._secret("internal", settings.internal_secret.get_secret_value())
        views = await self._folded()
        asking = Asking(edge, settings.request_budget_ms, control.bell.wake)
        apps = both_apps(self._parts(edge, asking, views, house_secret), control, internal)
        for app, port in zip(apps, (settings.api_port, settings.provider_port), strict=True):
            runners.append(await serve(app, settings.host, port))
            self.addresses.append(runners[-1].addresses[0])
        return asking, views

    async def _folded(self) -> Views:
        """The views, at the end of their books."""
        views = PaymentsView(self._fs), EventsView(self._fs)
        for view in views:
            while self._fold_some(view):
                await asyncio.sleep(0)  # A long book must not hold up the beat.
        return views

    def _parts(self, edge: Edge, asking: Asking, views: Views, house_secret: bytes) -> Parts:
        fs = self._fs
        return Parts(
            home=self._home,
            actors=self._actors,
            fs=fs,
            clock=self._clock,
            rng=self._rng,
            log=self._log,
            steps=self._steps,
            edge=edge,
            asking=asking,
            bell=self._bell,
            access=AccessView(fs, self._clock, house_secret, service_key(fs, self._rng)),
            views=views,
            names=self._names,
            house_secret=house_secret,
            webhook_allow=self._settings.webhook_allow,
        )

    async def _serve(
        self,
        control: Control,
        edge: Edge,
        receivers: Receivers,
        asking: Asking,
        views: Views,
    ) -> None:
        looked_ms = self._clock.monotonic_ms()
        while not control.stopping.is_set():
            asking.paused = control.paused
            if control.paused:
                await control.bell.wait(IDLE_MS_MAX)
            elif edge.take_replies():
                await asyncio.sleep(0)
            else:
                wait_ms = _BUSY_MS if edge.open_questions else IDLE_MS_MAX
                await control.bell.wait(wait_ms, edge.take_replies)
            self._steps.flush()
            self._metrics.turn()
            now_ms = self._clock.monotonic_ms()
            if now_ms - looked_ms >= _ASK_AGAIN_MS:
                looked_ms = now_ms
                receivers.look()
                edge.ask_again()
                self._tell_consumed(control, edge)
                for view in views:
                    self._fold_some(view)

    async def _leave(self, edge: Edge, asking: Asking, runners: list[web.AppRunner]) -> None:
        """Take no more; answer whoever still waits, with what comes or with what is known."""
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

    def _fold_some(self, view: PaymentsView | EventsView) -> bool:
        """Fold a slice of a book. A damaged one is told once; its reads fail, orders go on."""
        try:
            return view.catch_up_some()
        except Damage as damage:
            if str(damage) not in self._damage_told:
                self._damage_told.add(str(damage))
                self._log.error("book.damaged", error=damage)
            return False

    def _secret(self, name: str, given: str) -> bytes:
        return secret(self._fs, name, self._rng, given=given)

    def _drained(self, receiver: str, sender: str, size: int) -> bool:
        cell = CellView.read(self._home, receiver)
        return cell is not None and cell.consumed.get(sender, (0, 0))[1] == size

    def _tell_consumed(self, control: Control, edge: Edge) -> None:
        for sender, offset in edge.positions():
            control.cell.consumed(sender, 0, offset)
