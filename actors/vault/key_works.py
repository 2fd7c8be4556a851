"""The vault's work on data/vault/keys.json, beside its loop: a key comes, a key goes.

Both bear being done twice: a key that is there is not made again, one that is gone is gone.
Never: lets a key be used before the file that has it is durable, or takes one away while the
vault's documents still hold a card under it.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from msgspec import Struct, structs

from actors.vault.cipher import VaultKeys
from actors.vault.keyfile import KEYS, KeyLine, KeysFile, random_key, read_keys, write_keys
from actors.vault.state import CARDS
from payrail.domain.words.vault_keys import KeyDropped, KeyMade
from payrail.errors import PayRailError
from payrail.runtime.errands import Outcome, Work
from payrail.runtime.ports import Fs, Rng

MAKE, DROP = "make_key", "drop_key"
READ_BYTES = 1024 * 1024
#: Longer than what is looked for, which may lie across two reads.
_OVERLAP_BYTES = 64


class MakeKey(Struct):
    """The body of the errand that makes a key."""

    key_id: str
    created_at: str


class DropKey(Struct):
    """The body of the errand that takes the bytes of a key away."""

    key_id: str
    retired_at: str


class KeysGone(PayRailError):
    """The file of keys was taken away while the vault lives."""


@asynccontextmanager
async def key_works(fs: Fs, rng: Rng, keys: VaultKeys) -> AsyncIterator[Mapping[str, Work]]:
    """Both works, beside the loop. They write in the loop's own thread, one after the other."""

    async def make(body: MakeKey) -> Outcome:
        return make_key(fs, rng, keys, body)

    async def drop(body: DropKey) -> Outcome:
        if await asyncio.to_thread(stands_in_documents, fs, body.key_id):
            return _kept(body)
        return take_away(fs, keys, body)

    yield {MAKE: make, DROP: drop}


def works_at_once(fs: Fs, rng: Rng, keys: VaultKeys) -> Mapping[str, Callable[[Any], Outcome]]:
    """The same for a house without an event loop."""

    def drop(body: DropKey) -> Outcome:
        is_there = stands_in_documents(fs, body.key_id)
        return _kept(body) if is_there else take_away(fs, keys, body)

    return {MAKE: lambda body: make_key(fs, rng, keys, body), DROP: drop}


def make_key(fs: Fs, rng: Rng, keys: VaultKeys, body: MakeKey) -> Outcome:
    """Make the key, unless it is there; durable, then in use."""
    found = _found(fs)
    line = next((line for line in found.keys if line.id == body.key_id), None)
    if line is None:
        line = keys.at_rest(keys.begin(body.key_id, body.created_at, random_key(rng)), rng)
        found = structs.replace(found, keys=[line, *found.keys])
    write_keys(fs, found)  # Also when it is there: its maker may have died before it was durable.
    keys.use(line)
    return "keys.made", KeyMade(body.key_id)


def take_away(fs: Fs, keys: VaultKeys, body: DropKey) -> Outcome:
    """Take the bytes of a key out of the file; its line stays."""
    found = _found(fs)
    write_keys(fs, structs.replace(found, keys=[_without(line, body) for line in found.keys]))
    keys.forget(body.key_id)
    return "keys.dropped", KeyDropped(body.key_id)


def stands_in_documents(fs: Fs, key_id: str) -> bool:
    """Whether the vault's snapshot holds a card under this key."""
    if not fs.exists(CARDS):
        return False
    wanted = re.compile(rb'"key_id": ?"%b"' % re.escape(key_id).encode())
    file, offset, rest = fs.open(CARDS), 0, b""
    try:
        while data := file.pread(offset, READ_BYTES):
            if wanted.search(rest + data):
                return True
            offset, rest = offset + len(data), data[-_OVERLAP_BYTES:]
        return False
    finally:
        file.close()


def _found(fs: Fs) -> KeysFile:
    found = read_keys(fs)
    if found is None:
        raise KeysGone(f"{KEYS} is missing; restore it")
    return found


def _without(line: KeyLine, body: DropKey) -> KeyLine:
    if line.id != body.key_id:
        return line
    return structs.replace(line, key=None, retired_at=body.retired_at)


def _kept(body: DropKey) -> Outcome:
    return "keys.dropped", KeyDropped(body.key_id, kept=True)
