"""The vocabularies of the two providers: every code has words, every amount its own digits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payrail.domain.declines import OF_THE_VAULT, default_declines
from payrail.domain.problem_codes import CODES
from payrail.domain.provider_amounts import PLACES, as_meant, as_written, check_written
from payrail.domain.provider_declines import (
    B_REASONS,
    WORDS,
    code_of_a,
    code_of_b,
    words_of,
)
from payrail.domain.provider_errors import card_error, native_error, psp_reference

A, B = "providerA", "providerB"
#: The decline codes that card processors publish, by what may be done about them.
_PUBLISHED = """
lost_card stolen_card pickup_card fraudulent merchant_blacklist restricted_card security_violation
stop_payment_order revocation_of_authorization revocation_of_all_authorizations do_not_try_again
invalid_account new_account_information_available
incorrect_number invalid_number incorrect_cvc invalid_cvc expired_card invalid_expiry_month
invalid_expiry_year incorrect_zip incorrect_address incorrect_pin invalid_pin pin_try_exceeded
invalid_amount currency_not_supported card_not_supported duplicate_transaction testmode_decline
authentication_required offline_pin_required online_or_offline_pin_required approve_with_id
insufficient_funds card_velocity_exceeded withdrawal_count_limit_exceeded try_again_later
reenter_transaction issuer_not_available
generic_decline do_not_honor call_issuer no_action_taken not_permitted service_not_allowed
transaction_not_allowed processing_error
"""
PUBLISHED = _PUBLISHED.split()
#: Numbers that the network answers with, by the code that they stand for.
NETWORK = {
    "do_not_honor": "05",
    "insufficient_funds": "51",
    "expired_card": "54",
    "invalid_number": "14",
    "lost_card": "41",
    "stolen_card": "43",
    "transaction_not_allowed": "57",
    "fraudulent": "59",
    "card_velocity_exceeded": "61",
    "withdrawal_count_limit_exceeded": "65",
    "restricted_card": "62",
    "incorrect_cvc": "82",
    "issuer_not_available": "91",
}
#: What providerB's test numbers stand for.
B_NUMBERS = {
    "generic_decline": 2,
    "call_issuer": 3,
    "processing_error": 4,
    "lost_card": 5,
    "expired_card": 6,
    "invalid_amount": 7,
    "incorrect_number": 8,
    "issuer_not_available": 9,
    "card_not_supported": 10,
    "authentication_failed": 11,
    "insufficient_funds": 12,
}


def test_no_code_is_without_words() -> None:
    """Every published code, and every one that our own table of declines knows."""
    assert set(PUBLISHED) <= WORDS.keys()
    assert default_declines().keys() - OF_THE_VAULT == WORDS.keys()
    assert len(PUBLISHED) == 48


def test_the_words_of_the_first_provider_lead_back_to_their_code() -> None:
    """No two codes are said alike, so that nothing is lost on the way."""
    for code in WORDS:
        error = card_error(code, "No.", "ch_1")
        assert code_of_a(error["code"], error["decline_code"]) == code
    assert code_of_a("never_heard_of", None) == "generic_decline"


def test_the_numbers_of_the_second_provider_lead_back_to_a_code_that_has_them() -> None:
    """There are fewer numbers than codes; what comes back is refused for the same reason."""
    for code, said in WORDS.items():
        assert words_of(code_of_b(str(said.b_number))).b_number == said.b_number, code
    assert {said.b_number for said in WORDS.values()} <= B_REASONS.keys()
    assert (code_of_b("12"), code_of_b("x"), code_of_b("99")) == (
        "insufficient_funds",
        "generic_decline",
        "generic_decline",
    )


@pytest.mark.parametrize(("code", "number"), B_NUMBERS.items())
def test_documented_numbers_are_said(code: str, number: int) -> None:
    """What people look up in the second provider's list is what they find."""
    assert words_of(code).b_number == number


def test_the_network_is_quoted_as_it_answers() -> None:
    """And not at all where nobody asked it."""
    assert {code: words_of(code).network for code in NETWORK} == NETWORK
    assert card_error("incorrect_number", "No.", None)["network_decline_code"] is None


def refused(provider: str, amount: int, currency: str) -> str | None:
    try:
        check_written(provider, amount, currency)
    except ValueError as error:
        return str(error)
    return None


@given(
    st.sampled_from([A, B]),
    st.sampled_from(["USD", "JPY", "KWD", "ISK", "UGX", "CLP", "CVE", "IDR"]),
    st.integers(1, 99_999_999),
)
def test_an_amount_that_may_be_said_is_meant_as_it_was(
    provider: str, currency: str, amount: int
) -> None:
    """What cannot be said to the last digit is refused with a remedy, never rounded."""
    if (remedy := refused(provider, amount, currency)) is not None:
        assert remedy.endswith(("end the amount in 0", "end it in 00"))
        assert amount % 100 != 0
        return
    written = as_written(provider, amount, currency)
    assert as_meant(provider, written, currency) == amount
    if currency not in PLACES[provider]:
        assert written == amount


def test_exceptions_to_iso_are_those_that_each_provider_documents() -> None:
    """Krónur in hundredths at both, pesos at B alone, rupiah without any; dinars end in zero."""
    assert [as_written(p, 500, "ISK") for p in (A, B)] == [50_000, 50_000]
    assert [as_written(p, 500, "CLP") for p in (A, B)] == [500, 50_000]
    assert [as_written(p, 50_000, "IDR") for p in (A, B)] == [50_000, 500]
    assert [as_written(p, 500, "JPY") for p in (A, B)] == [500, 500]
    check_written(A, 5_120, "KWD")
    check_written(B, 5_124, "KWD")
    with pytest.raises(ValueError, match="hundredths"):
        check_written(A, 5_124, "KWD")
    with pytest.raises(ValueError, match="ends in 00"):
        as_meant(A, 50_001, "ISK")


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_problem_is_an_error_of_both(code: str) -> None:
    """In the types that each of them has, and with nothing of another."""
    status = CODES[code].status
    a = native_error(A, status, code, "No.", about="x")["error"]
    assert a["type"] in ("invalid_request_error", "idempotency_error", "api_error")
    assert (a["type"] == "api_error") == (status >= 500 and code != "expired")
    b = native_error(B, status, code, "No.", about="x")
    assert set(b) == {"errorCode", "message", "errorType", "pspReference"}
    assert b["errorType"] in ("validation", "security", "internal", "configuration")
    assert b["pspReference"] == psp_reference("x")
    assert len(b["pspReference"]) == 16
