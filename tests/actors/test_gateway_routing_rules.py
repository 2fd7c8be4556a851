"""routing.toml: what cannot be used is named, with its line, and never repeated."""

import pytest

from actors.gateway.core import Gateway
from actors.gateway.routing_rules import DEFAULT, PATH, read_routing
from actors.gateway.settings import REMEDY, Rules
from actors.simulation.orders import create
from payrail.domain.routing import RoutingTable
from payrail.errors import BadSettings
from tests.actors.gatewaydesk import TOKEN, Desk, entry

KNOWN = ("providerA", "providerB")
RULE = """
order = ["provider-a", "providerB"]
[[rules]]
name = "small"
amount_max = 2000
country = ["US"]
order = ["providerB", "providerA"]
"""


def read(text: str) -> RoutingTable:
    return read_routing(text.encode(), KNOWN)


def complaint(text: str) -> str:
    with pytest.raises(BadSettings) as refused:
        read(text)
    return str(refused.value)


def test_the_example_of_the_default_file_can_be_used():
    """Whoever takes the marks away has working rules."""
    lines = DEFAULT.decode().split("\n")
    begin = lines.index("# [[rules]]")
    end = lines.index("", begin)
    shown = [line.removeprefix("#").strip() for line in lines[begin:end]]
    table = read("\n".join([*lines[:begin], *shown, *lines[end:]]))

    assert [rule.name for rule in table.rules] == ["euro-cards", "large-amounts", "best-for-euros"]
    assert table.rules[1].order == KNOWN


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("order = [", "is not TOML"),
        (f"order = {'1' * 5000}", "a number or a key too long"),
        (f"order = {'[' * 5000}", "list too deep"),
        ("", "order: Field required"),
        ('order = ["providerC"]', "order[1]: must name a provider; there are providerA, providerB"),
        ('order = ["providerA", "provider-a"]', "order: names something twice"),
        ("order = []", "order: List should have at least 1 item"),
        ('order = ["providerA"]\nfallback = true', "fallback: is not known here; mend"),
        (RULE + "colour = 1", "rules[1].colour: is not known here; mend"),
        (RULE.replace('"US"', '"us"'), "rules[1].country[1]: String should match"),
        (RULE + 'bin = ["4", "55-51"]', "line 8: rules[1].bin[2]: a range goes from a lower"),
        (RULE + 'bin = ["4-55"]', "line 8: rules[1].bin[1]: a range goes from a lower"),
        (RULE + "cheapest_first = true\nbest_first = true", "do not go together"),
        (RULE.replace("2000", "0"), "rules[1].amount_max: Input should be greater"),
        (RULE.replace("2000", "2e3"), "rules[1].amount_max: Input should be a valid integer"),
        (RULE + "amount_min = 3000", "rules[1]: amount_min is more than amount_max"),
        (RULE.replace("small", "default"), "rules[1]: the name `default` is that of"),
        (RULE + RULE[RULE.index("[[") :], "names something twice"),
        ('order = ["providerA"]\n[[rules]]\nname = "x"', "rules[1]: a rule needs an order"),
        ('order = ["providerA"]\n[canary]\npercent = 5', "canary.provider: Field required"),
        ('order = ["providerA"]\n[exploration]\npercent = 101', "exploration.percent: Input"),
        ('order = ["providerA"]\n[[rules]]\nname = "v4242424242424242"', "like a card number"),
    ],
)
def test_a_file_that_cannot_be_used_names_file_field_and_remedy(text: str, told: str):
    """And never repeats what stands there."""
    said = complaint(text)

    assert said.startswith(f"{PATH}: ")
    assert told in said
    assert said.endswith(REMEDY)
    assert "4242424242424242" not in said


def test_a_file_that_is_no_text_is_refused():
    """A picture is no rule."""
    with pytest.raises(BadSettings, match="is not UTF-8 text"):
        read_routing(b"\xff\xfe", KNOWN)


def test_a_rule_of_the_file_routes_a_charge_and_the_entry_says_so():
    """Rule, candidates and cost stand in `payment.attempt_started`."""
    desk = Desk(Rules(routing=read(RULE)))
    step = desk.order(create(TOKEN, "k1", confirm=True))
    data = entry(step, "payment.attempt_started").data

    assert data.provider == "providerB"
    assert (data.routing.rule, data.routing.extra_cost) == ("small", 0)
    assert [one.provider for one in data.routing.candidates] == ["providerB", "providerA"]


def test_a_changed_file_changes_no_payment_that_was_routed():
    """Replaying the journal under other rules ends in the same state: nothing is decided again."""
    desk = Desk(Rules(routing=read(RULE)))
    desk.order(create(TOKEN, "k1", confirm=True))
    before = desk.replayed()
    desk.actor = Gateway(Rules())

    assert desk.replayed() == before


def test_a_card_number_in_the_file_is_not_repeated():
    """Not even as the name of a field: the complaint stands in logs and terminals."""
    with pytest.raises(BadSettings) as refused:
        read_routing(b'order = ["providerA"]\n4242424242424242 = 1\n', KNOWN)

    assert "************4242: is not known here" in str(refused.value)
    assert "4242424242424242" not in str(refused.value)
