"""The made-up world repeats exactly and belongs to nobody."""

import hashlib
from dataclasses import astuple
from ipaddress import ip_address, ip_network

from hypothesis import given, settings
from hypothesis import strategies as st

from payrail.domain.cards import bin_of, brand_of, country_of, cvc_length_ok, expiry_ok, pan_ok
from payrail.domain.money import check_amount, exponent
from payrail.domain.synthetic import YEAR, Draws, demo_plan, world
from payrail.domain.testcards import TEST_CARDS, outcome_for

few = settings(max_examples=25, deadline=None)
seeds = st.integers(0, 2**64 - 1)
NETWORKS = [ip_network(n) for n in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")]


def digest(thing: object) -> str:
    return hashlib.sha256(repr(thing).encode()).hexdigest()[:16]


def test_draws_are_those_of_splitmix64():
    """The source of chance gives its published values, so a seed means the same for ever."""
    draws = Draws(1234567)
    assert [draws.below(2**64) for _ in range(3)] == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
    ]


def test_seed_42_is_this_world():
    """The world of the default seed is a fixed point: scripts and pages may name its people."""
    made = world(42)
    assert digest([astuple(person) for person in made.customers]) == "782d87588f2c9e55"
    assert digest([astuple(card) for card in made.cards]) == "6186c35a7b02c6a6"
    assert digest([astuple(payment) for payment in demo_plan(42)]) == "dac0065317140fae"


@few
@given(seeds)
def test_same_seed_same_world(seed):
    """A seed makes the same world and plan again, and another seed makes another."""
    assert world(seed) == world(seed)
    assert demo_plan(seed, 10) == demo_plan(seed, 10)
    assert world(seed).cards != world(seed ^ 1).cards


@few
@given(seeds)
def test_people_are_nobody(seed):
    """Mail goes to example domains, addresses are for documentation, ids are unique."""
    made = world(seed, customers=60)
    assert len({person.email for person in made.customers}) == 60
    assert [merchant.id for merchant in made.merchants] == ["m_001", "m_002"]
    for person in made.customers:
        assert person.email.endswith(("@example.com", "@example.org"))
        assert any(ip_address(person.ip) in network for network in NETWORKS)
        assert len(person.country) == 2


@few
@given(seeds)
def test_cards_are_valid_and_never_a_documented_one(seed):
    """Every card passes its checks, and no random fault can meet a documented test card."""
    made = world(seed, cards=80)
    documented = {bin_of(number) for number in TEST_CARDS}
    assert len({card.number for card in made.cards}) == 80
    for card in made.cards:
        assert pan_ok(card.number)
        assert bin_of(card.number) not in documented
        assert outcome_for(card.number) is None
        assert (brand_of(card.number), country_of(bin_of(card.number))) == (
            card.brand,
            card.country,
        )
        assert cvc_length_ok(card.brand, card.cvc)
        assert expiry_ok(card.exp_month, card.exp_year, now_year=YEAR, now_month=12)


def test_expiry_follows_the_year_asked_for():
    """In a world of 2040 all cards are still good in December 2040."""
    assert min(card.exp_year for card in world(1, year=2040).cards) > 2040


@few
@given(seeds)
def test_plan_has_its_share_of_everything(seed):
    """Of 200 payments 22 are declined by documented cards, and every amount can be charged."""
    plan = demo_plan(seed)
    actions = [payment.action for payment in plan]
    assert {action: actions.count(action) for action in set(actions)} == {
        "capture": 142,
        "authorize_only": 20,
        "cancel": 16,
        "decline": 22,
    }
    for payment in plan:
        check_amount(payment.amount_minor)
        assert 100 <= payment.amount_minor <= 50_000
        assert exponent(payment.currency) in (0, 2, 3)
        card = outcome_for(payment.card.number)
        assert payment.decline_code == (card.decline_code if card else None)
        assert (payment.action == "decline") == (payment.decline_code is not None)
        assert pan_ok(payment.card.number)


def test_plan_uses_currencies_of_every_exponent():
    """Mostly dollars and euros, with yen and dinars among them."""
    currencies = [payment.currency for payment in demo_plan(42)]
    assert set(currencies) == {"USD", "EUR", "JPY", "KWD"}
    assert currencies.count("USD") + currencies.count("EUR") > 150


def test_longer_plan_begins_in_the_same_world():
    """How many payments are planned does not change who there is to pay."""
    people = set(world(42).customers)
    assert {payment.customer for payment in demo_plan(42, 500)} <= people


def test_printing_a_world_shows_no_card_number():
    """Neither number nor CVC of a made-up card stands in its text."""
    made = world(42)
    text = repr(made)
    assert not any(card.number in text for card in made.cards)
    assert "cvc" not in text
