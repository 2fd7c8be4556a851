"""Actors wait for nobody: an authorize is a triangle of lines; a silent provider brakes none."""

import threading
import time
from collections.abc import Iterator
from statistics import median
from typing import Any

import pytest

from actors.cli.chaos.house import House
from tests.scenarios.living import lines, until
from tests.scenarios.shop import Answer, Shop

pytestmark = pytest.mark.scenario
SETTINGS = {"PAYRAIL_PROVIDER_TIMEOUT": "1s"}
#: What the gateway has to do for a create takes some milliseconds; the rest is a slow machine.
SERVES_S_MAX = 1.0


def spoken_about(house: House, correlation_id: str) -> dict[str, dict[str, Any]]:
    """Every mailbox line of one request, by `from>to kind`, twice the same raises."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted((house.home / "mailboxes").glob("*/*.jsonl")):
        for line in lines(path):
            if line.get("correlation_id") == correlation_id:
                name = f"{line['from']}>{line['to']} {line['kind']}"
                assert name not in found
                found[name] = line
    return found


def authorize(shop: Shop, payment_id: str, key: str, correlation_id: str) -> Answer:
    headers = {"Idempotency-Key": key, "X-Correlation-Id": correlation_id}
    return shop.send("POST", f"/payment-intents/{payment_id}/authorize", b"{}", headers)


def test_an_authorize_is_a_triangle_of_four_lines_and_a_reply(house: House, shop: Shop):
    """Front door, gateway, vault, provider and back, each line caused by the one before; nothing
    else is said, so that nobody can have waited for an answer of somebody else."""
    payment_id = str(shop.create(shop.tokenize()).body["id"])
    assert authorize(shop, payment_id, "k_triangle", "cor_triangle").status == 200

    said = spoken_about(house, "cor_triangle")
    said.pop("frontdoor>gateway provider.notice", None)  # Told beside it, and may come this soon.

    assert set(said) == {
        "frontdoor>gateway payment.authorize",
        "gateway>vault card.charge",
        "vault>provider-a charge",
        "provider-a>gateway outcome",
        "gateway>frontdoor reply",
    }
    asked = said["frontdoor>gateway payment.authorize"]
    ordered = said["gateway>vault card.charge"]
    charged = said["vault>provider-a charge"]
    outcome = said["provider-a>gateway outcome"]
    assert asked["causation_id"] is None
    assert ordered["causation_id"] == asked["id"]
    assert charged["causation_id"] == ordered["id"]
    assert outcome["causation_id"] == charged["id"]
    assert said["gateway>frontdoor reply"]["re"] == asked["reply_to"]
    assert {one["key"] for one in (asked, ordered, charged, outcome)} == {payment_id}
    assert [one["reply_to"] for one in (ordered, charged, outcome)] == [None] * 3


@pytest.fixture
def silent_provider(house: House) -> Iterator[None]:
    """provider-a takes no messages while the test runs."""
    assert house.cli("pause", "provider-a").returncode == 0
    until(lambda: state(house, "provider-a") == "paused", "provider-a is paused")
    yield
    house.cli("resume", "provider-a")


def state(house: House, actor: str) -> str:
    row = house.row(actor)
    return str(row["state"]) if row else "none"


def test_while_a_provider_is_silent_all_others_are_served(
    house: House, shop: Shop, silent_provider: None
):
    """One client's authorize is in doubt after the provider's time; creates, reads and cancels of
    others meanwhile take no longer than ever; after `resume` the same key has a final answer."""
    token = shop.tokenize()
    waiting = str(shop.create(token).body["id"])
    answers: list[Answer] = []
    client = threading.Thread(
        target=lambda: answers.append(authorize(shop, waiting, "k_silent", "cor_silent"))
    )
    client.start()
    ledger = house.home / "data/ledger/payments.jsonl"
    until(lambda: "payment.attempt_started" in _types(house, waiting), f"an attempt in {ledger}")

    served_s = [_served_s(shop, token)]
    while client.is_alive():
        served_s.append(_served_s(shop, token))
    client.join()

    assert len(served_s) > 3
    assert median(served_s) < SERVES_S_MAX
    (doubtful,) = answers
    assert (doubtful.status, doubtful.body["state"]) == (202, "unknown")
    assert house.cli("resume", "provider-a").returncode == 0
    final = until(lambda: _final(shop, waiting), "the same key has a final answer", 20)
    assert final.body["state"] == "authorized"
    assert authorize(shop, waiting, "k_silent", "cor_again").bytes == final.bytes
    assert _approvals(house, waiting) == 1


def _served_s(shop: Shop, token: str) -> float:
    """How long a create and its cancel take together."""
    began = time.monotonic()
    made = shop.create(token)
    assert made.status == 201
    gone = shop.post(f"/payment-intents/{made.body['id']}/cancel", {})
    assert (gone.status, gone.body["state"]) == (200, "reversed")
    return time.monotonic() - began


def _final(shop: Shop, payment_id: str) -> Answer | None:
    answer = authorize(shop, payment_id, "k_silent", "cor_silent_again")
    return answer if answer.status != 202 else None


def _types(house: House, payment_id: str) -> list[str]:
    book = lines(house.home / "data/ledger/payments.jsonl")
    return [entry["type"] for entry in book if entry["ref"] == payment_id]


def _approvals(house: House, payment_id: str) -> int:
    """How often the provider really held the money."""
    truth = lines(house.home / "data/providers/providerA_truth.jsonl")
    return sum(line["reference"].startswith(f"{payment_id}.") for line in truth)
