"""The story `late-approval`: a charge whose answer does not come, and every way it can end."""

from typing import Any

import pytest

from actors.simulation.house import PROVIDERS, SimHouse, authorized, open_house
from actors.simulation.orders import authorize, cancel, capture, create, drill
from actors.simulation.sound import must_be_sound

SECOND_MS, HOUR_MS, DAY_MS = 1_000, 3_600_000, 86_400_000


@pytest.fixture
def house() -> SimHouse:
    return open_house()[0]


TOKEN = f"tok_{'card':0<32}"


def charged(house: SimHouse, *, without: tuple[str, ...] = ()) -> str:
    """A payment whose charge was sent five seconds ago; result: its id."""
    payment_id = house.say(create(TOKEN), "c")[1]["id"]
    house.put(authorize(payment_id), "a")
    house.run(without)
    house.wait(5 * SECOND_MS, without)
    return str(payment_id)


def states(house: SimHouse, re: str = "a") -> list[int]:
    return [reply.status for reply in house.replies[re]]


def cases(house: SimHouse) -> list[str]:
    return [e["data"]["reason"] for e in house.entries if e["type"] == "case.opened"]


def again(house: SimHouse, payment_id: str) -> tuple[int, dict[str, Any]]:
    """The same key once more."""
    return house.say(authorize(payment_id), f"a{house.clock.now().wire_ms}")


def test_an_approval_without_a_word_is_found_by_asking(house: SimHouse):
    """202 after 5 s, then authorized; the same key is 200, and the truth has one line."""
    house.drill(drill("approve_then_hang"))
    payment_id = charged(house)
    status, shown = again(house, payment_id)

    assert states(house) == [202, 200]
    assert (status, shown["state"], len(house.truths)) == (200, "authorized", 1)
    assert "payment.unknown" in house.types(payment_id)
    must_be_sound(house)


def test_a_slow_charge_is_fenced_before_it_happens(house: SimHouse):
    """Asked at 5 s, declined with `processing_error`; at 20 s the provider refuses it."""
    house.drill(drill("slow:20000"))
    payment_id = charged(house)
    house.wait(20 * SECOND_MS)
    status, problem = again(house, payment_id)

    assert (status, problem["decline_code"], house.truths) == (402, "processing_error", [])
    must_be_sound(house)


def test_an_approval_that_comes_too_late_is_given_back(house: SimHouse):
    """Without the fence it happens at 20 s: reversed, the payment stays declined, a case."""
    house.drill(drill("slow:20000", fence=False))
    payment_id = charged(house)
    assert again(house, payment_id)[0] == 402
    house.wait(15 * SECOND_MS)

    assert house.types(payment_id)[-2:] == ["payment.declined", "payment.late_approval_reversed"]
    assert [truth["operation"] for truth in house.truths] == ["authorize", "reverse"]
    assert cases(house) == ["late_approval"]
    must_be_sound(house)


@pytest.mark.parametrize("do", ["down", "error", "http:500", "hang", "approve_then_hang"])
def test_a_late_approval_is_given_back_although_the_reversal_is_disturbed(house: SimHouse, do: str):
    """Refused, broken or silent: it is asked about and tried again until it is done, once."""
    house.drill(drill("slow:20000", fence=False))
    house.drill(drill(do, "reverse"))
    payment_id = charged(house)
    for _ in range(6):
        house.wait(10 * SECOND_MS)
    if do == "hang":
        assert house.state.late  # taken up for ever: it goes on being asked about
        return
    assert house.types(payment_id)[-1] == "payment.late_approval_reversed"
    assert [truth["operation"] for truth in house.truths] == ["authorize", "reverse"]
    assert cases(house) == ["late_approval"]
    must_be_sound(house)


@pytest.mark.parametrize("do", ["http:500", "http:502", "http:504", "reset", "garbage"])
def test_a_broken_answer_is_asked_about(house: SimHouse, do: str):
    """Ambiguous: 202 at once; the ask finds that nothing happened."""
    house.drill(drill(do))
    payment_id = house.say(create(TOKEN), "c")[1]["id"]
    house.say(authorize(payment_id), "a")

    assert states(house) == [202, 402]
    assert house.truths == []
    must_be_sound(house)


@pytest.mark.parametrize("do", ["down", "error"])
def test_a_safe_refusal_needs_no_asking(house: SimHouse, do: str):
    """Each provider says that it did nothing: declined at once."""
    for provider in PROVIDERS:
        house.drill(drill(do), provider)
    payment_id = house.say(create(TOKEN), "c")[1]["id"]

    assert house.say(authorize(payment_id), "a")[0] == 402
    assert "payment.unknown" not in house.types(payment_id)
    must_be_sound(house)


def test_a_charge_that_hangs_stays_unknown_and_is_asked_about(house: SimHouse):
    """Nobody guesses: pending at 0, 5 s, 30 s, 5 m, 1 h and each day."""
    house.drill(drill("hang"))
    payment_id = charged(house)
    for wait_ms in (5 * SECOND_MS, 30 * SECOND_MS, 300 * SECOND_MS, HOUR_MS, DAY_MS):
        house.wait(wait_ms)

    asks = [line["body"]["number"] for line in house.lines("mailboxes/provider-a/gateway.jsonl")]
    assert asks == [1, 2, 3, 4, 5, 6]
    assert again(house, payment_id)[0] == 202
    assert house.say(cancel(payment_id), "x")[1]["code"] == "operation-in-doubt"


def test_a_provider_that_was_dead_for_days_ends_every_doubt(house: SimHouse):
    """The charge waited in its mailbox past its deadline: refused, declined, nothing charged."""
    dead = ("provider-a",)
    payment_id = charged(house, without=dead)
    for _ in range(3):
        house.wait(DAY_MS, dead)
    assert [reply.status for reply in house.replies["a"]] == [202]
    house.run()

    assert again(house, payment_id)[0] == 402
    assert house.truths == []
    must_be_sound(house)


def test_a_provider_that_was_dead_for_seconds_charges_once_or_not_at_all(house: SimHouse):
    """Charge and asks lie in its mailbox. Whichever it reads first: the answer is the truth."""
    dead = ("provider-a",)
    payment_id = charged(house, without=dead)
    house.wait(5 * SECOND_MS, dead)
    house.run()
    status, _ = again(house, payment_id)

    assert status in (200, 402)
    assert (len(house.truths), cases(house)) == (int(status == 200), [])
    must_be_sound(house)


def test_a_vault_that_was_dead_cannot_charge_behind_our_back(house: SimHouse):
    """The ask overtook the card: the reference is fenced when the card arrives."""
    dead = ("vault",)
    payment_id = charged(house, without=dead)
    house.run(dead)
    assert again_without_vault(house, payment_id) == 402
    house.run()

    assert house.truths == []
    must_be_sound(house)


def again_without_vault(house: SimHouse, payment_id: str) -> int:
    house.put(authorize(payment_id), "a2")
    house.run(without=("vault",))
    return house.answer("a2")[0]


@pytest.mark.parametrize("do", ["approve_then_hang", "http:500", "slow:20000"])
@pytest.mark.parametrize("verb", ["capture", "cancel"])
def test_doubt_about_held_money_ends_too(house: SimHouse, verb: str, do: str):
    """Captured or given back exactly if the provider did so."""
    payment_id = authorized(house, TOKEN)
    house.drill(drill(do, "capture" if verb == "capture" else "reverse"))
    order = capture(payment_id) if verb == "capture" else cancel(payment_id)
    house.put(order, "q")
    house.run()
    house.wait(5 * SECOND_MS)
    house.wait(20 * SECOND_MS)
    happened = do == "approve_then_hang"
    done = "captured" if verb == "capture" else "reversed"

    assert states(house, "q") == [202, 200 if happened else 402]
    view = house.state.payments.get(payment_id) or house.state.closed[payment_id]
    assert view.state == (done if happened else "authorized")
    assert len(house.truths) == (2 if happened else 1)
    must_be_sound(house)


def test_a_wrong_amount_is_declined_given_back_and_looked_into(house: SimHouse):
    """`amount_mismatch`, one reversal of what was held, one case."""
    house.drill(drill("wrong_amount"))
    status, problem = house.say(create(TOKEN, "k", confirm=True), "a")

    assert (status, problem["decline_code"]) == (402, "amount_mismatch")
    assert [truth["amount"] for truth in house.truths] == [1098, 1098]
    assert cases(house) == ["amount_mismatch"]
    must_be_sound(house)


def test_the_gateway_may_be_born_again_at_any_of_these_moments(house: SimHouse):
    """Timers, doubt and late reversals live in its journal."""
    house.drill(drill("slow:20000", fence=False))
    payment_id = house.say(create(TOKEN), "c")[1]["id"]
    house.put(authorize(payment_id), "a")
    for _ in range(25):
        house.start("gateway")
        house.wait(SECOND_MS)

    assert house.types(payment_id)[-1] == "payment.late_approval_reversed"
    assert (states(house), cases(house)) == ([202, 402], ["late_approval"])
    must_be_sound(house)
