"""Why a payment went where it went, over HTTP: a fold of its entries."""

import msgspec

from payrail.domain.books import LEDGER_BOOK
from payrail.domain.ledger import AttemptStarted
from payrail.domain.routing import BY_DEFAULT, Candidate, Charge, decided, order_for
from tests.actors.booked import created, entry, pi, started
from tests.actors.doors import book, open_door

PAYMENT = pi(1)
CANDIDATES = [Candidate("providerA", 62, "OPEN", "breaker_open"), Candidate("providerB", 26)]


def routed():
    charge = Charge(PAYMENT, "m_001", 1000, "USD", "424242", "US")
    decision = decided(order_for(BY_DEFAULT, charge), CANDIDATES, "providerB")
    data = AttemptStarted(1, "providerB", f"{PAYMENT}.1", routing=decision)
    return entry(PAYMENT, "payment.attempt_started", data)


async def test_rule_candidates_and_extra_cost_are_shown(tmp_path):
    """As the entry has them, with one line for people."""
    book(tmp_path, LEDGER_BOOK, [created(PAYMENT), routed()])
    async with open_door(tmp_path) as door:
        status, _, shown = await door.ask("GET", f"/payment-intents/{PAYMENT}/routing")
    (attempt,) = shown["attempts"]

    assert (status, shown["provider"], attempt["rule"]) == (200, "providerB", "default")
    assert attempt["extra_cost"] == -36
    assert attempt["candidates"][0] == {
        "provider": "providerA",
        "cost": 62,
        "health": "down",
        "breaker": "OPEN",
        "passed_over": "breaker_open",
        "answered": 0,
        "authorized": 0,
    }
    assert "providerB by rule default" in attempt["reason"]


async def test_a_line_older_than_reasons_is_still_shown(tmp_path):
    """Where it went is known, why is not."""
    line = msgspec.json.encode(started(PAYMENT)).replace(b',"routing":null', b"")
    assert b"routing" not in line
    book(tmp_path, LEDGER_BOOK, [created(PAYMENT), msgspec.Raw(line)])
    async with open_door(tmp_path) as door:
        status, _, shown = await door.ask("GET", f"/payment-intents/{PAYMENT}/routing")
    (attempt,) = shown["attempts"]

    assert (status, attempt["provider"], attempt["rule"]) == (200, "providerA", None)
    assert attempt["candidates"] == []


async def test_another_merchants_payment_is_unknown(tmp_path):
    """404, as one that never was."""
    book(tmp_path, LEDGER_BOOK, [created(PAYMENT), routed()])
    async with open_door(tmp_path) as door:
        key = door.key(merchant="m_002")
        path = f"/payment-intents/{PAYMENT}/routing"
        assert (await door.ask("GET", path, key=key))[0] == 404
        assert (await door.ask("GET", f"/payment-intents/{pi(9)}/routing"))[0] == 404
