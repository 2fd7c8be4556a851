"""The auditor finds every lie that is planted, by file and line, and cries wolf over none."""

from pathlib import Path

import pytest

from tests.auditor import handmade as hand
from tests.auditor.handmade import House
from tests.auditor.planted import Plant, append, audited, book, change, data, places


@pytest.mark.parametrize("with_journals", [False, True])
def test_a_house_without_damage_raises_no_alarm(home: Path, with_journals: bool):
    """Two ordinary payments, one captured and one declined, are clean, and all was looked at."""
    house = House()
    if with_journals:
        house.journaled()

    report = audited(home, house)

    assert report.findings == []
    for check in ("chain", "postings", "outbox", "moves", "truth", "acknowledged", "access log"):
        assert report.looked_at[check] > 0


def _lopsided(house: House) -> None:
    house.books[hand.PAYMENTS][5]["postings"][0]["amount"] = 1100


def _two_currencies(house: House) -> None:
    house.books[hand.PAYMENTS][5]["postings"][1]["currency"] = "EUR"


def _no_event(house: House) -> None:
    house.books[hand.OUTBOX].pop()


def _events_swapped(house: House) -> None:
    events = house.books[hand.OUTBOX]
    events[3], events[4] = events[4], events[3]


def _no_access_line(house: House) -> None:
    del house.books[hand.ACCESS][1]


def _no_attempt(house: House) -> None:
    house.books[hand.PAYMENTS][1].update(type="payment.operation_failed")


def _charged_while_asking(house: House) -> None:
    house.books[hand.PAYMENTS][7].update(type="payment.requires_action")
    house.books[hand.TRUTH_A].append(hand.truth(3, "pi_2.1", "authorize", 700))


def _line_posted_twice(house: House) -> None:
    posted = {"provider": "providerA", "proposed_by": "usr_a", "approved_by": "usr_b"}
    moved = [
        {"account": account, "amount": amount, "currency": "USD"}
        for account, amount in (
            ("asset:providerA:payout_in_transit", -500),
            ("asset:suspense:recon:providerA", 500),
        )
    ]
    for _ in range(2):
        book("provider.break_adjusted", "providerA", 0, line="x.csv:7", **posted)(house)
        house.books[hand.PAYMENTS][-1]["postings"] = moved


CALL = {"provider": "providerA", "reference": "pi_1.3"}

# What is said is wrong, though every hash holds: (damage, check, file, line).
LIES = {
    "a gap in seq": (change(hand.PAYMENTS, 5, seq=9), "ledger seq", hand.PAYMENTS, 6),
    "an event id twice": (
        change(hand.PAYMENTS, 5, event_id="evt_4"),
        "ledger seq",
        hand.PAYMENTS,
        5,
    ),
    "postings do not balance": (_lopsided, "postings", hand.PAYMENTS, 6),
    "two currencies balance together only": (_two_currencies, "postings", hand.PAYMENTS, 6),
    "an entry without an event": (_no_event, "outbox", hand.PAYMENTS, 8),
    "events in another order": (_events_swapped, "outbox", hand.OUTBOX, 4),
    "created twice": (book("payment.created", "pi_1", 1099), "moves", hand.PAYMENTS, 9),
    "two payments of one key": (
        book("payment.created", "pi_3", 1099, idempotency_key="c1"),
        "once per key",
        hand.PAYMENTS,
        9,
    ),
    "authorized twice": (
        book("payment.authorized", "pi_1", 1099, **CALL),
        "moves",
        hand.PAYMENTS,
        9,
    ),
    "a declined payment is captured": (
        book("payment.captured", "pi_2", 700, **CALL),
        "moves",
        hand.PAYMENTS,
        9,
    ),
    "a capture is settled that no statement has": (
        book("payment.settled", "pi_1", 1099, provider="providerA", capture_id="cap_1"),
        "settled",
        hand.PAYMENTS,
        9,
    ),
    "a line of a statement is in transit twice": (
        _line_posted_twice,
        "settled",
        hand.PAYMENTS,
        10,
    ),
    "a break is posted by one person": (
        book(
            "payment.settled",
            "pi_1",
            0,
            provider="providerA",
            adjusted=True,
            proposed_by="usr_a",
            approved_by="usr_a",
        ),
        "settled",
        hand.PAYMENTS,
        9,
    ),
    "an entry of no payment": (
        book("payment.declined", "pi_9", 5, **CALL),
        "moves",
        hand.PAYMENTS,
        9,
    ),
    "captured more than held": (
        book("payment.captured", "pi_1", 1, **CALL),
        "amounts",
        hand.PAYMENTS,
        9,
    ),
    "one capture booked twice": (
        book("payment.captured", "pi_1", 1, capture_id="cap_1", **CALL),
        "amounts",
        hand.PAYMENTS,
        9,
    ),
    "authorized for less": (change(hand.PAYMENTS, 3, amount=1098), "amounts", hand.PAYMENTS, 3),
    "approved at both providers": (
        append(hand.TRUTH_B, hand.truth(1, "pi_1.3", "authorize", 1099)),
        "double charge",
        hand.TRUTH_B,
        1,
    ),
    "one reference approved twice": (
        append(hand.TRUTH_A, hand.truth(3, "pi_1.1", "authorize", 1099)),
        "truth",
        hand.TRUTH_A,
        3,
    ),
    "one reference captured twice": (
        append(hand.TRUTH_A, hand.truth(3, "pi_1.2", "capture", 1099)),
        "double charge",
        hand.TRUTH_A,
        3,
    ),
    "a declined payment is still held": (
        append(hand.TRUTH_A, hand.truth(3, "pi_2.1", "authorize", 700)),
        "double charge",
        hand.TRUTH_A,
        3,
    ),
    "charged by the call that asked for its cardholder": (
        _charged_while_asking,
        "challenges",
        hand.TRUTH_A,
        3,
    ),
    "charged without an attempt": (_no_attempt, "truth", hand.TRUTH_A, 1),
    "charged for an unknown payment": (
        append(hand.TRUTH_A, hand.truth(3, "pi_9.1", "authorize", 1)),
        "truth",
        hand.TRUTH_A,
        3,
    ),
    "captured, and the provider knows nothing": (
        data(6, reference="pi_1.7"),
        "booked is true",
        hand.PAYMENTS,
        6,
    ),
    "really captured, and not booked": (
        append(hand.TRUTH_A, hand.truth(3, "pi_1.8", "capture", 1)),
        "booked is true",
        hand.TRUTH_A,
        3,
    ),
    "a card used without a line": (_no_access_line, "access log", hand.TRUTH_A, 1),
    "an access without a purpose": (
        change(hand.ACCESS, 1, purpose=""),
        "access log",
        hand.ACCESS,
        1,
    ),
    "a new dead letter": (
        append(hand.DEAD, {"id": "dl_1", "why": "decide_error"}),
        "dead letters",
        hand.DEAD,
        1,
    ),
}


@pytest.mark.parametrize("name", LIES)
def test_what_cannot_be_true_is_found(home: Path, name: str):
    """Books whose chain holds but whose facts contradict each other are named by file and line."""
    plant, check, path, line = LIES[name]
    house = House()
    plant(house)

    assert (check, path, line) in places(audited(home, house))


def _answered(line: int, **fields: object) -> Plant:
    return lambda house: house.history[line - 1].update(fields)


ANSWERS = {
    "another body for the same key": (_answered(3, body_sha="x"), "same key same answer", 3),
    "another status for the same key": (_answered(3, status=200), "same key same answer", 3),
    "a created payment is lost": (_answered(6, payment_id="pi_9"), "acknowledged", 6),
    "an authorization is lost": (_answered(4, payment_id="pi_2"), "acknowledged", 4),
    "a capture of another amount": (_answered(5, amount=1000), "acknowledged", 5),
    "a create of another amount": (_answered(6, amount=701), "acknowledged", 6),
    "another currency": (_answered(6, currency="EUR"), "acknowledged", 6),
    "another merchant": (_answered(6, merchant="m_002"), "acknowledged", 6),
    "a decline that is not booked": (_answered(7, payment_id="pi_1"), "acknowledged", 7),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_what_clients_were_told_must_stand_in_the_books(home: Path, name: str):
    """An acknowledged write that the ledger lacks, or has otherwise, is named in the history."""
    plant, check, line = ANSWERS[name]
    house = House()
    plant(house)
    history = str(home.parent / "history.jsonl")

    assert (check, history, line) in places(audited(home, house))


def test_more_captures_than_keys_are_found(home: Path):
    """A payment captured in two parts, when one key asked for one capture, was captured twice."""
    house = House()
    house.books[hand.PAYMENTS][5]["amount"] = 600
    house.books[hand.PAYMENTS][5]["postings"] = []
    book("payment.captured", "pi_1", 499, capture_id="cap_2", **CALL)(house)

    assert ("acknowledged", hand.PAYMENTS, 9) in places(audited(home, house))


def test_answers_that_are_not_final_may_differ(home: Path):
    """In doubt, in flight and out of order are how things stand, not answers of the key."""
    house = House()
    for status in (202, 409, 503, 504):
        house.history.insert(3, hand.answer("authorize", "a1", "pi_1", status, 1099))

    assert audited(home, house).is_clean


def test_a_refusal_of_the_state_machine_is_final(home: Path):
    """A 409 that no waiting changes is the answer of its key, so another one later is found."""
    house = House()
    refused = {**hand.answer("cancel", "x1", "pi_1", 409, 1099), "retryable": False}
    house.history += [refused, {**refused, "status": 200}]

    assert ("same key same answer", 9) in {
        (found.check, found.line) for found in audited(home, house).findings
    }


@pytest.mark.parametrize(("hours", "is_free"), [(23, False), (24, True)])
def test_a_key_is_free_again_after_a_day_of_business_time(home: Path, hours: int, is_free: bool):
    """Entries tell wire time only: when a key was used again stands in the gateway's journal."""
    house = House()
    book("payment.created", "pi_3", 1099, idempotency_key="c1")(house)
    house.journaled()
    first, again = house.journals[hand.GATEWAY][1:]
    again["books"] = [one for one in first["books"] if one["line"].get("ref") == "pi_3"]
    first["books"] = [one for one in first["books"] if one not in again["books"]]
    again["ahead_ms"] = hours * 3_600_000

    found = {finding.check for finding in audited(home, house).findings}
    assert found == (set() if is_free else {"once per key"})
