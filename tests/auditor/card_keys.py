"""The keys of single cards: each stored card has its own, and a deleted one opens for nobody.

The slots are read as bytes. Every ciphertext that the vault's journal ever held of a deleted card
is opened with whatever key of the file of keys opens it; then each key that is left in any slot is
tried on what lies inside.
"""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests.auditor.cards import JOURNAL
from tests.auditor.files import each_of_chain
from tests.auditor.report import Report

KEYS, SLOTS = "data/vault/keys.json", "data/secrets/vault/card_keys"
CHECK = "card keys"
SLOT, KEY = 64, 32
#: So many keys of others are tried on each deleted card, beside what is left in its own slot.
TRIED_MAX = 2_000


class _Cards:
    """What the journal tells, line by line."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self.slot_of: dict[str, int] = {}  # of cards that are there
        self.gone: dict[str, int] = {}  # deleted and told to be shredded
        self.going: dict[str, int] = {}
        self.copies: dict[str, list[str]] = {}
        self._used: dict[int, str] = {}

    def see(self, number: int, event: dict[str, Any]) -> None:
        kind, token = event.get("type"), str(event.get("token"))
        if kind == "card.stored":
            self._stored(number, token, event["card"])
        elif kind == "cards.moved":
            for moved, text in event["cards"].items():
                self.copies.setdefault(moved, []).append(text)
        elif kind == "card.deleted" and event["slot"] is not None:
            self.slot_of.pop(token, None)
            self.going[token] = event["slot"]
        elif kind == "card.shredded":
            if self.going.pop(token, None) != event["slot"]:
                self._report.add(CHECK, JOURNAL, number, f"{token}: shredded, and never deleted")
            self.gone[token] = event["slot"]

    def _stored(self, number: int, token: str, card: dict[str, Any]) -> None:
        self.copies.setdefault(token, []).append(card.get("ciphertext", ""))
        slot = card.get("slot")
        if slot is None:
            return
        if self._used.setdefault(slot, token) != token:
            self._report.add(CHECK, JOURNAL, number, f"{token} has the slot of {self._used[slot]}")
        self.slot_of[token] = slot


def check_card_keys(home: Path, report: Report) -> None:
    """The vault's journal against the file of slots."""
    if not (home / JOURNAL).exists():
        return
    cards = _Cards(report)
    for line in each_of_chain(home, JOURNAL, Report()):  # its chain is judged elsewhere
        for event in line["events"] or []:
            cards.see(line.number, event)
    data = (home / SLOTS).read_bytes() if (home / SLOTS).exists() else b""
    for token, slot in cards.slot_of.items():
        report.saw(CHECK)
        if not _is_filled(slot, _slot(data, slot)):
            report.add(CHECK, SLOTS, 0, f"slot {slot}, of {token}, does not hold its key")
    for token, slot in cards.gone.items():
        report.saw(CHECK)
        if any(_slot(data, slot)):
            report.add(CHECK, SLOTS, 0, f"slot {slot}, of {token}, holds something again")
    _check_opening(home, cards, data, report)


def _check_opening(home: Path, cards: _Cards, data: bytes, report: Report) -> None:
    """No copy of a deleted card opens with anything that lies here."""
    if not cards.gone or not (home / KEYS).exists():
        return
    lines = json.loads((home / KEYS).read_bytes())["keys"]
    outer = [Fernet(line["key"]) for line in lines if _is_key(line["key"])]
    left = [data[at : at + KEY] for at in range(0, len(data), SLOT)]
    left = [key for key in left if any(key) and len(key) == KEY][:TRIED_MAX]
    for token in cards.gone:
        for copy in cards.copies.get(token, ()):
            if any(_opens(token, inside, left) for inside in _insides(outer, copy)):
                report.add(CHECK, SLOTS, 0, f"{token} is deleted, and a copy of it opens")


def _insides(outer: list[Fernet], copy: str) -> list[dict[str, Any]]:
    """What lies in a ciphertext, for each key that opens it."""
    found = []
    for cipher in outer:
        try:
            found.append(json.loads(cipher.decrypt(copy)))
        except InvalidToken:
            continue
    return found


def _opens(token: str, inside: dict[str, Any], keys: list[bytes]) -> bool:
    if inside.get("n"):
        return True  # as cards lay before each had a key of its own
    sealed = base64.b64decode(inside.get("c", ""))
    for key in keys:
        try:
            AESGCM(key).decrypt(bytes(12), sealed, token.encode())
        except (InvalidTag, ValueError):
            continue
        return True
    return False


def _slot(data: bytes, slot: int) -> bytes:
    return data[slot * SLOT : (slot + 1) * SLOT]


def _is_filled(slot: int, found: bytes) -> bool:
    text = f"payrail/vault/card-key/1|{slot}|".encode()
    return len(found) == SLOT and found[KEY:] == hashlib.sha256(text + found[:KEY]).digest()


def _is_key(text: object) -> bool:
    """Whether a key stands there in clear, and is none that was retired or wrapped."""
    try:
        return isinstance(text, str) and len(base64.urlsafe_b64decode(text)) == KEY
    except ValueError:
        return False
