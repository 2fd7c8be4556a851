"""The gateway's documents: what people look at, and where a quick start begins.

`idempotency_keys.json` has the contract's shape; the rest of the state is one file of its own.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from actors.gateway.facts import KeyRecord
from actors.gateway.state import GatewayState
from payrail.domain.timestamps import iso, parse_iso
from payrail.errors import LineDamaged
from payrail.runtime.actor import Asker

KEYS_PATH = "data/idempotency/idempotency_keys.json"
STATE_PATH = "data/actors/gateway/state.json"


class _Key(Struct):
    request_hash: str
    state: str
    status: int
    answer_at: int
    asked_at: int
    created_at: str
    expires_at: str
    payment_id: str | None
    asker: Asker


class _Keys(Struct):
    keys: dict[str, _Key]


class _Whole(Struct):
    state: GatewayState


class _Known(Struct):
    paying: msgspec.Raw  # a snapshot of before it followed balances has none


class _Newer(Struct):
    state: _Known


def documents(state: GatewayState) -> dict[str, Any]:
    """Content by path, ready for JSON."""
    whole: dict[str, Any] = msgspec.to_builtins(state)
    whole.pop("keys")
    keys = {key: msgspec.to_builtins(_shown(record)) for key, record in state.keys.items()}
    return {KEYS_PATH: {"keys": keys}, STATE_PATH: {"state": whole}}


def load(files: Mapping[str, bytes]) -> GatewayState:
    """The state that `documents` wrote. Raises LineDamaged."""
    try:
        msgspec.json.decode(files[STATE_PATH], type=_Newer)
        state = msgspec.json.decode(files[STATE_PATH], type=_Whole).state
        keys = msgspec.json.decode(files[KEYS_PATH], type=_Keys).keys
    except (KeyError, msgspec.MsgspecError) as error:
        raise LineDamaged(f"not a snapshot of the gateway: {error}") from error
    if state.access and not (state.people.merchants or state.people.users):
        raise LineDamaged("a snapshot of the gateway from before it remembered people")
    state.keys = {key: _record(shown) for key, shown in keys.items()}
    return state


def _shown(record: KeyRecord) -> _Key:
    return _Key(
        request_hash=record.request_hash,
        state="done" if record.final else "in_flight",
        status=record.status,
        answer_at=record.answer_at,
        asked_at=record.asked_at,
        created_at=iso(record.created_ms),
        expires_at=iso(record.expires_ms),
        payment_id=record.payment_id,
        asker=record.asker,
    )


def _record(shown: _Key) -> KeyRecord:
    return KeyRecord(
        shown.request_hash,
        shown.asked_at,
        shown.asker,
        parse_iso(shown.created_at),
        shown.payment_id,
        parse_iso(shown.expires_at),
        shown.status,
        shown.answer_at,
    )
