"""A house run by this process: the supervisor, its events as lines on stderr, and `ready`."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Collection, Mapping, MutableMapping, Sequence
from contextlib import suppress
from typing import Any

import structlog

from actors.cli.common import FRONT
from actors.cli.doors import is_ready
from payrail.runtime.house import Tenancy, status
from payrail.runtime.supervisor import Supervisor
from payrail.settings import Settings

_LOOK_AGAIN_S = 0.05


async def run_house(settings: Settings, names: Sequence[str], options: Mapping[str, Any]) -> None:
    """Run a process for each actor until told to stop. Raises HomeHeld."""
    await run_supervisor(supervisor_of(settings, names, options), settings, names)


def supervisor_of(
    settings: Settings, names: Sequence[str], options: Mapping[str, Any]
) -> Supervisor:
    from actors.wiring import BUILD, PRIVATE

    private = {name: _given(own) for name, own in PRIVATE.items()}
    return Supervisor(settings.home, names, BUILD, options, private=private)


def _given(variables: Collection[str]) -> dict[str, str]:
    """Those of them that are set, in whatever case: that is how settings read them."""
    return {name: text for name, text in os.environ.items() if name.upper() in variables}


async def run_supervisor(supervisor: Supervisor, settings: Settings, names: Sequence[str]) -> None:
    """Run it to its end, telling what happens. Raises HomeHeld."""
    tell_events(_to_stderr)
    herald = asyncio.create_task(_herald(settings, names))
    try:
        await supervisor.run()
    finally:
        herald.cancel()
    _to_stderr("down")


async def run_in_one_process(
    settings: Settings, names: Sequence[str], options: Mapping[str, Any]
) -> None:
    """Run all actors in this process until told to stop. Raises HomeHeld."""
    from actors import wiring

    tell_events(_to_stderr)
    tenancy = Tenancy(settings.home, names)
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    herald = asyncio.create_task(_herald(settings, names))
    try:
        _tell_all(tenancy, "up")
        await wiring.run_inline(str(settings.home), dict(options), stopping)
    finally:
        herald.cancel()
        _tell_all(tenancy, "down")
        tenancy.release()
    _to_stderr("down")


def _tell_all(tenancy: Tenancy, state: str) -> None:
    for name, text in tenancy.texts.items():
        text.state = state
        tenancy.tell(name)


async def until_ready(settings: Settings, names: Sequence[str]) -> None:
    """Wait until every actor serves."""
    while not await asyncio.to_thread(_serves, settings, names):
        await asyncio.sleep(_LOOK_AGAIN_S)


def urls(settings: Settings) -> str:
    """Where people look, for `ready`."""
    api, vault = settings.api_url, settings.vault_url
    return f"{api}/docs  {api}/health  vault {vault}  console {settings.console_url}"


def tell_events(write: Callable[[str], None]) -> None:
    """Lead what the supervisor logs to `write`, one line an event."""

    def render(_: Any, __: str, event: MutableMapping[str, Any]) -> str:
        return _told(event)

    stamp = structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False, key="at")
    structlog.configure(
        processors=[structlog.processors.add_log_level, stamp, render],
        logger_factory=lambda *_: _Lines(write),
        cache_logger_on_first_use=False,
    )


class _Lines:
    """What structlog calls a logger."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self.msg = self.debug = self.info = self.warning = self.error = self.critical = write


def _told(event: MutableMapping[str, Any]) -> str:
    head = f"{event.pop('at')} {event.pop('actor', 'supervisor'):<11} {event.pop('event')}"
    event.pop("level", None)
    return "  ".join([head, *(f"{name}={value}" for name, value in event.items())])


def _to_stderr(line: str) -> None:
    """A line for people. A full disk under it, or a closed terminal, ends no house."""
    with suppress(OSError):
        print(line, file=sys.stderr, flush=True)


async def _herald(settings: Settings, names: Sequence[str]) -> None:
    await until_ready(settings, names)
    if settings.durability == "process":
        _to_stderr("durability is `process`: answers do not wait for the disk")
    _to_stderr(f"ready  {urls(settings)}" if FRONT in names else f"ready  {', '.join(names)}")


def _serves(settings: Settings, names: Sequence[str]) -> bool:
    if FRONT in names:
        return is_ready(settings.api_url)
    states = {row["name"]: row["state"] for row in status(settings.home)}
    return all(states.get(name) == "serving" for name in names)
