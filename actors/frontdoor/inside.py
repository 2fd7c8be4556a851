"""The front door behind its listeners: its edge, its applications, and what it does at each turn.

    inside = Inside(ports, cell, wake)
    while inside.fold(): ...           # the books, as they are
    public, inner = inside.apps()      # to be served
    while True:
        inside.edge.take_replies(); …; inside.tend()

Waits for nothing and listens to nobody: `resident` turns it in a process, a simulation by hand.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from aiohttp import web

from actors.frontdoor.asking import Asking
from actors.frontdoor.doors import Parts, Views, both_apps
from actors.frontdoor.events import EventsView
from actors.frontdoor.metrics_book import MetricsBook
from actors.frontdoor.neighbours import Neighbours
from actors.frontdoor.reads import PaymentsView
from actors.frontdoor.receivers import Receivers
from payrail.domain.words.kinds import DISPATCHER, GATEWAY, VAULT
from payrail.errors import Damage
from payrail.runtime.cellpage import CellPage, read_to
from payrail.runtime.edge import Edge
from payrail.runtime.ports import Bell, Clock, Fs, Rng
from payrail.security.secrets import secret, service_key
from payrail.steplog import StepLog
from payrail.web.access import AccessView
from payrail.web.outgoing import Resolve
from payrail.web.whole import Whole

NAME = "frontdoor"
#: How often open questions are compared with the epochs of their receivers.
ASK_AGAIN_MS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What one front door lives on, and what it was set to."""

    fs: Fs
    clock: Clock
    rng: Rng
    bell: Bell
    log: Any
    steps: StepLog
    neighbours: Neighbours
    resolve: Resolve
    actors: tuple[str, ...]  # who must serve for the house to be ready
    receivers: tuple[str, ...]  # whom it asks
    budget_ms: int
    webhook_allow: tuple[str, ...] = ()
    house_secret: str = ""  # given by a setting
    internal_secret: str = ""


class Inside:
    """One incarnation. Opening it makes its epoch durable."""

    def __init__(self, ports: Ports, cell: CellPage, wake: Callable[[], None]) -> None:
        """`wake` is called for the first open question; see `Asking`."""
        self._ports, self._cell = ports, cell
        self._receivers = Receivers(ports.neighbours.cells, NAME, ports.receivers)
        self.edge = Edge(
            NAME,
            ports.fs,
            ports.clock,
            ports.bell,
            ports.receivers,
            watch=self._receivers,
            read_to=partial(read_to, ports.neighbours.cells),
        )
        cell.epoch = self.edge.epoch
        self.asking = Asking(self.edge, ports.budget_ms, wake)
        self.metrics = MetricsBook(ports.neighbours.cells, ports.fs, ports.clock, ports.actors)
        self._books, self._deliveries = self._whole(GATEWAY), self._whole(DISPATCHER)
        self._card_access = self._whole(VAULT)
        must_be = self._books.must_be
        self._views: Views = PaymentsView(ports.fs, must_be), EventsView(ports.fs, must_be)
        self._damage_told: set[str] = set()
        self._looked_ms = ports.clock.monotonic_ms()

    def apps(self) -> tuple[web.Application, web.Application]:
        """The public application, then the inner one."""
        ports = self._ports
        house_secret = self._secret("house", ports.house_secret)
        internal = self._secret("internal", ports.internal_secret)
        return both_apps(self._parts(house_secret), internal)

    def _parts(self, house_secret: bytes) -> Parts:
        ports, fs = self._ports, self._ports.fs
        return Parts(
            actors=ports.actors,
            neighbours=ports.neighbours,
            report=self._cell.report,
            fs=fs,
            clock=ports.clock,
            rng=ports.rng,
            log=ports.log,
            steps=ports.steps,
            edge=self.edge,
            asking=self.asking,
            bell=ports.bell,
            access=AccessView(
                fs, ports.clock, house_secret, service_key(fs, ports.rng), self._books.must_be
            ),
            views=self._views,
            deliveries=self._deliveries,
            card_access=self._card_access,
            resolve=ports.resolve,
            house_secret=house_secret,
            webhook_allow=ports.webhook_allow,
        )

    def fold(self) -> bool:
        """Fold a slice of each book. True when there may be more."""
        more = [self._fold_some(view) for view in self._views]
        return any(more)

    def tend(self) -> None:
        """What follows each turn: the log, the metrics, and now and then a look around."""
        self._ports.steps.flush()
        self.metrics.turn()
        now_ms = self._ports.clock.monotonic_ms()
        if now_ms - self._looked_ms < ASK_AGAIN_MS:
            return
        self._looked_ms = now_ms
        self._receivers.look()
        self.edge.ask_again()
        for sender, read in self.edge.positions():
            self._cell.consumed(sender, read.n, read.offset)
        self.fold()

    def _fold_some(self, view: PaymentsView | EventsView) -> bool:
        """Fold a slice of a book. A damaged one is told once; its reads fail, orders go on."""
        try:
            return view.catch_up_some()
        except Damage as damage:
            if str(damage) not in self._damage_told:
                self._damage_told.add(str(damage))
                self._ports.log.error("book.damaged", error=damage)
            return False

    def _whole(self, writer: str) -> Whole:
        neighbours = self._ports.neighbours
        return Whole(neighbours.cells, writer, neighbours.rows)

    def _secret(self, name: str, given: str) -> bytes:
        return secret(self._ports.fs, name, self._ports.rng, given=given)
