"""A world of any size: everybody in it by number, the same in worlds of every size."""

from collections import Counter
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.cli.seed import CUSTOMERS_MAX as CUSTOMERS_ASKED_MAX
from payrail.domain.cards import (
    bin_of,
    bin_table,
    brand_of,
    country_of,
    cvc_length_ok,
    expiry_ok,
    pan_ok,
)
from payrail.domain.money import exponent
from payrail.domain.synthetic import YEAR, Draws, World, world
from payrail.domain.synthetic.currencies import SIXTEENTHS, bell, scattered
from payrail.domain.synthetic.issued import CARDS_EACH_MAX, CUSTOMERS_MAX
from payrail.domain.synthetic.names import FOLK
from payrail.domain.synthetic.shops import SHOPS
from payrail.domain.synthetic.trades import TRADES
from payrail.domain.synthetic.wallet import invented_issuers
from payrail.domain.testcards import TEST_CARDS

few = settings(max_examples=15, deadline=None)
seeds = st.integers(0, 2**64 - 1)
DOCUMENTATION = ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
NETWORKS = [ip_network(text) for text in DOCUMENTATION]
#: Issuers of numbers that processors, networks and standards print as examples, beside our table's.
PRINTED = {
    *("411111", "401288", "422222", "424242", "400000", "400056", "491748", "444433", "476173"),
    *("555555", "510510", "520082", "543111", "545454", "520000", "222300", "222100", "550000"),
    *("378282", "371449", "378734", "341111", "601111", "601100", "305693", "385200", "300000"),
    *("353011", "356600", "620000", "622222", "676770", "500000"),
}


def test_no_issuer_of_the_table_prints_example_numbers_of_others():
    """An invented card can never be one that somebody's documentation gives a meaning."""
    issuers = {row.bin6 for row in invented_issuers()}
    assert not issuers & PRINTED
    assert not issuers & {bin_of(number) for number in TEST_CARDS}


def test_issuers_make_routing_interesting():
    """Every brand has issuers, in many countries and of each funding."""
    rows = invented_issuers()
    assert 40 <= len(bin_table()) <= 80
    assert {row.brand for row in rows} == {
        *("visa", "mastercard", "amex", "discover", "diners", "jcb", "unionpay"),
    }
    assert {row.funding for row in rows} == {"credit", "debit", "prepaid"}
    assert len({row.country for row in rows}) >= 25


def test_a_hundred_thousand_cards_are_all_different_and_none_is_documented():
    """Numbers are stepped through, so that two never meet, not even far apart in the world."""
    made = World(42, customers=CUSTOMERS_MAX)
    last = CUSTOMERS_MAX * CARDS_EACH_MAX
    numbers = [made.card(slot).number for slot in (*range(20_000), *range(0, last, 250))]
    assert len(set(numbers)) == len(set(range(20_000)) | set(range(0, last, 250)))
    assert not TEST_CARDS.keys() & set(numbers)


@few
@given(seeds, st.integers(0, CUSTOMERS_MAX - 1))
def test_every_customer_has_one_to_three_good_cards(seed, number):
    """By brand, length, check digit, CVC and expiry; and a documentation address to buy from."""
    made = World(seed, customers=CUSTOMERS_MAX)
    cards = made.cards_of(number)
    assert 1 <= len(cards) <= CARDS_EACH_MAX
    for card in cards:
        assert pan_ok(card.number)
        assert len(card.number) == {"amex": 15, "diners": 14}.get(card.brand, 16)
        assert brand_of(card.number) == card.brand
        assert country_of(card.bin) == card.country
        assert cvc_length_ok(card.brand, card.cvc)
        assert expiry_ok(card.exp_month, card.exp_year, now_year=YEAR, now_month=1)
    person = made.customer(number)
    assert any(ip_address(person.ip) in network for network in NETWORKS)
    assert person.email.isascii()
    assert exponent(made.currency_of(number)) in (0, 2, 3)


def test_people_are_the_same_in_a_world_of_any_size():
    """Whoever asks for more customers meets the first ones again, with their cards."""
    small, large = World(42, customers=50), World(42, customers=CUSTOMERS_MAX)
    for number in (0, 19, 20, 49):
        assert small.customer(number) == large.customer(number)
        assert small.cards_of(number) == large.cards_of(number)
    assert [small.customer(number) for number in range(20)] == list(world(42).customers)


def test_ten_thousand_customers_do_not_look_like_clones():
    """Few share their whole name; mail addresses and ids are all different."""
    made = World(42, customers=10_000)
    people = [made.customer(number) for number in range(10_000)]
    assert len({person.email for person in people}) == 10_000
    assert len({person.id for person in people}) == 10_000
    names = Counter(person.name for person in people)
    assert len(names) > 8_000
    assert max(names.values()) <= 6
    assert {person.country for person in people} == {folk.country for folk in FOLK}


def test_some_cards_expire_soon_and_older_ones_have():
    """One in twenty has three months left; the card before each was out of date in time."""
    made = World(42, customers=1_000)
    cards = [made.card(slot) for slot in range(2_000)]
    soon = sum((card.exp_year, card.exp_month) <= (YEAR, 3) for card in cards)
    assert 100 < soon < 300
    old = [made.lapsed_card(slot) for slot in range(50)]
    assert not any(expiry_ok(card.exp_month, card.exp_year, YEAR, 1) for card in old)
    assert [card.number for card in old] == [card.number for card in cards[:50]]


def test_a_world_has_bounds():
    """Beyond a million customers numbers would repeat: refused, not repeated."""
    assert CUSTOMERS_ASKED_MAX == CUSTOMERS_MAX
    with pytest.raises(ValueError, match="customers"):
        World(42, customers=CUSTOMERS_MAX + 1)
    with pytest.raises(ValueError, match="merchants"):
        World(42, merchants=13)


def test_customers_buy_where_they_like_to():
    """A shop finds mostly customers who have it among their three favourites of twelve."""
    made, draws = World(42, customers=500), Draws(7)
    found = [made.buyer(draws, 3) for _ in range(500)]
    liked = sum(3 in made.favourites(number) for number in found)
    assert liked > 250


def test_sixteenths_of_a_power_of_two_are_exact():
    """The table of the scatter is whole numbers, each the largest that is not above the root."""
    for index, value in enumerate(SIXTEENTHS):
        assert value**16 <= 2**index * 65_536**16 < (value + 1) ** 16


def test_tickets_are_those_of_their_branch():
    """Half of a branch's tickets are below its middle, and a few are many times as much."""
    draws = Draws(5)
    throws = [bell(draws) for _ in range(4_000)]
    assert 2_500 < sum(-256 <= throw <= 256 for throw in throws) < 2_960
    for trade in TRADES.values():
        tickets = sorted(scattered(draws, trade.ticket_cents, trade.spread) for _ in range(1_001))
        assert abs(tickets[500] - trade.ticket_cents) * 10 < 2 * trade.ticket_cents
        assert 2 * tickets[-1] > 3 * tickets[500]


def test_shops_are_of_many_branches_and_zones():
    """A dozen merchants, each with its branch, its zone and its currency; the demo's come first."""
    assert [shop.merchant.id for shop in SHOPS] == [f"m_{n:03d}" for n in range(1, 13)]
    assert len({shop.merchant.mcc for shop in SHOPS}) == 12
    assert len({shop.zone_minutes for shop in SHOPS}) >= 6
    assert {exponent(shop.currency) for shop in SHOPS} == {0, 2, 3}
    for shop in SHOPS:
        assert (
            sum((shop.trade.dispute_permille, shop.trade.refund_permille, shop.trade.late_permille))
            < 600
        )
