"""Check the file of per-card keys against the vault's journal: what opens, and what no longer may.

Every stored card has its slot filled, by itself alone; a card whose deletion came to its end has a
slot of zeros, so a file that was put back from before it is found. Reads hashes and zeros, never
tells a key. A copy of a house without its secrets is no damage, nor is a file that is not ours to
read.
"""

import msgspec
from msgspec import Struct

from payrail.audit.findings import Finding
from payrail.audit.reading import Part
from payrail.domain.cardslots import CARD_KEYS, SLOT_BYTES, Slot, state_of
from payrail.runtime.ports import File, Fs
from payrail.storage.fs import SECRETS
from payrail.storage.journal import decode_line
from payrail.storage.lines import is_whole

#: Stands in each journal line that could matter here.
_MARK = b'"type":"card.'
#: So many slots are named; more are one disaster.
NAMED_MAX = 20


class _Card(Struct):
    slot: int | None = None


class _Stored(Struct, tag_field="type", tag="card.stored"):
    token: str
    card: _Card


class _Deleted(Struct, tag_field="type", tag="card.deleted"):
    token: str
    slot: int | None


class _Shredded(Struct, tag_field="type", tag="card.shredded"):
    token: str
    slot: int


_Event = _Stored | _Deleted | _Shredded
_decode = msgspec.json.Decoder(_Event).decode


class _Slots:
    """What the journal says of each slot."""

    def __init__(self, journal: Part) -> None:
        self.filled: dict[int, str] = {}  # slot: whose
        self.shredded: dict[int, str] = {}
        self.findings: list[Finding] = []
        for number, _, raw in journal.lines():
            if _MARK in raw:
                self._read(journal.path, number, raw)

    def _read(self, path: str, number: int, raw: bytes) -> None:
        if not is_whole(raw):
            return  # a finding of the journal's own
        for event in decode_line(raw).events:
            if _MARK in bytes(event):
                self._fold(path, number, _decode(bytes(event)))

    def _fold(self, path: str, number: int, event: _Event) -> None:
        match event:
            case _Stored(token, _Card(slot)) if slot is not None:
                owner = self.filled.setdefault(slot, token)
                if owner != token or slot in self.shredded:
                    what = f"{token} is stored in slot {slot}, which was another card's"
                    self.findings.append(Finding(path, number, what))
            case _Deleted(_, slot) if slot is not None:
                self.filled.pop(slot, None)  # either, until it is told to be done
            case _Shredded(token, slot):
                self.shredded[slot] = token


def check_card_slots(fs: Fs, journal: Part) -> list[Finding]:
    """Findings of the file; `journal` is the vault's."""
    slots = _Slots(journal)
    if not (slots.filled or slots.shredded) or not fs.listdir(SECRETS):
        return slots.findings
    try:
        file = fs.open(CARD_KEYS)
    except FileNotFoundError:
        return [*slots.findings, Finding(CARD_KEYS, 0, "missing; cards were stored under it")]
    except PermissionError:
        return slots.findings
    try:
        return [*slots.findings, *_in_file(file, slots)][:NAMED_MAX]
    finally:
        file.close()


def _in_file(file: File, slots: _Slots) -> list[Finding]:
    found = []
    for slot, token in slots.filled.items():
        state = state_of(slot, file.pread(slot * SLOT_BYTES, SLOT_BYTES))
        if state is not Slot.FILLED:
            found.append(Finding(CARD_KEYS, 0, f"slot {slot}, of {token}, is {state}"))
    for slot, token in slots.shredded.items():
        if state_of(slot, file.pread(slot * SLOT_BYTES, SLOT_BYTES)) is not Slot.SHREDDED:
            what = f"slot {slot}, of {token}, holds something again after its card was deleted"
            found.append(Finding(CARD_KEYS, 0, what))
    return found
