"""Wrap the vault's keys by two operators' passphrases, or put them back in clear.

    protect   keys.json with every key wrapped, the fingerprint key too -> its own file is removed
    off       the fingerprint key's file -> keys.json in clear

Each arrow is one durable step: whenever it stops, the file of keys is the old one or the new one,
and the fingerprint key is in one of its places at least. Argon2id runs beside the loop; what is
read and written then is done in the loop's own thread, as a rotation's files are.
Never: keeps a passphrase, or lets a key stand in clear beside wrapped ones.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from msgspec import structs

from actors.vault.cipher import VaultKeys
from actors.vault.guard import Guard
from actors.vault.keyfile import FINGERPRINT_PATH, KEYS, KeysFile, read_keys, unwrapped, write_keys
from actors.vault.keys import remove_clear_fingerprint
from actors.vault.operator_models import OperatorGiven, checked_pairs, wrong
from actors.vault.operators import COST, Cost, Protection, Wrapping, protect
from actors.vault.refusals import VaultSealed
from payrail.errors import RequestError
from payrail.logs import told
from payrail.runtime.ports import Clock, Fs, Rng

Pairs = Sequence[tuple[str, str]]


class Protector:
    """Who holds the keys of an open vault."""

    def __init__(self, fs: Fs, clock: Clock, rng: Rng, keys: VaultKeys, log: Any) -> None:
        self._fs, self._clock, self._rng, self._keys, self._log = fs, clock, rng, keys, log
        self._guard: Guard | None = None
        self._one_at_a_time = asyncio.Lock()
        self.cost: Cost = COST

    @property
    def operators(self) -> list[str]:
        """The names of those who hold the keys; empty when they rest in clear."""
        found = self._keys.protection
        return found.names if found else []

    async def protect(self, new: list[OperatorGiven], current: list[OperatorGiven]) -> None:
        """Wrap the keys by the two new ones. Raises RequestError."""
        pairs = checked_pairs("operators", new)
        async with self._one_at_a_time:
            await self._must_know(current)
            own = self._keys.own.decode()
            made = await asyncio.to_thread(protect, pairs, own, self._rng, self.cost)
            self._adopt(*made)
        self._log.info("vault.protected", operators=self.operators)

    async def expose(self, current: list[OperatorGiven]) -> None:
        """Put the keys back in clear. Raises RequestError."""
        if self._keys.protection is None:
            raise wrong("off", "is not needed: the keys rest in clear")
        async with self._one_at_a_time:
            await self._must_know(current)
            self._adopt(None, None)
        self._log.warning("vault.exposed")

    async def _must_know(self, current: list[OperatorGiven]) -> None:
        """Raises RequestError unless these are the two who hold the keys, if anybody does."""
        protection = self._keys.protection
        if protection is None:
            if current:
                raise wrong("current", "must be left out: nobody holds the keys yet")
            return
        pairs = checked_pairs("current", current)
        if self._guard is None or self._guard.protection is not protection:
            self._guard = Guard(protection, self._clock, self._log)
        for name, passphrase in pairs:
            await self._guard.share(name, passphrase, "current")

    def _adopt(self, protection: Protection | None, wrapping: Wrapping | None) -> None:
        """Write the keys anew, and hold them so from now on. Raises RequestError 503."""
        try:
            found = self._written_as(protection, wrapping)
            if protection is None:
                self._fs.replace(FINGERPRINT_PATH, self._keys.own + b"\n")
            write_keys(self._fs, found)
        except (OSError, VaultSealed) as error:
            self._log.error("vault.keys_unwritten", error=told(error))
            if self._stands_as() != protection:
                if protection is None and isinstance(error, OSError):
                    self._remove_clear()  # It may have been put there already.
                raise _unwritten() from error
        self._keys.protection, self._keys.wrapping = protection, wrapping
        if protection is not None:
            self._remove_clear()

    def _remove_clear(self) -> None:
        """What cannot be removed now is at the next unlock."""
        try:
            remove_clear_fingerprint(self._fs, self._keys.own)
        except OSError as error:
            self._log.error("vault.fingerprint_left", error=told(error))

    def _written_as(self, protection: Protection | None, wrapping: Wrapping | None) -> KeysFile:
        """The file as it is now, its keys wrapped in this way. Raises VaultSealed."""
        found = read_keys(self._fs)
        if found is None:
            raise VaultSealed(f"{KEYS} was taken away; restore it")
        clear = unwrapped(found, self._keys.wrapping).keys
        lines = [
            structs.replace(line, key=wrapping.shut(line.id, line.key, self._rng))
            if wrapping and line.key
            else line
            for line in clear
        ]
        return structs.replace(found, keys=lines, protected=protection)

    def _stands_as(self) -> Protection | None:
        """How the file stands after a write that failed: its name may be there all the same."""
        try:
            found = read_keys(self._fs)
        except VaultSealed:
            return self._keys.protection
        return found.protected if found else self._keys.protection


def _unwritten() -> RequestError:
    return RequestError(
        503,
        "overloaded",
        f"{KEYS} could not be written, and is as it was; look at the disk, ask again.",
        retryable=True,
        headers={"Retry-After": "5"},
    )
