"""A key that goes too early, and a card that is under it: each way to break it is found."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.auditor import handmade as hand
from tests.auditor.cards import JOURNAL
from tests.auditor.handmade import House
from tests.auditor.planted import audited
from tests.auditor.vault_keys import CARDS, CHECK, KEYS

MOVED = {"type": "cards.moved", "key_id": "k2", "cards": {"tok_1": "…"}}
STEPS: list[list[dict[str, Any]]] = [
    [{"type": "card.stored", "token": "tok_1", "card": {"key_id": "k1"}}],
    [{"type": "rotation.begun", "wanted": {"key_id": "k2"}}],
    [MOVED],
    [{"type": "keys.retiring", "key_ids": ["k1"]}],
    [{"type": "key.retired", "key_id": "k1"}],
]
Files = dict[str, Any]
FILES: Files = {
    KEYS: {"keys": [{"id": "k2", "key": "…"}, {"id": "k1", "key": None}]},
    CARDS: {"cards": {"tok_1": {"key_id": "k2"}}},
}


def rotated(home: Path, steps: list[list[dict[str, Any]]], files: Files, told: int = 2):
    """(file, line) of what an audit of a home with these steps of the vault finds of its keys."""
    house = House()
    for key_id in ("k2", "k1")[:told]:
        line = hand.access(len(house.books[hand.ACCESS]) + 1, "key.rotation", None)
        house.books[hand.ACCESS].append({**line, "token": "*", "key_id": key_id})
    house.journaled()
    first = len(house.journals[hand.VAULT])
    for events in steps:
        number = len(house.journals[hand.VAULT]) + 1
        house.journals[hand.VAULT].append(hand.step(number, 1, events=events))

    def write(to: Path) -> None:
        for path, fields in files.items():
            (to / path).parent.mkdir(parents=True, exist_ok=True)
            (to / path).write_text(json.dumps(fields))

    report = audited(home, house, write)
    return {(f.path, f.line and f.line - first) for f in report.findings if f.check == CHECK}


def test_a_rotation_that_went_well_is_clean(home: Path):
    """Each card moved, the old key gone, two lines in the log."""
    assert rotated(home, STEPS, FILES) == set()


def without(number: int) -> list[list[dict[str, Any]]]:
    return [*STEPS[: number - 1], *STEPS[number:]]


def instead(number: int, event: dict[str, Any]) -> list[list[dict[str, Any]]]:
    return [*STEPS[: number - 1], [event], *STEPS[number:]]


LATE = {"type": "card.stored", "token": "tok_2", "card": {"key_id": "k1"}}
NOBODY = {**MOVED, "cards": {"tok_1": "…", "tok_9": "…"}}
BACK = {**FILES, KEYS: {"keys": [{"id": "k2", "key": "…"}, {"id": "k1", "key": "…"}]}}
LOST = {**FILES, KEYS: {"keys": [{"id": "k1", "key": None}]}}
BEHIND = {**FILES, CARDS: {"cards": {"tok_1": {"key_id": "k1"}}}}
Found = set[tuple[str, int]]
SPOILT: dict[str, tuple[Callable[[], list[list[dict[str, Any]]]], Files, Found]] = {
    "a card was left": (lambda: without(3), FILES, {(JOURNAL, 3), (JOURNAL, 4), (KEYS, 0)}),
    "stored too late": (lambda: [*STEPS, [LATE]], FILES, {(JOURNAL, 6), (KEYS, 0)}),
    "moved and never stored": (lambda: instead(3, NOBODY), FILES, {(JOURNAL, 3)}),
    "bytes that stayed": (lambda: STEPS, BACK, {(KEYS, 0)}),
    "a lost key": (lambda: STEPS, LOST, {(KEYS, 0)}),
    "an old document": (lambda: STEPS, BEHIND, {(CARDS, 0)}),
}


@pytest.mark.parametrize("name", SPOILT)
def test_whatever_goes_wrong_with_a_key_is_found(home: Path, name: str):
    steps, files, found = SPOILT[name]
    assert rotated(home, steps(), files) == found


def test_a_key_without_its_lines_in_the_log_is_found(home: Path):
    assert rotated(home, STEPS, FILES, told=1) == {(hand.ACCESS, 0)}
