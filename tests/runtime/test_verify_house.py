"""`verify`, `why` and the ledger's statements over a whole house on a simulated disk."""

from random import Random
from typing import Any

import pytest

from actors.simulation.house import ACTORS, SimHouse, authorized, open_house
from actors.simulation.orders import cancel, capture, create
from payrail.audit.findings import damaged
from payrail.audit.house import verify, verify_ledger
from payrail.audit.ledger import check_ledger
from payrail.audit.reading import Part
from payrail.audit.statement import balance, statement
from payrail.audit.why import explain, walk
from payrail.runtime.sim import Chance, Kept, SimFs
from payrail.storage.lines import chained

LEDGER = "data/ledger/payments.jsonl"
EVENTS = "data/outbox/events.jsonl"


@pytest.fixture
def house() -> tuple[SimHouse, str]:
    """A house that has captured one payment and cancelled another; the id of the first."""
    made, token = open_house()
    payment = authorized(made, token)
    made.say(capture(payment), "capture")
    made.say(cancel(authorized(made, token, "q"), "k_q"), "cancel")
    return made, payment


def cores(house: SimHouse) -> dict[str, Any]:
    return {name: house.core(name) for name in ACTORS}


def found(house: SimHouse) -> list[str]:
    return [str(finding) for finding in verify(house.fs, cores(house))]


def test_house_is_clean_after_every_turn(house: tuple[SimHouse, str]):
    """Whoever has had a turn and whoever has not: a house at work has no findings."""
    made, _ = house
    token = "tok_card" + "0" * 28
    for number in range(3):
        made.put(create(token, f"k_{number}", confirm=True), f"r_{number}")
    looks, is_working = 0, True
    while is_working:
        is_working = False
        for name in ACTORS:
            is_working = made.turn(name) or is_working
            looks += 1
            assert found(made) == []
        made.drivers["gateway"].write_documents()
        is_working = is_working and looks < 30
    assert looks > 3
    assert found(made) == []


def test_killed_and_started_again_it_is_clean(house: tuple[SimHouse, str]):
    """Every actor is killed in the middle of work, with unread mail, and comes back."""
    made, _ = house
    token = "tok_card" + "0" * 28
    for number, name in enumerate(ACTORS):
        made.put(create(token, f"k_{number}", confirm=True), f"r_{number}")
        made.turn("gateway")
        made.start(name)
        assert found(made) == []
        made.run()
        assert found(made) == []


@pytest.mark.parametrize("seed", range(20))
def test_after_a_power_cut_and_a_start_it_is_clean(house: tuple[SimHouse, str], seed: int):
    """What a disk may lose is written again at the next start, and nothing is left to find."""
    made, _ = house
    made.put(create("tok_card" + "0" * 28, "k_cut", confirm=True), "r_cut")
    made.turn("gateway")
    later = made.cut_power(Chance(Random(seed))).start()
    later.run()

    assert damaged(verify(later.fs, cores(later))) == []


def test_copied_house_is_clean(house: tuple[SimHouse, str]):
    """A copy of a resting house is as whole as the house."""
    made, _ = house
    later = made.cut_power(Kept())

    assert found(later) == []


def test_chain_of_a_payment_reaches_the_provider_and_back(house: tuple[SimHouse, str]):
    """From the request through vault and provider to the entries and the reply, nothing missing."""
    made, payment = house
    chain = explain(made.fs, cores(made), payment)

    assert chain is not None
    assert chain.broken == []
    assert all(node.line > 0 for node in chain.nodes)
    deepest: list[str] = []
    for depth, node in walk(chain.nodes):
        deepest = [*deepest[:depth], f"{node.actor} {node.kind}"]
        if node.what.startswith("payment.authorized"):
            break
    assert deepest == [
        "frontdoor message", "gateway step", "gateway message", "vault step", "vault message",
        "provider-a step", "provider-a message", "gateway step", "gateway entry",
    ]  # fmt: skip
    told = {node.kind for node in chain.nodes}
    assert told == {"message", "step", "entry", "event", "access", "truth", "reply"}


def test_a_chain_tells_amounts_as_money(house: tuple[SimHouse, str]):
    """Entries and truth lines say 10.99 USD; files keep their minor units."""
    made, payment = house
    chain = explain(made.fs, cores(made), payment)

    assert chain is not None
    told = [node.what for node in chain.nodes]
    assert "payment.captured 10.99 USD" in told
    assert f"authorize {payment}.1 approved, 10.99 USD" in told
    assert not any("1099" in what for what in told)


def test_event_is_followed_back_to_its_request(house: tuple[SimHouse, str]):
    """An event's id leads back to the request that it came from."""
    made, _ = house
    event = next(e for e in made.entries if e["type"] == "payment.captured")["event_id"]
    chain = explain(made.fs, cores(made), event)

    assert chain is not None
    assert chain.broken == []
    assert chain.nodes[0].kind == "message"
    assert chain.nodes[0].actor == "frontdoor"
    assert event in {node.id for node in chain.nodes}


def test_reference_does_not_find_a_longer_one(house: tuple[SimHouse, str]):
    """`pi_x.1` is one call to a provider, and not `pi_x.2`."""
    made, payment = house
    chain = explain(made.fs, cores(made), f"{payment}.2")

    assert chain is not None
    assert not any("authorize" in node.what and node.kind == "truth" for node in chain.nodes)


def test_statement_and_balance(house: tuple[SimHouse, str]):
    """A payment's entries come in order of `seq`, and all accounts sum to zero."""
    made, payment = house
    rows = statement(made.fs, payment)

    assert [row.type for row in rows] == made.types(payment)
    assert statement(made.fs, "pi_none") == []
    books = balance(made.fs)
    assert books.accounts["asset:providerA:receivable"]["USD"] > 0
    assert books.trial == {"USD": 0}
    assert books.is_zero
    assert balance(made.fs, "m_002").accounts == {}


def test_ledger_part_is_clean(house: tuple[SimHouse, str]):
    """The ledger's own check agrees."""
    made, _ = house
    assert verify_ledger(made.fs, cores(made)) == []


def forged(house: SimHouse, change: Any) -> list[tuple[int, str]]:
    """Findings of the ledger's rules alone, after `change` of the lines' bodies, with a chain that
    fits: as if the journal had been forged too."""
    lines = house.bytes_of(LEDGER).split(b"\n")[:-1]
    bodies = change([line[: line.rindex(b',"prev":"')] + b"}" for line in lines])
    prev, made = "0" * 64, b""
    for body in bodies:
        line = chained(body, prev)
        prev, made = line[-66:-2].decode(), made + line + b"\n"
    fs = SimFs()
    fs.replace(LEDGER, made)
    fs.replace(EVENTS, house.bytes_of(EVENTS))
    part, events = Part(fs, LEDGER), Part(fs, EVENTS)
    return [(f.line, f.what) for f in check_ledger([part], events, is_growing=False)]


def place(house: SimHouse, entry_type: str) -> int:
    """Line (from 1) of the first entry of that type."""
    return 1 + [entry["type"] for entry in house.entries].index(entry_type)


def test_rules_have_nothing_against_an_honest_ledger(house: tuple[SimHouse, str]):
    """The forger's tools change nothing by themselves."""
    assert forged(house[0], lambda lines: lines) == []


def test_posting_that_does_not_balance_is_named(house: tuple[SimHouse, str]):
    """One cent too much on one side: the entry, and from there the trial balance."""
    made, _ = house
    line = place(made, "payment.captured")

    def change(lines: list[bytes]) -> list[bytes]:
        lines[line - 1] = lines[line - 1].replace(b'"amount":-1099', b'"amount":-1098')
        return lines

    assert [where for where, _ in forged(made, change)] == [line, line]


def test_gap_in_seq_is_named(house: tuple[SimHouse, str]):
    """A missing `seq` is named at the line behind it."""
    findings = forged(house[0], lambda lines: lines[:1] + lines[2:])

    assert findings[0] == (2, "seq 3 follows 1")


def test_illegal_move_is_named(house: tuple[SimHouse, str]):
    """A payment cannot be captured before it is authorized, whoever says so."""
    made, _ = house
    line = place(made, "payment.authorized")

    def change(lines: list[bytes]) -> list[bytes]:
        lines[line - 1] = lines[line - 1].replace(b"payment.authorized", b"payment.captured")
        return lines

    assert forged(made, change)[0][0] == line


def test_entry_without_event_is_named(house: tuple[SimHouse, str]):
    """Every entry was told to the world."""
    made, _ = house

    def change(lines: list[bytes]) -> list[bytes]:
        lines[1] = lines[1].replace(b'"event_id":"evt_', b'"event_id":"evt_x')
        return lines

    assert [where for where, what in forged(made, change) if "event" in what] == [2]
