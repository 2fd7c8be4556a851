"""A power cut takes the last lines of books: nobody reads them as if they were whole.

The doors are back before the gateway, which puts the lines back when it starts. A payment that was
accepted is never told to be unknown, and a key that was revoked opens nothing.
"""

import json
from collections.abc import Iterator

import pytest

from payrail.domain.books import ACCESS_BOOK, CARD_ACCESS_BOOK, DELIVERIES_BOOK, LEDGER_BOOK
from payrail.runtime.sim import SimFs
from tests.scenarios.manned import Machine, manned

READS = (
    "/payment-intents",
    "/refunds",
    "/disputes",
    "/payouts",
    "/cases",
    "/events",
    "/balances",
    "/deliveries",
)
CARD = {"number": "4242424242424242", "exp_month": 12, "exp_year": 2030, "cvc": "123", "name": "A"}


@pytest.fixture
def house() -> Iterator[Machine]:
    with manned() as house:
        yield house


def paid(house: Machine) -> str:
    """The path of an accepted payment."""
    came = house.pays("k1")
    house.live_until(lambda: bool(came))
    assert [one.status for one in came] == [201]
    return f"/payment-intents/{came[0].json()['id']}"


def lost(house: Machine, book: str, *away: str, keeps_cells: bool = False) -> None:
    """Cut the power, and see that it took lines of a book that nobody has put back."""
    before = house.fs.size(book)
    house.cut_power(*away, keeps_cells=keeps_cells)
    assert house.fs.size(book) < before


@pytest.mark.parametrize("keeps_cells", [False, True])
def test_an_accepted_payment_is_not_unknown_before_the_gateway_is_back(house, keeps_cells):
    """503 with a time to come again, also when the cells of before the boot reached the disk; then
    the payment as it was."""
    path = paid(house)
    shown = house.http("GET", path, at_once=True)[1]
    lost(house, LEDGER_BOOK, "gateway", keeps_cells=keeps_cells)

    early = house.send("GET", path)
    house.live(1_000)
    answers = {one: house.http("GET", one) for one in READS}
    as_house = house.http("GET", path, bearer=house.household.keys.service)
    house.away.clear()
    house.live(5_000)

    assert (early[0].status, early[0].json()["code"]) == (503, "actor-restarting")
    assert dict(early[0].headers)["retry-after"] == "1"
    assert "has not served since this machine started" in early[0].json()["detail"]
    assert {one: status for one, (status, _) in answers.items()} == dict.fromkeys(READS, 503)
    assert (as_house[0], as_house[1]["code"]) == (503, "actor-restarting")
    assert house.http("GET", path) == (200, shown)


def test_reads_go_on_while_the_gateway_is_dead(house):
    """No death of a process takes a line while the machine runs: the door that was there answers,
    and so does the next one, though the gateway is not back."""
    path, cells = paid(house), house.machine.cells
    house.away = {"gateway"}
    house.machine.kill("gateway")
    house.live(1_000)
    same = house.http("GET", path)
    house.machine.kill("frontdoor")
    house.live(1_000)

    assert same[0] == 200
    assert house.http("GET", path) == same
    reborn = {name: cells.read(name).epoch for name in ("gateway", "frontdoor")}
    assert reborn == {"gateway": 1, "frontdoor": 2}


def test_a_revoked_key_opens_no_door_before_the_gateway_is_back(house):
    """The line that revoked it is gone for a while: both doors say 503, and then 401."""
    service = house.household.keys.service
    path = paid(house)
    made = house.http(
        "POST",
        "/keys",
        {"role": "admin", "user": "usr_m001_admin"},
        "key1",
        service,
        X_Merchant_Id="m_001",
    )[1]
    text = made["key"]
    assert house.http("GET", path, bearer=text)[0] == 200
    house.live(5_000)  # a snapshot: what was written so far survives
    status, _ = house.http(
        "POST",
        f"/keys/{made['id']}/revoke",
        {},
        "key2",
        service,
        X_Merchant_Id="m_001",
        at_once=True,
    )
    assert status == 200
    lost(house, ACCESS_BOOK, "gateway")

    early = [house.http("GET", path, bearer=text), house.http("POST", "/tokenize", CARD, "", text)]
    house.away.clear()
    house.live(5_000)
    late = [house.http("GET", path, bearer=text), house.http("POST", "/tokenize", CARD, "", text)]

    assert [(one, said["code"]) for one, said in early] == [(503, "actor-restarting")] * 2
    assert [(one, said["code"]) for one, said in late] == [(401, "unauthenticated")] * 2


def test_a_key_whose_line_somebody_removed_is_not_called_unknown(house):
    """A door that starts while the book of keys is gone knows nobody. A text that only this house
    can have made is good again once the book is mended: 503 until then; anything else is 401."""
    path = paid(house)
    forged = f"sk_test_m001admin_{'0' * 32}"
    book = house.fs.read(ACCESS_BOOK)
    house.fs.unlink(ACCESS_BOOK)
    for door in ("frontdoor", "vault"):
        house.machine.kill(door)
    house.live(1_000)

    asked = [house.http("GET", path), house.http("POST", "/tokenize", CARD, "")]
    others = house.http("GET", path, bearer=forged)
    house.fs.replace(ACCESS_BOOK, book)

    assert [(status, said["code"]) for status, said in asked] == [(503, "file-damaged")] * 2
    assert (others[0], others[1]["code"]) == (401, "unauthenticated")
    assert house.http("GET", path)[0] == 200


def test_deliveries_wait_for_the_dispatcher(house):
    """Their book is its own; everything else is answered."""
    path = paid(house)
    endpoint = {"url": "https://shop.example/hooks"}
    assert house.http("POST", "/webhook-endpoints", endpoint, "e1")[0] == 201
    house.live(5_000)
    assert house.http("POST", f"{path}/cancel", {}, "c1", at_once=True)[0] == 200
    house.live_until(lambda: house.fs.size(DELIVERIES_BOOK) > 0)
    shown = house.http("GET", "/deliveries", at_once=True)
    assert shown[1]["data"]
    lost(house, DELIVERIES_BOOK, "dispatcher")

    early, others = house.http("GET", "/deliveries"), house.http("GET", path)
    house.away.clear()
    house.live(5_000)

    assert (early[0], early[1]["code"], others[0]) == (503, "actor-restarting", 200)
    assert "The dispatcher has not served" in early[1]["detail"]
    assert shown[1]["data"][-1] in house.http("GET", "/deliveries")[1]["data"]


def test_the_access_log_waits_for_the_vault(house):
    """Who touched a card is not told with the last touch missing; payments are answered."""
    path = paid(house)
    shown = house.http("GET", "/audit/vault", at_once=True)
    assert shown[1]["data"][0]["purpose"] == "charge.authorize"
    lost(house, CARD_ACCESS_BOOK, "vault")

    early, others = house.http("GET", "/audit/vault"), house.http("GET", path)
    house.away.clear()
    house.live(5_000)

    assert (early[0], early[1]["code"], others[0]) == (503, "actor-restarting", 200)
    assert "The vault has not served" in early[1]["detail"]
    assert house.http("GET", "/audit/vault")[1]["data"] == shown[1]["data"]


def test_a_held_gateway_is_named_with_what_to_do(house):
    """Nobody starts it again by himself: the refusal says who tells more, and the house's own key
    still gives orders."""
    path = paid(house)
    house.cut_power("gateway")
    file = SimFs(house.machine.disk).open("data/actors/gateway/journal.jsonl")
    file.pwrite(200, b"#")
    file.close()
    house.away.clear()
    house.live(5_000)

    status, said = house.http("GET", path)
    order = house.http("POST", "/actors/gateway/restart", {}, "", house.household.keys.service)

    assert (status, said["code"]) == (503, "actor-restarting")
    assert "`payrail ps` shows it, `payrail verify` names what is wrong" in said["detail"]
    assert order[0] == 202, json.dumps(order[1])


def test_a_book_that_somebody_removed_is_damage_and_no_error_of_ours(house):
    """Its lines are known, and it is gone: 503 that says where to look; an order that waits while
    the door leaves is told 504 as it would be over a book that reads."""
    path = paid(house)
    house.fs.unlink(LEDGER_BOOK)

    shown = house.http("GET", path)
    house.machine.stop("gateway")
    ordered = house.send("POST", f"{path}/capture", {}, "k2")
    house.live(100)
    house.machine.order("frontdoor", "restart")
    house.live(1_000)

    assert (shown[0], shown[1]["code"]) == (503, "file-damaged")
    assert [one.status for one in ordered] == [504]
