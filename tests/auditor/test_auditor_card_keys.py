"""A deleted card that opens, and a card without its key: each way to break it is found."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from tests.auditor import handmade as hand
from tests.auditor.card_keys import CHECK, SLOTS
from tests.auditor.handmade import House
from tests.auditor.planted import audited


def stored(token: str, slot: int | None) -> dict[str, Any]:
    card = {"key_id": "k1", "ciphertext": "…", "slot": slot}
    return {"type": "card.stored", "token": token, "card": card}


def about(kind: str, token: str, slot: int) -> dict[str, Any]:
    return {"type": kind, "token": token, "slot": slot}


STEPS = [
    [stored("tok_1", 0)],
    [stored("tok_2", 1)],
    [stored("tok_old", None)],
    [about("card.deleted", "tok_2", 1)],
    [about("card.shredded", "tok_2", 1)],
]


def filled(slot: int) -> bytes:
    key = bytes([slot + 1]) * 32
    return key + hashlib.sha256(f"payrail/vault/card-key/1|{slot}|".encode() + key).digest()


WHOLE = filled(0) + bytes(64) + filled(2)


def found(home: Path, steps: list[list[dict[str, Any]]] = STEPS, data: bytes = WHOLE) -> list[str]:
    """What an audit of a home with these steps of the vault and these slots says of its keys."""
    house = House()
    house.journaled()
    for events in steps:
        number = len(house.journals[hand.VAULT]) + 1
        house.journals[hand.VAULT].append(hand.step(number, 1, events=events))

    def write(to: Path) -> None:
        (to / SLOTS).parent.mkdir(parents=True, exist_ok=True)
        (to / SLOTS).write_bytes(data)
        (to / "data/vault/keys.json").write_text(json.dumps({"keys": [{"id": "k1", "key": None}]}))

    report = audited(home, house, write)
    return [one.message for one in report.findings if one.check == CHECK]


def test_a_card_that_is_gone_and_one_that_is_there_are_clean(home: Path):
    """Also one that was stored before cards had keys of their own."""
    assert found(home) == []


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (filled(0) + filled(1), "slot 1, of tok_2, holds something again"),
        (bytes(64) + bytes(64), "slot 0, of tok_1, does not hold its key"),
        (filled(1) + bytes(64), "slot 0, of tok_1, does not hold its key"),
        (filled(0)[:63], "slot 0, of tok_1, does not hold its key"),
        (b"", "slot 0, of tok_1, does not hold its key"),
    ],
)
def test_a_slot_that_is_not_as_it_must_be_is_found(home: Path, data: bytes, says: str):
    """Put back from an old copy, overwritten, moved, cut off or gone."""
    assert says in found(home, data=data)


@pytest.mark.parametrize(
    ("steps", "says"),
    [
        ([*STEPS, [stored("tok_3", 0)]], "tok_3 has the slot of tok_1"),
        ([*STEPS, [about("card.shredded", "tok_1", 0)]], "tok_1: shredded, and never deleted"),
    ],
)
def test_a_journal_that_cannot_be_is_found(home: Path, steps: Any, says: str):
    """Two cards in one slot; a key that nobody asked to shred."""
    assert says in found(home, steps)
