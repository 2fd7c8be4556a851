"""The vault at home in its process: sealed until its keys fit, then an actor like any other.

A vault whose keys do not fit must neither serve nor be started in circles: its process lives,
beats, says why, and waits for people. Never, while it is sealed: reads a message, or writes
anything but its log and its cell.
"""

from collections.abc import Callable
from typing import Any

from actors.vault.cipher import VaultKeys
from actors.vault.refusals import VaultSealed
from actors.vault.sealed_door import SealedDoor
from payrail.errors import PayRailError
from payrail.logs import told
from payrail.runtime.control import Control, Resident


class VaultResident:
    """Fills `runtime.control.Resident`."""

    name = "vault"

    def __init__(
        self,
        *,
        open_keys: Callable[[], VaultKeys],
        at_home: Callable[[VaultKeys], Resident],
        sealed_door: Callable[[str], SealedDoor],
        log: Any,
    ) -> None:
        """`open_keys` raises VaultSealed before it writes; `at_home` is the vault with its keys."""
        self._open_keys, self._at_home = open_keys, at_home
        self._sealed_door, self._log = sealed_door, log

    async def run(self, control: Control) -> None:
        try:
            keys = self._open_keys()
        except VaultSealed as sealed:
            await self._sealed(sealed.why, control)
            return
        except (PayRailError, OSError) as error:
            self._log.error("actor.failed", error=told(error))
            raise
        await self._at_home(keys).run(control)

    async def _sealed(self, why: str, control: Control) -> None:
        """Refuse everything until told to end: a restart looks at the files again."""
        self._log.error("vault.sealed", why=why)
        async with self._sealed_door(why).listening():
            control.seal()
            await control.stopping.wait()
