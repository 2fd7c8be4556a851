"""Which provider a charge is offered to first, and what is told about it."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from payrail.domain.fees import provider_fee
from payrail.domain.routing import (
    BY_DEFAULT,
    Candidate,
    Charge,
    RoutingDecision,
    RoutingRule,
    RoutingTable,
    decided,
    order_for,
    told,
)

A, B = "providerA", "providerB"
CHARGE = Charge("pi_1", "m_001", 1099, "USD", "424242", "US")
TO_B = (B, A)


def table(**fits: Any) -> RoutingTable:
    return RoutingTable(rules=(RoutingRule("special", TO_B, **fits),))


def charges() -> st.SearchStrategy[Charge]:
    ids = st.text("abcdefgh0123456789", min_size=16, max_size=16).map("pi_{}".format)
    return ids.map(lambda ident: Charge(ident, "m_001", 1099, "USD", "424242", "US"))


def test_without_a_rule_a_goes_before_b():
    """Whatever it costs: B is cheaper, and cost moves nothing by itself."""
    order = order_for(BY_DEFAULT, CHARGE)

    assert (order.rule, order.providers, order.drawn) == ("default", (A, B), None)
    assert provider_fee(B, 1099, "USD") < provider_fee(A, 1099, "USD")


@pytest.mark.parametrize(
    ("fits", "not_fits"),
    [
        ({"country": frozenset({"US"})}, {"country": frozenset({"DE"})}),
        ({"currency": frozenset({"USD"})}, {"currency": frozenset({"EUR"})}),
        ({"merchant": frozenset({"m_001"})}, {"merchant": frozenset({"m_002"})}),
        ({"bin": ("4242",)}, {"bin": ("4000", "55")}),
        ({"bin_ranges": (("424000", "424999"),)}, {"bin_ranges": (("424243", "424999"),)}),
        ({"bin_ranges": (("40", "42"),)}, {"bin_ranges": (("43", "44"), ("51", "55"))}),
        ({"bin": ("55",), "bin_ranges": (("42", "42"),)}, {"bin": ("55",), "bin_ranges": ()}),
        ({"amount_minor_min": 1099}, {"amount_minor_min": 1100}),
        ({"amount_minor_max": 1099}, {"amount_minor_max": 1098}),
    ],
)
def test_a_rule_fits_what_it_names(fits: dict, not_fits: dict):
    """Country, currency, merchant, BIN and bounds of the amount, all of those that it names."""
    assert order_for(table(**fits), CHARGE).providers == TO_B
    assert order_for(table(**not_fits), CHARGE).rule == "default"
    assert order_for(table(**{**fits, **not_fits}), CHARGE).rule == "default"


def test_the_first_rule_that_fits_decides():
    """Rules are read from above."""
    rules = (RoutingRule("one", TO_B), RoutingRule("two", (A,)))

    assert order_for(RoutingTable(rules=rules), CHARGE).rule == "one"


def test_cost_reorders_by_a_rule_only():
    """`cheapest_first` is the one word that makes it count."""
    rule = RoutingRule("cheap", (A, B), cheapest_first=True)

    assert order_for(RoutingTable(rules=(rule,)), CHARGE).providers == TO_B


@given(charges())
def test_a_share_of_none_moves_nobody_and_one_of_all_moves_everybody(charge: Charge):
    """0 is off, 100 is every payment."""
    everybody = RoutingTable(canary_provider=B, canary_percent=100)
    explored = RoutingTable(exploration_percent=100)

    assert order_for(BY_DEFAULT, charge).drawn is None
    assert (order_for(everybody, charge).providers, order_for(everybody, charge).drawn) == (
        TO_B,
        "canary",
    )
    assert (order_for(explored, charge).providers, order_for(explored, charge).drawn) == (
        TO_B,
        "exploration",
    )


@given(charges(), st.integers(0, 100))
def test_the_same_payment_draws_the_same(charge: Charge, percent: int):
    """A draw is the payment's id, and a larger share only adds payments to a smaller one."""
    drawn = [
        order_for(RoutingTable(canary_provider=B, canary_percent=share), charge).drawn
        for share in (percent, percent, min(100, percent + 10))
    ]

    assert drawn[0] == drawn[1]
    assert drawn[0] is None or drawn[2] == "canary"


def test_about_one_in_ten_payments_is_a_tenth():
    """Of a thousand ids, between 70 and 130 are drawn at 10 percent."""
    share = RoutingTable(canary_provider=B, canary_percent=10)
    ids = [f"pi_{number:016d}" for number in range(1000)]
    drawn = [order_for(share, Charge(i, None, 1, "USD", "", None)).drawn for i in ids]

    assert 70 <= drawn.count("canary") <= 130


def test_a_provider_outside_the_order_is_never_the_canary():
    """Who may not have a charge gets none for a trial."""
    only_a = RoutingTable(
        rules=(RoutingRule("a-only", (A,)),), canary_provider=B, canary_percent=100
    )

    assert order_for(only_a, CHARGE).providers == (A,)


def test_people_are_told_rule_health_and_what_the_choice_costs():
    """B costs 36 cents less than A here: the difference keeps its sign."""
    candidates = [Candidate(A, 62, "OPEN", "breaker_open"), Candidate(B, 26)]
    decision = decided(order_for(BY_DEFAULT, CHARGE), candidates, B)

    assert decision.extra_cost == -36
    assert told(decision, B, "USD") == (
        "providerB by rule default"
        " (providerA is down, breaker OPEN; providerB is up, breaker CLOSED);"
        " costs 0.26 USD, -0.36 USD beside providerA"
    )


def test_a_canary_is_measured_beside_whom_it_replaced():
    """Not beside itself."""
    canary = RoutingTable(canary_provider=B, canary_percent=100)
    decision = decided(order_for(canary, CHARGE), [Candidate(B, 26), Candidate(A, 62)], B)

    assert (decision.drawn, decision.beside, decision.extra_cost) == ("canary", A, -36)


def test_the_record_of_a_choice_is_short_and_reads_back():
    """What is usual is left out of the line."""
    decision = decided(order_for(BY_DEFAULT, CHARGE), [Candidate(A, 62), Candidate(B, 26)], A)
    line = msgspec.json.encode(decision)

    assert line == (
        b'{"rule":"default","candidates":[{"provider":"providerA","cost":62},'
        b'{"provider":"providerB","cost":26}],"extra_cost":0}'
    )
    assert msgspec.json.decode(line, type=RoutingDecision) == decision
