"""The made-up world repeats exactly and belongs to nobody."""

import hashlib
from collections import Counter, defaultdict
from dataclasses import astuple
from ipaddress import ip_address, ip_network

from hypothesis import given, settings
from hypothesis import strategies as st

from payrail.domain.access import MerchantAdded, demo_records
from payrail.domain.cards import (
    bin_of,
    brand_of,
    country_of,
    cvc_length_ok,
    expiry_ok,
    find_pans,
    pan_ok,
)
from payrail.domain.money import check_amount, exponent
from payrail.domain.synthetic import MERCHANTS, YEAR, Draws, demo_plan, seed_plan, world
from payrail.domain.testcards import TEST_CARDS, outcome_for

few = settings(max_examples=25, deadline=None)
seeds = st.integers(0, 2**64 - 1)
DOCUMENTATION = ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
NETWORKS = [ip_network(n) for n in DOCUMENTATION]


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
    assert digest([astuple(person) for person in made.customers]) == "6a3f8849ef28f95e"
    assert digest([astuple(card) for card in made.cards]) == "09c23715583a9436"
    assert digest([astuple(payment) for payment in demo_plan(42)]) == "31ea0cf6a805d8a8"
    assert digest([astuple(payment)[:8] for payment in seed_plan(42)]) == "f67a6030bb0178f0"


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
        assert person.email.isascii()
        assert person.email.endswith(("@example.com", "@example.org", ".test"))
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


def test_merchants_are_those_of_the_demo_house():
    """A made-up shop has the name and the category code under which the house knows it."""
    known = [record for record in demo_records("") if isinstance(record, MerchantAdded)]
    assert [(one.merchant_id, one.name, one.mcc) for one in known] == [
        (merchant.id, merchant.name, merchant.mcc) for merchant in MERCHANTS
    ]


def test_an_id_of_a_card_is_its_own_and_not_made_of_its_number():
    """Another seed has other ids; in one world no two cards share theirs."""
    ids = {card.id for card in world(42).cards} | {card.id for card in world(43).cards}
    assert len(ids) == 80


@few
@given(seeds)
def test_fifty_payments_are_meant_to_leave_every_state_twice(seed):
    """At both providers, in currencies of every exponent, with cards whose end is certain."""
    plan = seed_plan(seed)
    assert len({payment.key for payment in plan}) == 50
    ends = Counter(payment.scene.ends for payment in plan)
    assert min(ends.values()) >= 2
    ways = {"created", "requires_action", "authorized", "captured", "declined"}
    assert set(ends) == {*ways, "reversed", "unknown"}
    assert sum(payment.scene.settles for payment in plan) >= 4
    assert {exponent(payment.currency) for payment in plan} == {0, 2, 3}
    providers = defaultdict(set)
    for payment in plan:
        providers[payment.scene.ends].add(payment.scene.provider)
    for state in ("authorized", "captured", "reversed", "unknown"):
        assert providers[state] >= {"providerA", "providerB"}
    sure = Counter(
        payment.scene.ends
        for payment in plan
        if payment.scene.drill or payment.scene.provider is None or outcome_for(payment.card.number)
    )
    assert all(sure[state] >= 2 for state in ends)


@few
@given(seeds, st.integers(1, 120), st.integers(1, 120))
def test_a_plan_begins_every_longer_one(seed, some, more):
    """Whoever seeds further asks for nothing a second time."""
    assert seed_plan(seed, some + more)[:some] == seed_plan(seed, some)


@few
@given(seeds)
def test_no_key_of_a_plan_looks_like_a_card(seed):
    """Keys and ids of the largest seed, too, pass a door that takes no card number in a field."""
    for payment in seed_plan(seed):
        assert not find_pans(f"{payment.key}-authorize {payment.customer.id} {payment.card.id}")
