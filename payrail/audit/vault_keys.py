"""Check the file of keys against the vault's journal: every card is under a key that is there.

Never: looks at a key's bytes, only whether there are any. A copy of a house without its secrets is
no damage, nor is a file that is not ours to read.
"""

from collections.abc import Iterator

import msgspec
from msgspec import Struct

from payrail.audit.findings import Finding
from payrail.audit.reading import Part
from payrail.runtime.ports import Fs
from payrail.storage.fs import SECRETS, VAULT_KEYS
from payrail.storage.journal import decode_line
from payrail.storage.lines import is_whole

#: One of these stands in each journal line that could matter here.
_MARKS = (b'"type":"card.stored"', b'"type":"card.deleted"', b'"type":"cards.moved"')


class _Card(Struct):
    key_id: str


class _Stored(Struct, tag_field="type", tag="card.stored"):
    token: str
    card: _Card


class _Deleted(Struct, tag_field="type", tag="card.deleted"):
    token: str


class _Moved(Struct, tag_field="type", tag="cards.moved"):
    key_id: str
    cards: dict[str, str]


class _Line(Struct):
    id: str
    retired_at: str | None
    key: str | None


class _Keys(Struct):
    keys: list[_Line]


_decode_event = msgspec.json.Decoder(_Stored | _Deleted | _Moved).decode
_decode_keys = msgspec.json.Decoder(_Keys).decode


def check_vault_keys(fs: Fs, journal: Part) -> list[Finding]:
    """Findings of the file; `journal` is the vault's."""
    under = _under(journal)
    if not under or not fs.listdir(SECRETS):
        return []
    try:
        lines = _decode_keys(fs.read(VAULT_KEYS)).keys
    except FileNotFoundError:
        return [Finding(VAULT_KEYS, 0, "missing; cards were stored under it")]
    except PermissionError:
        return []
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return [Finding(VAULT_KEYS, 0, "cannot be read")]
    return [*_lost(under, lines), *_kept(lines)]


def _lost(under: dict[str, str], lines: list[_Line]) -> Iterator[Finding]:
    """Keys that cards are under, and that are not there any more."""
    there = {line.id for line in lines if line.key}
    for key_id in sorted(set(under.values()) - there):
        tokens = [token for token, name in under.items() if name == key_id]
        what = f"{key_id} is gone, and {len(tokens)} cards are under it: {tokens[0]}"
        yield Finding(VAULT_KEYS, 0, what)


def _kept(lines: list[_Line]) -> Iterator[Finding]:
    """Keys that were retired, and are there again."""
    for line in lines:
        if line.key and line.retired_at:
            yield Finding(VAULT_KEYS, 0, f"{line.id} was retired, and its bytes are there again")


def _under(journal: Part) -> dict[str, str]:
    """The key of each card, by token."""
    under: dict[str, str] = {}
    for _, _, raw in journal.lines():
        if not any(mark in raw for mark in _MARKS):
            continue
        if not is_whole(raw):
            return {}  # a finding of the journal's own, and nobody knows what it said
        for event in decode_line(raw).events:
            if any(mark in bytes(event) for mark in _MARKS):
                _fold(under, _decode_event(bytes(event)))
    return under


def _fold(under: dict[str, str], event: _Stored | _Deleted | _Moved) -> None:
    match event:
        case _Stored(token, card):
            under[token] = card.key_id
        case _Deleted(token):
            under.pop(token, None)
        case _Moved(key_id, cards):
            under.update(dict.fromkeys(cards, key_id))
