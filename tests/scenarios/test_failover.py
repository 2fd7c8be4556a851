"""The story `outage` with time in hand: one provider fails, the other takes over, and back."""

import pytest

from actors.simulation import orders
from actors.simulation.house import DECLINED, SimHouse, authorized, open_house
from actors.simulation.sound import must_be_sound
from payrail.runtime.sim import Dropped


@pytest.fixture
def at_work() -> tuple[SimHouse, str]:
    return open_house()


def view(house: SimHouse, provider: str = "providerA") -> dict:
    (shown,) = house.lines(f"data/providers/{provider}_state.json")
    return shown["breaker"]


def attempts(house: SimHouse, name: str) -> list[tuple[str, str]]:
    _, body = house.answer(f"{name}_create")
    return [(attempt["provider"], attempt["code"]) for attempt in body["attempts"]]


def pay(house: SimHouse, token: str, count: int, prefix: str = "p") -> list[list[tuple[str, str]]]:
    """So many payments, one after the other; result: the attempts of each."""
    names = [f"{prefix}{number}" for number in range(count)]
    for name in names:
        authorized(house, token, name)
    return [attempts(house, name) for name in names]


def moves(house: SimHouse) -> list[str]:
    return [e["type"] for e in house.entries if e["ref"] in ("providerA", "providerB")]


BOTH = [("providerA", "not_accepted"), ("providerB", "approved")]
ONLY_B = [("providerB", "approved")]


def outage(house: SimHouse, token: str) -> list[list[tuple[str, str]]]:
    house.drill(orders.drill("down", "*", count=None))
    return pay(house, token, 20)


def test_an_outage_of_the_first_provider_costs_no_payment(at_work: tuple[SimHouse, str]):
    """Twenty of twenty at B; five of them were refused at A first, then its breaker is open."""
    house, token = at_work
    found = outage(house, token)

    assert found == [BOTH] * 5 + [ONLY_B] * 15
    assert (view(house)["state"], view(house, "providerB")["state"]) == ("OPEN", "CLOSED")
    assert (house.truth_of("providerA"), len(house.truth_of("providerB"))) == ([], 20)
    published = [e["type"] for e in house.lines("data/outbox/events.jsonl")]
    assert published.count("provider.breaker_opened") == 1


def test_after_the_outage_one_in_ten_probes_and_five_good_ones_close_it(
    at_work: tuple[SimHouse, str],
):
    """30 s of business time, then 41 payments."""
    house, token = at_work
    outage(house, token)
    assert house.say(orders.clear(), "clear", "provider-a")[0] == 200
    house.wait(30_000)
    assert view(house)["state"] == "HALF_OPEN"
    found = pay(house, token, 41, "after")

    assert [number for number, tried in enumerate(found) if tried[0][0] == "providerA"] == [
        0,
        10,
        20,
        30,
        40,
    ]
    assert view(house)["state"] == "CLOSED"
    assert moves(house) == ["provider.breaker_opened", "provider.half_opened", "provider.closed"]
    must_be_sound(house)


def test_an_open_breaker_is_open_after_a_power_cut(at_work: tuple[SimHouse, str]):
    """It is folded from the books; the view is written anew, even when somebody removed it."""
    house, token = at_work
    outage(house, token)
    house.fs.unlink("data/providers/providerA_state.json")
    again = house.cut_power(Dropped()).start()

    assert view(again)["state"] == "OPEN"
    assert view(again)["next_probe_at"] == "2026-02-09T12:00:30.000Z"
    assert pay(again, token, 1, "again") == [ONLY_B]
    again.wait(30_000)
    assert view(again)["state"] == "HALF_OPEN"


def test_a_killed_provider_is_no_refusal(at_work: tuple[SimHouse, str]):
    """Its payments are unknown until it is back; the fifth opens the breaker, and the next payment
    goes to the other one."""
    house, token = at_work
    for number in range(5):
        house.put(orders.create(token, f"k{number}", confirm=True), f"dead{number}_create")
    house.run(without=["provider-a"])
    house.wait(5_000, without=["provider-a"])
    assert [house.answer(f"dead{n}_create")[0] for n in range(5)] == [202] * 5
    house.put(orders.create(token, "k_next", confirm=True), "next_create")
    house.run(without=["provider-a"])

    assert attempts(house, "next") == ONLY_B
    assert view(house)["state"] == "OPEN"
    house.run()
    assert len(house.truth_of("providerA")) == 5
    assert len(house.truth_of("providerB")) == 1
    states = [p.state for p in house.state.payments.values()]
    assert states == ["authorized"] * 6


def test_doubt_at_the_first_provider_charges_nobody_else(at_work: tuple[SimHouse, str]):
    """B never hears of a charge that A may have made."""
    house, token = at_work
    house.drill(orders.drill("hang"))
    house.put(orders.create(token, "k_doubt", confirm=True), "doubt_create")
    house.run()
    house.wait(5_000)
    house.wait(40_000)

    assert house.answer("doubt_create")[0] == 202
    assert house.lines("mailboxes/provider-b/vault.jsonl") == []
    assert house.truth_of("providerB") == []


def test_twenty_declines_leave_the_breaker_closed(at_work: tuple[SimHouse, str]):
    """And nobody else is asked about a card that its issuer declined."""
    house, _ = at_work
    token = house.tokenize(DECLINED, "bad")
    house.run()
    for number in range(20):
        status, _ = house.say(orders.create(token, f"k{number}", confirm=True), f"bad{number}")
        assert status == 402

    assert (view(house)["state"], moves(house)) == ("CLOSED", [])
    assert house.lines("mailboxes/provider-b/vault.jsonl") == []


def test_both_down_is_a_decline_with_both_attempts(at_work: tuple[SimHouse, str]):
    """402 with processing_error; nothing happened anywhere."""
    house, token = at_work
    for provider in ("provider-a", "provider-b"):
        house.drill(orders.drill("down"), provider)
    status, problem = house.say(orders.create(token, "k_both", confirm=True), "both_create")

    assert (status, problem["decline_code"]) == (402, "processing_error")
    tried = problem["payment_intent"]["attempts"]
    assert [(one["provider"], one["outcome"], one["code"]) for one in tried] == [
        ("providerA", "not_accepted", "not_accepted"),
        ("providerB", "not_accepted", "not_accepted"),
    ]
    assert house.truths == []
    must_be_sound(house)


def test_a_capture_goes_where_the_money_is_held(at_work: tuple[SimHouse, str]):
    """At B, also when A is well again."""
    house, token = at_work
    house.drill(orders.drill("error"))
    payment_id = authorized(house, token, "p")
    status, body = house.say(orders.capture(payment_id), "capture")

    assert (status, body["state"]) == (200, "captured")
    assert [t["operation"] for t in house.truth_of("providerB")] == ["authorize", "capture"]
    accounts = {p["account"] for e in house.entries for p in e["postings"]}
    assert "asset:providerB:receivable" in accounts
    must_be_sound(house)
