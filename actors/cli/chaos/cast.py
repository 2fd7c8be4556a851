"""Everybody who has to do with the house from outside, and what each of them saw."""

import asyncio
from typing import Protocol

import aiohttp

from actors.cli.chaos.client import Clients, Tally
from actors.cli.chaos.fulldisk import FullDisk
from actors.cli.chaos.hands import Hands
from actors.cli.chaos.killer import Killer
from actors.cli.chaos.order import Order
from actors.cli.chaos.pauses import Pauser
from actors.cli.chaos.restarts import Restarter
from actors.cli.chaos.settling import Settler
from actors.cli.chaos.stage import Stage
from actors.cli.chaos.stutter import Stutterer
from actors.cli.chaos.visitor import Visitor


class Runner(Protocol):
    """Whoever does something again and again until cancelled."""

    async def run(self) -> None: ...


class Cast:
    """Clients, sink, the ones who look, settle and edit, and those who break the house."""

    def __init__(
        self,
        order: Order,
        stage: Stage,
        keys: dict[str, dict[str, str]],
        session: aiohttp.ClientSession,
    ) -> None:
        admin, house = keys["m_001"]["admin"], stage.house
        self.order, self.stage, self.house, self.sink = order, stage, house, stage.sink
        self.clients = Clients(house.api, house.vault, keys, stage.history, session)
        self.settler = Settler(house.api, admin, session, every_s=order.round_s)
        self.visitor = Visitor(
            house, admin, lambda: self.tally.known["m_001"], session, seed=order.seed
        )
        self.stutterer = Stutterer(house, session, seed=order.seed)
        self.hands = Hands(house, admin, session, every_s=order.round_s, moves_clock=order.clock)
        self.heads = stage.heads
        self.is_calm = False  # nobody breaks anything any more
        self._breakers(order, stage)

    def _breakers(self, order: Order, stage: Stage) -> None:
        alone = asyncio.Lock()  # Nobody starts a house on a disk that is full.
        house, log, seed = stage.house, stage.faults, order.seed
        hands_full = {
            "frontdoor": lambda: self.tally.in_flight,
            "console": lambda: self.visitor.at_the_console,
        }
        per_second = order.kills_per_minute / 60
        self.killer = Killer(
            house,
            hands_full,
            kills_per_second=per_second,
            seed=seed,
            in_turn=order.in_turn,
            log=log,
        )
        self.restarter = Restarter(house, self.killer, log, alone, seconds=order.seconds)
        self.pauser = Pauser(house, log, seed=seed) if order.pause else None
        disk = stage.disk
        self.full_disk = FullDisk(house, disk, log, alone, seed=seed) if disk else None
        self.wall_clock = stage.wall_clock

    @property
    def tally(self) -> Tally:
        return self.clients.tally

    @property
    def everybody(self) -> list[Runner]:
        """All but the clients, who end by themselves."""
        always: list[Runner] = [self.killer, self.restarter, self.settler, self.visitor]
        always += [self.stutterer, self.hands]
        asked: list[Runner | None] = [self.pauser, self.full_disk, self.wall_clock]
        return always + [one for one in asked if one is not None]

    def failures(self) -> list[str]:
        """What no fault explains."""
        cast = (self.tally, self.settler, self.visitor, self.stutterer, self.hands)
        found = [failure for one in cast for failure in one.failures]
        return found + (self.full_disk.failures if self.full_disk else [])
