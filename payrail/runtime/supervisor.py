"""The supervisor: starts the actors of one house, watches their beats, restarts what dies.

It decides nothing about messages, holds no truth and writes only what it thinks of each actor into
that actor's lock file (`house`). Its rules are those of `warden`; here are the event loop, signals,
locks and processes. One spare process stands ready to become whoever dies.
"""

import asyncio
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import structlog

from payrail.runtime.bells import leave_folder
from payrail.runtime.cells import HomeCells, monotonic_ms
from payrail.runtime.house import Tenancy, holders, request_stop, status
from payrail.runtime.orders import OrderReader
from payrail.runtime.processes import Calling, Children
from payrail.runtime.warden import Warden
from payrail.runtime.wards import Limits, Ports
from payrail.storage.fs import RealFs

__all__ = ["Limits", "Supervisor", "holders", "request_stop", "status"]

log = structlog.get_logger()


class Supervisor:
    """Runs the actors `names` of the home, in start order, until SIGTERM, SIGINT or `stop`.

    `build_path` says where `build(name, home, options)` is, as `module:function`: named and not
    imported, for the runtime knows no actor.
    """

    def __init__(
        self,
        home: str | Path,
        names: Sequence[str],
        build_path: str,
        options: Mapping[str, Any] | None = None,
        *,
        private: Mapping[str, Mapping[str, str]] | None = None,
        limits: Limits | None = None,
    ) -> None:
        """`private`: by actor, variables of the environment that no other child is given."""
        self._home = os.path.abspath(home)
        self._names = list(names)
        self._calling = Calling(build_path, self._home, dict(options or {}), dict(private or {}))
        self._limits = limits or Limits()

    async def run(self) -> None:
        """Live until told to stop. Raises HomeHeld, with nothing written, if another does."""
        tenancy = Tenancy(self._home, self._names)
        self._wake = asyncio.Event()
        children = Children(self._calling, self._wake.set)
        ports = self._ports(tenancy, children)
        self._warden = Warden(self._names, ports, monotonic_ms(), self._limits)
        heard = _hear_signals(self.stop)
        try:
            while self._warden.turn(monotonic_ms()):
                await self._pause()
        finally:
            self._warden.end_all()
            children.close()
            _forget_signals(heard)
            leave_folder(self._home, self._names)
            tenancy.release()

    def stop(self) -> None:
        """End the house in order; told twice, at once."""
        self._warden.stop()
        self._wake.set()

    def _ports(self, tenancy: Tenancy, children: Children) -> Ports:
        fs = RealFs(self._home, durable=False)
        return Ports(
            proc=children,
            cells=HomeCells(self._home),
            orders=lambda name: OrderReader(fs, name),
            notes=tenancy,
            log=log,
        )

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(self._warden.wait_ms(monotonic_ms()) / 1000):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()


def _hear_signals(stop: Callable[[], None]) -> list[signal.Signals]:
    """SIGTERM and SIGINT end the house; result: those heard, none outside the main thread."""
    heard = []
    for number in (signal.SIGTERM, signal.SIGINT):
        try:
            asyncio.get_running_loop().add_signal_handler(number, stop)
            heard.append(number)
        except (ValueError, RuntimeError):
            pass
    return heard


def _forget_signals(heard: Sequence[signal.Signals]) -> None:
    for number in heard:
        asyncio.get_running_loop().remove_signal_handler(number)
