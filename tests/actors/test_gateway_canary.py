"""A canary in the gateway: drawn, watched, and ended by itself, which lasts."""

import msgspec
import pytest

from payrail.domain.routing import BY_DEFAULT, Charge, order_for
from payrail.domain.trials import ROLLED_BACK
from tests.actors.gatewaydesk import booked, entry
from tests.actors.test_gateway_rules_reload import House, shown

CANARY = """\
order = ["providerA", "providerB"]
[canary]
provider = "providerB"
percent = 50
answers_min = 5
points_max = 10
"""
VIEW = "data/providers/providerB_state.json"


@pytest.fixture
def house() -> House:
    house = House()
    house.write(CANARY.encode())
    return house


def pay(house: House, *, good_at_b: bool):
    """One payment: A's issuers say yes; B's say what they are told. Result: the last step."""
    payment_id, started = house.attempted()
    provider = entry(started, "payment.attempt_started").data.provider
    more = {"sender": f"provider-{provider[-1].lower()}", "provider": provider}
    if provider == "providerB" and not good_at_b:
        return provider, house.says(f"{payment_id}.1", "declined", code="do_not_honor", **more)
    return provider, house.says(f"{payment_id}.1", **more)


def ended(house: House):
    """The step that ended the canary."""
    for _ in range(100):
        _, step = pay(house, good_at_b=False)
        if ROLLED_BACK in booked(step):
            return step
    raise AssertionError("it never ends")


def test_a_canary_that_does_worse_ends_by_itself(house: House):
    """After five answers of each side; booked, shown, and from then on everybody goes to A."""
    step = ended(house)
    fact = entry(step, ROLLED_BACK)
    (view,) = [show for show in step.shows if show.path == VIEW]

    assert (fact.ref, fact.merchant_id, fact.postings) == ("providerB", None, [])
    assert (fact.data.authorized, fact.data.others_authorized) == (0, fact.data.others_answered)
    assert min(fact.data.answered, fact.data.others_answered) == 5
    assert (view.data["canary"]["percent"], view.data["canary"]["percent_asked"]) == (0, 50)
    assert view.data["canary"]["rolled_back_at"] == fact.data.at
    assert {pay(house, good_at_b=True)[0] for _ in range(20)} == {"providerA"}


def test_its_end_outlives_the_gateway(house: House):
    """It is folded from the book, and shown again at the start."""
    ended(house)
    again = house.replayed()
    assert msgspec.json.encode(again) == msgspec.json.encode(house.state)
    step = house.open()
    (view,) = [show for show in step.shows if show.path == VIEW]

    assert view.data["canary"]["percent"] == 0
    assert {pay(house, good_at_b=True)[0] for _ in range(20)} == {"providerA"}


def test_a_canary_that_does_well_goes_on(house: House):
    """Half of the payments, as long as it is answered as well as the others."""
    went = [pay(house, good_at_b=True)[0] for _ in range(60)]

    assert 15 <= went.count("providerB") <= 45
    assert house.state.canary is not None
    assert house.state.canary.rolled_back_ms is None


def test_other_rules_do_not_bring_it_back_and_another_share_does(house: House):
    """The same canary asked for again stays ended; another one begins anew."""
    ended(house)
    row = shown(house.write(CANARY.encode() + b"# a remark\n"))
    assert row["state"] == "in_force"
    assert {pay(house, good_at_b=True)[0] for _ in range(20)} == {"providerA"}
    house.write(CANARY.replace("percent = 50", "percent = 100").encode())

    assert {pay(house, good_at_b=True)[0] for _ in range(5)} == {"providerB"}
    assert house.state.canary is not None
    assert (house.state.canary.own.answered, house.state.canary.others.answered) == (5, 0)


def test_the_choice_keeps_what_was_drawn(house: House):
    """Every payment says what it drew, and of which share; the rules of today draw the same."""
    _, started = house.attempted()
    data = entry(started, "payment.attempt_started").data
    (draw,) = data.routing.draws

    assert (draw.draw, draw.percent, draw.provider) == ("canary", 50, "providerB")
    assert (data.routing.drawn == "canary") == (draw.drawn < 50)
    view = next(iter(house.state.payments.values()))
    charge = Charge(view.id, view.merchant_id, view.amount, view.currency, "424242", "US")
    table = house.gateway.rules(house.state).routing
    assert order_for(table, charge).draws == (draw,)
    assert order_for(BY_DEFAULT, charge).draws == ()
