"""The vault at home in its process: sealed until its keys fit, then an actor like any other.

A vault whose keys do not fit must neither serve nor be started in circles: its process lives,
beats, says why, and waits for people. Never, while it is sealed: reads a message, or writes
anything but its log and its cell.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from actors.vault.cipher import VaultKeys
from actors.vault.operators import Wrapping
from actors.vault.refusals import VaultSealed
from actors.vault.sealed_door import SealedDoor
from payrail.errors import PayRailError
from payrail.logs import told
from payrail.runtime.control import Control, Resident
from payrail.runtime.resident import Door

OpenKeys = Callable[[Wrapping | None], VaultKeys]
AtHome = Callable[[VaultKeys, Sequence[Door]], Resident]


class VaultResident:
    """Fills `runtime.control.Resident`."""

    name = "vault"

    def __init__(
        self,
        *,
        open_keys: OpenKeys,
        at_home: AtHome,
        sealed_door: Callable[[VaultSealed, OpenKeys], SealedDoor],
        host: str,
        port: int,
        log: Any,
    ) -> None:
        """`open_keys` raises VaultSealed before it writes; `at_home` is the vault with its keys and
        doors beside its own."""
        self._open_keys, self._at_home, self._sealed_door = open_keys, at_home, sealed_door
        self._host, self._port, self._log = host, port, log

    async def run(self, control: Control) -> None:
        """Serve, or wait behind the seal. What seals it may also be found in its recovery."""
        try:
            await self._at_home(self._opened(), ()).run(control)
        except VaultSealed as sealed:
            await self._sealed(sealed, control)

    def _opened(self) -> VaultKeys:
        try:
            return self._open_keys(None)
        except VaultSealed:
            raise
        except (PayRailError, OSError) as error:
            self._log.error("actor.failed", error=told(error))
            raise

    async def _sealed(self, sealed: VaultSealed, control: Control) -> None:
        """Refuse everything until operators unlock it or it is told to end: a restart looks at the
        files again."""
        self._log.error("vault.sealed", why=sealed.why)
        try:
            await self._wait_sealed(self._sealed_door(sealed, self._open_keys), control)
        except VaultSealed as again:
            await self._sealed(again, control)

    async def _wait_sealed(self, door: SealedDoor, control: Control) -> None:
        async with door.listening(self._host, self._port):
            control.seal()
            keys = await _unlocked(door, control)
            if keys is not None:
                control.unseal()
                await door.make_way()
                await self._at_home(keys, (door.opened,)).run(control)


async def _unlocked(door: SealedDoor, control: Control) -> VaultKeys | None:
    """The keys, once they are unlocked; None when told to end before."""
    stopping = asyncio.ensure_future(control.stopping.wait())
    waited: set[asyncio.Future[Any]] = {door.keys, stopping}
    try:
        await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
    return door.keys.result() if door.keys.done() else None
