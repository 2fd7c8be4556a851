"""Every documented test card at both providers, over the real API of the simulated house.

One house a provider, and the routing says which. The expected ends stand here in full, beside the
table that the product decides by: whoever changes a row has to change both.
"""

import gc
from collections.abc import Iterator

import pytest

from payrail.domain.testcards import TEST_CARDS
from tests.scenarios.shelf import PROVIDERS, Shelf

APPROVED = (
    "4242424242424242",
    "4000056655665556",
    "5555555555554444",
    "2223003122003222",
    "5200828282828210",
    "5105105105105100",
    "378282246310005",
    "371449635398431",
    "6011111111111117",
    "3056930009020004",
    "3566002020360505",
    "6200000000000005",
)
WARNED_OF, AVAILABLE_AT_ONCE = "4000000000005423", "4000000000000077"
#: number -> (code, decline_code), as providerA says them.
DECLINED = {
    "4000000000000002": ("card_declined", "generic_decline"),
    "4000000000009995": ("card_declined", "insufficient_funds"),
    "4000000000009987": ("card_declined", "lost_card"),
    "4000000000009979": ("card_declined", "stolen_card"),
    "4000000000006975": ("card_declined", "card_velocity_exceeded"),
    "4000000000000069": ("expired_card", "expired_card"),
    "4000000000000127": ("incorrect_cvc", "incorrect_cvc"),
    "4000000000000119": ("processing_error", "processing_error"),
    "4000000000000341": ("card_declined", "card_declined"),
    "4100000000000019": ("card_declined", "fraudulent"),
}
DISPUTED = {
    "4000000000000259": ("fraudulent", "chargeback"),
    "4000000000002685": ("product_not_received", "chargeback"),
    "4000000000001976": ("general", "inquiry"),
}
REFUNDED = {"4000000000007726": "pending", "4000000000005126": "failed"}
CHALLENGED = {
    "4000002760003184": "captured",
    "4000002500003155": "captured",
    "4000000000003220": "captured",
    "4000008400001629": "declined",
}
BAD_LUHN = "4242424242424241"
A_MINUTE_MS, A_DAY_MS = 60_000, 86_400_000


@pytest.fixture(scope="module", params=PROVIDERS)
def house(request: pytest.FixtureRequest) -> Iterator[Shelf]:
    house = Shelf(request.param)
    house.start()
    yield house
    house.end()
    gc.collect()


def test_the_cards_here_are_the_cards_of_the_product() -> None:
    """None is missing, and none is there twice."""
    listed = [*APPROVED, *DECLINED, *DISPUTED, *REFUNDED, *CHALLENGED]
    assert sorted([*listed, WARNED_OF, AVAILABLE_AT_ONCE, BAD_LUHN]) == sorted(TEST_CARDS)


@pytest.mark.parametrize("number", APPROVED)
def test_a_card_that_is_approved_pays(house: Shelf, number: str) -> None:
    """Again and again, at the provider that the rules name, and nothing happens later."""
    for _ in range(2):
        payment = house.get(f"/payment-intents/{house.bought(number)}")
    assert [attempt["outcome"] for attempt in payment["attempts"]] == ["approved"]
    assert payment["payment_method"]["last4"] == number[-4:]
    house.wait(2 * A_MINUTE_MS)
    assert house.get(f"/payment-intents/{payment['id']}")["amount_disputed"] == 0


@pytest.mark.parametrize("number", DECLINED)
def test_a_card_that_is_declined_says_why(house: Shelf, number: str) -> None:
    """402 with its code, one attempt, no money anywhere; the log says that the card did."""
    status, told = house.paid(number)
    payment, code = told["payment_intent"], DECLINED[number][1]
    assert (status, told["code"], told["decline_code"]) == (402, "card-declined", code)
    assert (payment["state"], payment["decline_code"]) == ("declined", code)
    assert [one["code"] for one in payment["attempts"]] == [code]
    assert (TEST_CARDS[number].code, TEST_CARDS[number].decline_code) == DECLINED[number]
    assert house.noted("card")[-1] == (f"decline:{code}", "authorize")


def test_a_number_with_a_wrong_check_digit_never_comes_in(house: Shelf) -> None:
    """The vault refuses it, and no provider hears of it."""
    card = {"number": BAD_LUHN, "exp_month": 12, "exp_year": 2030, "cvc": "123", "name": "A B"}
    status, told = house.http("POST", "/tokenize", card, role="publishable", host="vault")
    assert (status, [error["field"] for error in told["errors"]]) == (422, ["number"])


@pytest.mark.parametrize("number", CHALLENGED)
def test_a_card_that_asks_for_its_holder(house: Shelf, number: str) -> None:
    """Every time: passed it ends as its row says, failed it is declined for that."""
    status, payment = house.paid(number)
    assert (status, payment["state"]) == (201, "requires_action")
    path = payment["next_action"]["url"]
    house.http("POST", path, {"outcome": "approve"})
    assert house.get(f"/payment-intents/{payment['id']}")["state"] == CHALLENGED[number]
    _, again = house.paid(number)
    house.http("POST", again["next_action"]["url"], {"outcome": "fail"})
    shown = house.get(f"/payment-intents/{again['id']}")
    assert (shown["state"], shown["decline_code"]) == ("declined", "authentication_failed")
    assert ("challenge", "authorize") in house.noted("card")


@pytest.mark.parametrize("number", DISPUTED)
def test_a_card_that_is_disputed(house: Shelf, number: str) -> None:
    """A minute of business time after its capture, with its reason and stage."""
    payment_id = house.bought(number)
    house.wait(A_MINUTE_MS)
    (dispute,) = house.get(f"/disputes?payment_intent={payment_id}")["data"]
    assert (dispute["reason"], dispute["stage"]) == DISPUTED[number]
    state = "inquiry" if dispute["stage"] == "inquiry" else "opened"
    assert (dispute["state"], dispute["amount"]) == (state, 5_000)
    assert house.noted("card")[-1] == (f"dispute:{dispute['reason']}", "dispute")


def test_a_card_whose_issuer_warns_of_fraud(house: Shelf) -> None:
    """A minute of business time after its capture people have one case; nothing is disputed and
    no money moves. The case is closed by people."""
    payment_id = house.bought(WARNED_OF)
    before = house.get(f"/payment-intents/{payment_id}")
    assert house.cases_of(payment_id) == []
    house.wait(A_MINUTE_MS)
    (case,) = house.cases_of(payment_id)
    told = (case["reason"], case["exposure"], case["provider"], case["state"])
    assert told == ("early_fraud_warning", 5_000, house.first, "open")
    assert house.get(f"/payment-intents/{payment_id}") == before
    assert house.get(f"/disputes?payment_intent={payment_id}")["data"] == []
    assert house.noted("card")[-1] == ("early_fraud_warning", "fraud_warning")
    words = {"providerA": b"radar.early_fraud_warning", "providerB": b"NOTIFICATION_OF_FRAUD"}
    posted = [body for _, body in house.notices if words[house.first] in body]
    assert [payment_id.encode() in body for body in posted] == [True]
    status, _ = house.post(f"/cases/{case['id']}/close", {"resolution": "paid back"}, role="admin")
    assert (status, house.cases_of(payment_id)[0]["state"]) == (200, "closed")


@pytest.mark.parametrize("number", REFUNDED)
def test_a_card_whose_refund_goes_its_own_way(house: Shelf, number: str) -> None:
    """Pending and then paid, or paid and then sent back; each after a minute of business time."""
    refund = house.refunded(house.bought(number))
    before = {"pending": "processing", "failed": "succeeded"}[REFUNDED[number]]
    after = {"pending": "succeeded", "failed": "failed"}[REFUNDED[number]]
    assert refund["state"] == before
    house.wait(A_MINUTE_MS)
    assert house.get(f"/refunds/{refund['id']}")["state"] == after
    told = {"pending": "pending", "failed": "refund_sent_back"}[REFUNDED[number]]
    assert house.noted("card")[-1] == (told, "refund")


def test_a_card_whose_funds_are_available_at_once(house: Shelf) -> None:
    """On the day of its charge, where other money waits for the end of its batch. The statement of
    providerB has no such column: what it says of both is the same."""
    bought = [house.bought(number) for number in (AVAILABLE_AT_ONCE, APPROVED[0])]
    house.wait(A_DAY_MS)
    told = [house.stated(payment_id) for payment_id in bought]
    if house.first == "providerA":
        waited = [row["available_on_utc"][:10] > row["created_utc"][:10] for row in told]
        assert waited == [False, True]
    amount = {"providerA": "gross", "providerB": "Gross Credit (GC)"}[house.first]
    assert [row[amount] for row in told] == ["50.00", "50.00"]
