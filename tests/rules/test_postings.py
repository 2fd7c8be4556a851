"""Money moves in pairs, and the books add up."""

from hypothesis import given, settings
from hypothesis import strategies as st

from payrail.domain import fees, postings
from payrail.domain.ledger import FeeCharged, LedgerEntry, Posting, must_balance
from payrail.domain.money import AMOUNT_MINOR_MAX

bounded = settings(max_examples=100, deadline=None)
amounts = st.integers(1, AMOUNT_MINOR_MAX)
providers = st.sampled_from(["providerA", "providerB"])
merchants = st.sampled_from(["m_001", "m_002"])
currencies = st.sampled_from(["USD", "EUR", "JPY", "KWD"])


def entry(made: list[Posting]) -> LedgerEntry:
    return LedgerEntry(
        event_id="evt_1",
        type="fee.charged",
        ref="pi_1",
        merchant_id="m_001",
        timestamp="2026-02-09T12:00:00.123Z",
        amount=1,
        currency="USD",
        data=FeeCharged("cap_1", "providerA", 0, 0),
        postings=made,
        correlation_id="cor_1",
        causation_id="frontdoor>gateway:1",
    )


def captured_with_fees(provider: str, merchant: str, amount: int, currency: str) -> list[Posting]:
    return [
        *postings.capture_postings(provider, merchant, amount, currency),
        *postings.fee_postings(
            provider,
            merchant,
            fees.merchant_fee(amount, currency),
            fees.provider_fee(provider, amount, currency),
            currency,
        ),
    ]


def test_capture_owes_the_merchant_what_the_provider_owes_us():
    """A capture of 10.99 is a claim on the provider and a debt to the merchant."""
    assert postings.capture_postings("providerA", "m_001", 1099, "USD") == [
        Posting("asset:providerA:receivable", 1099, "USD"),
        Posting("liability:m_001:pending", -1099, "USD"),
    ]


def test_fees_come_from_the_merchant_and_go_to_the_provider():
    """Our fee leaves what the merchant gets, the provider's cost leaves what it owes us."""
    assert postings.fee_postings("providerB", "m_002", 67, 24, "EUR") == [
        Posting("liability:m_002:pending", 67, "EUR"),
        Posting("income:gateway_fee", -67, "EUR"),
        Posting("expense:providerB:fee", 24, "EUR"),
        Posting("asset:providerB:receivable", -24, "EUR"),
    ]


def test_nothing_to_move_is_no_posting():
    """A fee of zero leaves no line of zero in the books."""
    assert postings.fee_postings("providerA", "m_001", 0, 0, "USD") == []


@bounded
@given(st.lists(st.tuples(providers, merchants, amounts, currencies), max_size=20))
def test_books_add_up_whatever_is_captured(captures):
    """Any captures with their fees sum to zero in each currency, entry by entry and in all."""
    entries = [entry(captured_with_fees(*capture)) for capture in captures]
    for one in entries:
        must_balance(one.postings)

    assert set(postings.trial_balance(entries)) == {currency for *_, currency in captures}
    assert not any(postings.trial_balance(entries).values())


@bounded
@given(st.lists(st.tuples(amounts, currencies), max_size=20))
def test_merchant_gets_what_was_captured_less_the_fees(captures):
    """What we owe a merchant is the sum of its captures less our fees, per currency."""
    entries = [entry(captured_with_fees("providerA", "m_001", *capture)) for capture in captures]
    owed: dict[str, int] = {}
    for amount, currency in captures:
        owed[currency] = owed.get(currency, 0) - amount + fees.merchant_fee(amount, currency)

    assert postings.balances(entries).get("liability:m_001:pending", {}) == owed


def test_one_sided_entry_shows_in_the_trial_balance():
    """Books that do not add up say by how much, and in which currency."""
    assert postings.trial_balance([entry([Posting("asset:bank", 5, "USD")])]) == {"USD": 5}
