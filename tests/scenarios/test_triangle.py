"""The way of a charge: front door, gateway, vault, provider, gateway. Nobody waits in a call."""

import base64

import msgspec
import pytest

from actors.simulation.house import GOOD, SimHouse, authorized, open_house
from actors.simulation.orders import authorize, cancel, capture, create, drill
from payrail.storage.lines import complete_lines


@pytest.fixture
def shop() -> tuple[SimHouse, str]:
    return open_house()


def spool_lines(house: SimHouse) -> dict[str, int]:
    """How many bytes each spool holds now."""
    return {path: len(data) for path, data in files(house).items() if path.startswith("mailboxes/")}


def files(house: SimHouse) -> dict[str, bytes]:
    nodes = house.disk.names.items()
    return {path: bytes(node.content) for path, node in nodes if not node.is_folder}


def new_lines(house: SimHouse, before: dict[str, int]) -> list[tuple[str, str, str]]:
    """(from, to, kind) of every spool line written since `before`, but for notices, which come
    beside the triangle and are waited for by nobody."""
    found = []
    for path, data in files(house).items():
        if path.startswith("mailboxes/"):
            for line in complete_lines(data[before.get(path, 0) :])[0]:
                fields = msgspec.json.decode(line)
                if "notice" in (fields["kind"].rpartition(".")[2], fields.get("re", "")[:6]):
                    continue
                found.append((fields["from"], fields["to"], fields["kind"]))
    return found


def test_one_charge_is_five_lines(shop: tuple[SimHouse, str]):
    """Command, card to the vault, sealed charge, outcome, reply: the triangle and nothing else."""
    house, token = shop
    _, payment = house.say(create(token), "c")
    before = spool_lines(house)
    house.say(authorize(payment["id"]), "a")

    assert sorted(new_lines(house, before)) == [
        ("frontdoor", "gateway", "payment.authorize"),
        ("gateway", "frontdoor", "reply"),
        ("gateway", "vault", "card.charge"),
        ("provider-a", "gateway", "outcome"),
        ("vault", "provider-a", "charge"),
    ]
    assert not any(house.timers(name) for name in house.drivers)
    assert (house.state.pending, house.drivers["vault"].turn()) == ({}, False)


def test_a_capture_does_not_touch_the_vault(shop: tuple[SimHouse, str]):
    """No card is needed for money that is held."""
    house, token = shop
    payment_id = authorized(house, token)
    before = spool_lines(house)
    house.say(capture(payment_id), "k")

    assert sorted(new_lines(house, before)) == [
        ("frontdoor", "gateway", "payment.capture"),
        ("gateway", "frontdoor", "reply"),
        ("gateway", "provider-a", "capture"),
        ("provider-a", "gateway", "outcome"),
    ]


@pytest.mark.parametrize("dead", ["provider-a", "vault"])
def test_others_are_served_while_somebody_is_dead(shop: tuple[SimHouse, str], dead: str):
    """A charge waits in a mailbox, nobody in a call: creates and cancels are answered."""
    house, token = shop
    house.put(create(token, "k1", confirm=True), "waits")
    house.run(without=[dead])
    house.put(create(token, "k2"), "c")
    house.run(without=[dead])
    status, payment = house.answer("c")
    house.put(cancel(payment["id"]), "x")
    house.run(without=[dead])

    assert (status, house.answer("x")[1]["state"]) == (201, "reversed")
    assert "waits" not in house.replies
    house.run()
    assert house.answer("waits")[0] == 201


def test_every_line_of_a_request_carries_its_correlation_id(shop: tuple[SimHouse, str]):
    """Spools, ledger, events and access log: one search finds the whole story."""
    house, token = shop
    _, payment = house.say(create(token), "c")
    house.say(authorize(payment["id"]), "a")
    for path in (
        "mailboxes/vault/gateway.jsonl",
        "mailboxes/provider-a/vault.jsonl",
        "mailboxes/gateway/provider-a.jsonl",
        "data/ledger/payments.jsonl",
        "data/outbox/events.jsonl",
        "data/vault/access_log.jsonl",
    ):
        assert house.lines(path)[-1]["correlation_id"] == "cor_a", path


def test_no_file_holds_a_card_number(shop: tuple[SimHouse, str]):
    """Not in clear, not in base64 or hex, whatever became of the charge; snapshots included."""
    house, token = shop
    declined = house.tokenize("4000000000000002", "bad")
    house.run()
    house.say(capture(authorized(house, token)), "k")
    house.say(create(declined, "k2", confirm=True), "d")
    house.drill(drill("slow:20000", fence=False))
    house.put(create(token, "k3", confirm=True), "s")
    house.run()
    for _ in range(5):
        house.wait(5_000)
    for driver in house.drivers.values():
        driver.write_documents()
        driver.flush()

    everything = b"\n".join(files(house).values())
    assert house.answer("d")[0] == 402
    for number in (GOOD, "4000000000000002"):
        for spelled in spellings(number):
            assert spelled not in everything, spelled


def spellings(number: str) -> list[bytes]:
    """A number as it may hide in a file: base64 at each of its three offsets, and hex."""
    plain = number.encode()
    shifted = [base64.b64encode(b"x" * pad + plain) for pad in range(3)]
    inner = [text[4:-4] for text in shifted]
    return [plain, *inner, plain.hex().encode(), plain.hex().upper().encode()]
