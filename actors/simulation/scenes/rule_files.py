"""Rules that change while the house runs are taken or refused, whoever dies at whatever effect."""

from actors.simulation import orders
from actors.simulation.crashes import TOKEN, Scene, card
from actors.simulation.house import GOOD, SimHouse, authorized
from actors.simulation.ruled import RuledHouse
from payrail.runtime.sim import Call

TO_B = 'order = ["providerB", "providerA"]\n'
BAD = 'order = ["providerC"]\n'


def ruled(house: SimHouse) -> RuledHouse:
    assert isinstance(house, RuledHouse)
    return house


def birth(house: SimHouse) -> None:
    """The first start of all: the files are made and taken."""
    house.tokenize(GOOD, "card")
    house.start()
    house.run()


def buy(house: SimHouse) -> None:
    house.put(orders.create(TOKEN, "k", confirm=True), "q")
    house.run()


def change_and_buy(house: SimHouse) -> None:
    """People put B first, and then somebody pays."""
    ruled(house).write_rules("routing", TO_B)
    house.run()
    buy(house)


def b_first(house: SimHouse) -> None:
    card(house)
    ruled(house).write_rules("routing", TO_B)
    house.run()


def spoil_and_buy(house: SimHouse) -> None:
    """A file that cannot be used, then somebody pays."""
    ruled(house).write_rules("routing", BAD)
    house.run()
    buy(house)


def all_in_force(house: SimHouse) -> None:
    assert set(house.state.rules) == {"routing", "fees", "declines", "refunds"}
    assert house.state.refused == {}


def paid_at_b(house: SimHouse) -> None:
    """By the rules that were changed, which are kept with the gateway's facts. Who died before it
    was asked asks nothing."""
    assert house.state.rules["routing"].text == TO_B
    starts = [e["data"] for e in house.entries if e["type"] == "payment.attempt_started"]
    assert {one["provider"] for one in starts} <= {"providerB"}


def paid_at_b_all_the_same(house: SimHouse) -> None:
    paid_at_b(house)
    assert [one.field for one in house.state.refused["routing"].errors] == ["order[1]"]


CANARY = """
[canary]
provider = "providerB"
percent = 100
answers_min = 1
points_max = 0
"""


def one_answer_at_a(house: SimHouse) -> None:
    """A has authorized one charge since the canary was set; B declines the next one."""
    card(house)
    ruled(house).write_rules("routing", 'order = ["providerA"]\n' + CANARY)
    house.run()
    authorized(house, TOKEN)
    ruled(house).write_rules("routing", 'order = ["providerA", "providerB"]\n' + CANARY)
    house.run()
    house.drill(orders.drill("decline:do_not_honor"), "provider-b")


def ended_once(house: SimHouse) -> None:
    """Whatever died, B's canary ended with the one decline, if there was one."""
    ends = [e["data"] for e in house.entries if e["type"] == "provider.canary_rolled_back"]
    declined = [e for e in house.entries if e["type"] == "payment.declined"]
    assert len(ends) == len(declined) == 1
    assert house.state.canary.rolled_back_ms is not None
    (view,) = house.lines("data/providers/providerB_state.json")
    assert (view["canary"]["percent"], view["canary"]["rolled_back_at"]) == (0, ends[0]["at"])


#: Where rules are, are kept, and are shown; other files have scenes of their own.
_OF_RULES = ("data/rules/", "data/actors/gateway/", "data/providers/", "data/ledger/payments")


def _keeps_rules(actor: str, call: Call) -> bool:
    return actor == "gateway" and call.path.startswith(_OF_RULES)


SCENES = (
    Scene("birth", lambda _: None, birth, all_in_force, from_nothing=True, house=RuledHouse),
    Scene("rules change", card, change_and_buy, paid_at_b, house=RuledHouse),
    Scene("canary ends", one_answer_at_a, buy, ended_once, house=RuledHouse),
    Scene("rules cannot be used", b_first, spoil_and_buy, paid_at_b_all_the_same, house=RuledHouse),
)
