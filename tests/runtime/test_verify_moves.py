"""`verify` judges refunds and disputes: each entry follows, and moves the money of its facts."""

from typing import Any

import pytest
from msgspec import structs

from actors.simulation import orders
from actors.simulation.disputed import SENT_BACK, a_house, answered, later
from actors.simulation.house import LEDGERS
from actors.simulation.settled import DAY_MS, SettledHouse
from payrail.audit.moves import Moves
from payrail.domain.ledger import LedgerEntry, Posting, read_entry
from payrail.storage.lines import complete_lines


def entries_of(house: SettledHouse) -> list[LedgerEntry]:
    lines = [line for path in LEDGERS for line in complete_lines(house.bytes_of(path))[0]]
    return [entry for _, entry in sorted(map(read_entry, lines), key=lambda found: found[0])]


@pytest.fixture(scope="module")
def entries() -> dict[str, list[LedgerEntry]]:
    """The books of a dispute that was won, and of a refund that was sent back."""
    won, _ = a_house()
    answered(won, "winning_evidence")
    later(won, 76 * DAY_MS)
    back, payment_id = a_house(SENT_BACK)
    _, made = back.say(orders.refund(payment_id, 2000), "r")
    assert back.say(orders.approve(made["id"]), "a")[0] == 200
    later(back, 60_000)
    return {"won": entries_of(won), "back": entries_of(back)}


def judged(entries: list[LedgerEntry]) -> str:
    """The type of the first entry that is refused; empty when none is."""
    moves = Moves()
    for entry in entries:
        try:
            moves.take(entry)
        except ValueError:
            return entry.type
    return ""


def changed(entries: list[LedgerEntry], type_: str, **fields: Any) -> list[LedgerEntry]:
    return [structs.replace(e, **fields) if e.type == type_ else e for e in entries]


@pytest.mark.parametrize("life", ["won", "back"])
def test_honest_books_are_followed_to_their_end(
    entries: dict[str, list[LedgerEntry]], life: str
) -> None:
    """Every entry of both lives."""
    assert judged(entries[life]) == ""


@pytest.mark.parametrize(
    ("life", "type_"),
    [
        ("won", "dispute.opened"),
        ("won", "dispute.submitted"),
        ("won", "dispute.won"),
        ("back", "refund.approved"),
        ("back", "refund.succeeded"),
        ("back", "refund.failed"),
    ],
)
def test_money_that_the_facts_do_not_make_is_refused(
    entries: dict[str, list[LedgerEntry]], life: str, type_: str
) -> None:
    """Left out, or between other accounts, though it balances."""
    assert judged(changed(entries[life], type_, postings=[])) == type_
    other = [Posting("asset:bank", 1, "USD"), Posting("income:gateway_fee", -1, "USD")]
    assert judged(changed(entries[life], type_, postings=other)) == type_


def test_what_cannot_follow_is_refused(entries: dict[str, list[LedgerEntry]]) -> None:
    """Charged back twice, won unanswered, sent back before it was paid."""
    won, back = entries["won"], entries["back"]
    twice = [e for e in won for _ in range(1 + (e.type == "dispute.opened"))]
    assert judged(twice) == "dispute.opened"
    assert judged([e for e in won if e.type != "dispute.submitted"]) == "dispute.won"
    assert judged([e for e in back if e.type != "refund.succeeded"]) == "refund.failed"
