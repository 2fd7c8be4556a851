"""Exactly one earlier line for each card that left the vault: each way to break it is found."""

from pathlib import Path

import pytest

from tests.auditor import handmade as hand
from tests.auditor.handmade import House
from tests.auditor.planted import Plant, append, audited, change, places

CARDS = "cards"


def test_a_whole_home_has_a_line_for_each_card(home: Path):
    """Two attempts, two lines, two messages, one charge: all of it is looked at."""
    house = House()
    house.journaled()
    report = audited(home, house)

    assert report.is_clean, report.table()
    assert report.looked_at[CARDS] == 2


SPOILT: dict[str, tuple[Plant, str, int]] = {
    "let out twice": (
        append(hand.ACCESS, hand.access(4, "charge.authorize", "pi_1")),
        hand.ACCESS,
        4,
    ),
    "let out for a payment that nobody made": (
        append(hand.ACCESS, hand.access(4, "charge.authorize", "pi_9")),
        hand.ACCESS,
        4,
    ),
    "let out for an attempt that nobody booked": (
        append(
            hand.ACCESS,
            {**hand.access(4, "charge.authorize", "pi_1"), "reference": "pi_1.9"},
        ),
        hand.ACCESS,
        4,
    ),
    "charged under another reference than was let out": (
        change(hand.TRUTH_A, 1, reference="pi_1.3"),
        hand.TRUTH_A,
        1,
    ),
    "another card": (change(hand.ACCESS, 2, token="tok_2"), hand.ACCESS, 2),
    "another merchant's card": (change(hand.ACCESS, 2, merchant_id="m_002"), hand.ACCESS, 2),
    "another request": (change(hand.ACCESS, 2, correlation_id="cor_9"), hand.ACCESS, 2),
    "another provider": (change(hand.ACCESS, 2, provider="providerB"), hand.TRUTH_A, 1),
    "charged before its line": (
        change(hand.ACCESS, 2, at="2026-02-09T12:00:04.000Z"),
        hand.TRUTH_A,
        1,
    ),
}


@pytest.mark.parametrize("name", SPOILT)
def test_a_card_that_left_otherwise_than_written_is_found(home: Path, name: str):
    """Every link of the chain from the attempt to the charge is compared, by file and line."""
    plant, path, line = SPOILT[name]
    house = House()
    plant(house)

    assert (CARDS, path, line) in places(audited(home, house))


def test_a_line_without_a_message_and_a_message_without_a_line_are_found(home: Path):
    """The vault writes both in one step: one of them alone is a card too many or too few."""
    house = House()
    house.journaled()
    step = house.journals[hand.VAULT][1]
    step["out"] = step["out"][:1]
    assert places(audited(home, house)) == {(CARDS, hand.VAULT, 2)}

    house.journaled()
    step = house.journals[hand.VAULT][1]
    step["out"][0]["body"]["token"] = "tok_2"
    assert places(audited(home, house)) == {(CARDS, hand.VAULT, 2)}


def test_a_line_that_the_vault_never_wrote_is_found(home: Path):
    """A charge that was written into the log by somebody else has no message beside it."""
    house = House()
    house.journaled()
    line = hand.access(4, "charge.authorize", "pi_1")
    house.books[hand.ACCESS].append(line)

    found = places(audited(home, house))
    assert {(CARDS, hand.ACCESS, 4), ("booked", hand.ACCESS, 4)} <= found
