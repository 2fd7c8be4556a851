"""People put a book back as another file while doors are open: everybody who reads it goes on."""

from collections.abc import Iterator

import pytest

from payrail.domain.books import ACCESS_BOOK, LEDGER_BOOK, OUTBOX_BOOK
from tests.scenarios.manned import Machine, manned


@pytest.fixture
def house() -> Iterator[Machine]:
    with manned() as house:
        yield house


def paid(house: Machine, key: str) -> str:
    """The path of an accepted payment."""
    came = house.pays(key)
    house.live(2_000)
    assert [one.status for one in came] == [201]
    return f"/payment-intents/{came[0].json()['id']}"


def while_the_gateway_is_away(house: Machine, **books: tuple[str, bytes]) -> None:
    """Put these there, each as a new file; its writer opens it when it is back."""
    house.machine.stop("supervisor")
    house.machine.kill("gateway")
    house.bury()
    house.live(500)
    for path, data in books.values():
        house.fs.replace(path, data)


def back(house: Machine) -> None:
    house.machine.go_on("supervisor")
    house.live(3_000)


def test_a_door_that_stays_open_reads_a_book_that_was_put_back(house):
    """A payment accepted after it is found, its event told and delivered, a new key works: the
    front door and the dispatcher were never started again."""
    first = paid(house, "k1")
    endpoint = {"url": "https://shop.example/hooks"}
    assert house.http("POST", "/webhook-endpoints", endpoint, "e1")[0] == 201
    before = house.http("GET", first)
    same = {path: (path, house.fs.read(path)) for path in (LEDGER_BOOK, OUTBOX_BOOK, ACCESS_BOOK)}
    while_the_gateway_is_away(house, **same)
    back(house)

    second = paid(house, "k2")
    made = house.http(
        "POST",
        "/keys",
        {"role": "admin", "user": "usr_m001_admin"},
        "key1",
        house.household.keys.service,
        X_Merchant_Id="m_001",
    )[1]

    assert house.http("GET", first) == before
    status, shown = house.http("GET", second, bearer=made["key"])
    assert (status, shown["state"]) == (200, "authorized")
    listed = house.http("GET", "/payment-intents")[1]["data"]
    assert [f"/payment-intents/{one['id']}" for one in listed] == [second, first]
    told = {one["id"] for one in house.http("GET", "/events?after=0")[1]["data"]}
    sent = {one["event_id"] for one in house.http("GET", "/deliveries")[1]["data"]}
    assert sent
    assert sent <= told
    cells = house.machine.cells
    assert {cells.read(name).epoch for name in ("frontdoor", "dispatcher")} == {1}


def test_a_book_of_before_is_damage_until_the_book_is_put_back(house):
    """503 for a book that lacks what was told, whatever the door still knows of it; the right one
    is read on, also what is booked in it later."""
    before = house.fs.read(LEDGER_BOOK)
    path = paid(house, "k1")
    shown, whole = house.http("GET", path), house.fs.read(LEDGER_BOOK)
    while_the_gateway_is_away(house, ledger=(LEDGER_BOOK, before))

    status, problem = house.http("GET", path)
    house.fs.replace(LEDGER_BOOK, whole)
    back(house)

    assert (status, problem["code"]) == (503, "file-damaged")
    assert house.http("GET", path) == shown
    assert house.http("GET", paid(house, "k2"))[0] == 200
