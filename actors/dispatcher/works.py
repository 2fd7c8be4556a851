"""The dispatcher's works as its process does them: long reads in a thread, requests over HTTP."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from actors.dispatcher.errands import Deliver, ReadMore, packer, read_more
from payrail.domain.words.endpoints import DeliveryDone
from payrail.runtime.control import Control
from payrail.runtime.driver import Driver
from payrail.runtime.errands import Outcome, Work
from payrail.runtime.ports import Clock, Fs
from payrail.runtime.resident import Door, Works
from payrail.web.outgoing import Opened

#: How often the age of the oldest open delivery is told.
LAG_S = 0.25


def works(fs: Fs, clock: Clock, *, house_secret: bytes, posting: Opened) -> Works:
    """What a resident opens for as long as the dispatcher lives; `posting` opens its client."""
    pack = packer(fs, clock, house_secret)

    @asynccontextmanager
    async def opened(_control: Control) -> AsyncIterator[Mapping[str, Work]]:
        async with posting() as outgoing:

            async def deliver(order: Deliver) -> Outcome:
                packed = pack(order)  # a thread would cost more than a line in the page cache
                posted = await outgoing.post(packed.url, packed.body, packed.headers)
                told = DeliveryDone(
                    order.endpoint_id,
                    order.seq,
                    order.attempt,
                    posted.status,
                    posted.error,
                    posted.latency_ms,
                    posted.retry_after_s,
                )
                return "delivery.done", told

            async def read(order: ReadMore) -> Outcome:
                return "events.found", await asyncio.to_thread(read_more, fs, order)

            yield {"deliver": deliver, "read": read}

    return opened


def lag_gauge(clock: Clock) -> Door:
    """Tells in the cell how old the oldest event is that some endpoint still waits for."""

    async def watch(driver: Driver[Any], control: Control) -> None:
        while True:
            routes = driver.loop.state.routes.values()
            booked = [
                route.pending[next(iter(route.pending))].event.booked_ms
                for route in routes
                if route.pending and route.is_open
            ]
            now_ms = clock.now().wire_ms
            control.cell.report.lag_ms = now_ms - min(booked) if booked else None
            await asyncio.sleep(LAG_S)

    def door(driver: Driver[Any], control: Control) -> AbstractAsyncContextManager[object]:
        @asynccontextmanager
        async def opened() -> AsyncIterator[None]:
            task = asyncio.create_task(watch(driver, control))
            try:
                yield
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

        return opened()

    return door
