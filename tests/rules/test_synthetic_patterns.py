"""What people do with their cards, and what thieves do: each pattern looks like itself."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import pairwise
from statistics import median

import pytest

from payrail.domain.synthetic import Plan, SeededPayment
from payrail.domain.synthetic.calendar import Calendar, is_sale
from payrail.domain.synthetic.drafts import PATTERNS
from payrail.domain.synthetic.shops import shop_of
from payrail.domain.synthetic.trades import TRADES
from payrail.domain.testcards import outcome_for

HOUR_MS = 3_600_000


@pytest.fixture(scope="module")
def made() -> list[SeededPayment]:
    """A busy month."""
    return list(Plan(42, 15_000).stream())


def grouped(payments: Iterable[SeededPayment], pattern: str) -> list[list[SeededPayment]]:
    """The payments of a pattern by what their keys have in common."""
    groups: defaultdict[str, list[SeededPayment]] = defaultdict(list)
    for one in payments:
        if one.pattern == pattern:
            groups[one.key.rpartition("-")[0]].append(one)
    return list(groups.values())


def is_declined(one: SeededPayment) -> bool:
    card = outcome_for(one.card.number)
    return card is not None and card.outcome == "declined"


def local_hour(one: SeededPayment) -> int:
    return (one.at_ms // HOUR_MS + shop_of(one.merchant_id).zone_minutes // 60) % 24


def test_every_pattern_can_be_found_by_the_metadata(made):
    """A payment says its pattern in its metadata; most are plain."""
    counts = Counter(one.metadata["pattern"] for one in made)
    assert set(counts) == set(PATTERNS)
    assert counts["plain"] > 10_000
    assert all(len(one.metadata) <= 3 for one in made)


def test_a_subscription_is_the_same_each_time(made):
    """Same customer, card, shop, amount and minute, every seven or every thirty days."""
    groups = grouped(made, "subscription")
    assert len(groups) > 200
    for group in groups:
        assert (
            len({(one.customer, one.card, one.merchant_id, one.amount_minor) for one in group}) == 1
        )
        assert len({one.at_ms for one in group}) == 1
        days = [one.day for one in group]
        assert {after - before for before, after in pairwise(days)} <= {7, 30}
    assert max(len(group) for group in groups) >= 4


def test_a_ring_tries_small_and_takes_large(made):
    """Few cards, two addresses, two devices; most small ones are declined, and what went through at
    the end comes back as chargebacks."""
    groups = [group for group in grouped(made, "fraud_ring") if len(group) == 12]
    assert len(groups) >= 8
    for group in groups:
        group.sort(key=lambda one: one.key)
        small, large = group[:8], group[8:]
        assert sum(map(is_declined, small)) >= 5
        assert max(one.amount_minor for one in small) * 2 < min(one.amount_minor for one in large)
        assert len({one.customer.ip for one in group}) <= 2
        assert len({one.device for one in group} - {""}) <= 2
        own = {one.card.number for one in group if outcome_for(one.card.number) is None}
        assert len(own) <= 3
        disputed = {order.verb for one in large for order in one.later} >= {"dispute", "accept"}
        assert disputed or group[0].day > 15
        assert group[-1].at_ms - group[0].at_ms < HOUR_MS // 2 or group[-1].day != group[0].day


def test_who_tests_cards_is_fast(made):
    """Two dozen cards at one shop from one device, seconds apart, for next to nothing."""
    groups = [group for group in grouped(made, "card_testing") if len(group) == 24]
    assert len(groups) >= 4
    for group in groups:
        assert len({(one.merchant_id, one.customer.ip, one.device) for one in group}) == 1
        assert len({one.card.number for one in group}) >= 8
        assert sum(map(is_declined, group)) >= 18
        assert max(one.amount_minor for one in group) < 1_000
        if len({one.day for one in group}) == 1:
            assert max(one.at_ms for one in group) - min(one.at_ms for one in group) < 120_000


def test_a_sale_is_a_burst_of_two_hours(made):
    """On the day of a sale one shop sells much more, from seven in the evening on its own clock."""
    bursts = [one for one in made if one.pattern == "burst"]
    assert {one.day for one in bursts} == {4, 14, 24}
    for day in (4, 14, 24):
        that_day = [one for one in bursts if one.day == day]
        assert len({one.merchant_id for one in that_day}) == 1
        assert {local_hour(one) for one in that_day} == {19, 20}
        assert len(that_day) > 100


def test_shops_sell_by_their_own_clock(made):
    """A restaurant sells at noon and in the evening where it is; nobody eats there at night."""
    hours = Counter(local_hour(one) for one in made if one.merchant_id == "m_004")
    assert not any(hours[hour] for hour in range(8))
    assert sum(hours[hour] for hour in (12, 13, 14, 15, 20, 21, 22, 23)) > sum(hours.values()) // 2


def test_weeks_have_weekends_and_sales_have_crowds():
    """Fridays and Saturdays are busier than Mondays; a day of a sale is busier than its like."""
    calendar = Calendar(100_000, 28)
    sizes = [calendar.begin(day + 1) - calendar.begin(day) for day in range(28)]
    assert sum(sizes) == 100_000
    assert sizes[11] > sizes[7]
    assert is_sale(4)
    assert sizes[4] > sizes[11]


def test_branches_have_their_amounts_and_their_troubles(made):
    """Hotels cost more than ferries; clothes come back; bets are disputed."""
    assert TRADES["5651"].refund_permille > 5 * TRADES["5411"].refund_permille
    assert TRADES["7995"].dispute_permille > 5 * TRADES["4111"].dispute_permille
    plain = [one for one in made if one.pattern == "plain"]
    amounts: defaultdict[str, list[int]] = defaultdict(list)
    refunds: Counter[str] = Counter()
    for one in plain:
        amounts[one.merchant_id].append(one.amount_minor)
        refunds[one.merchant_id] += any(order.verb == "refund" for order in one.later)
    assert median(amounts["m_004"]) > 3 * median(amounts["m_006"])
    share = {shop: refunds[shop] * 1_000 // len(amounts[shop]) for shop in amounts}
    assert share["m_011"] > 3 * share["m_003"]
