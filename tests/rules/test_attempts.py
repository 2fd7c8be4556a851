"""What each attempt of a payment says of itself, whatever the others said."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from payrail.domain import ledger
from payrail.domain.ledger import LedgerEntry
from payrail.domain.payments import render
from tests.rules.entries import entry, folded

REFUSALS = st.sampled_from(["not_accepted", "expired", "seal_broken"])
DECLINES = st.sampled_from(["insufficient_funds", "processing_error", "do_not_honor"])


def started(number: int) -> LedgerEntry:
    data = ledger.AttemptStarted(number, f"provider{chr(64 + number)}", f"pi_1.{number}")
    return entry(data)


def ended(number: int, decline_code: str, refusal: str | None) -> LedgerEntry:
    provider = f"provider{chr(64 + number)}"
    data = ledger.PaymentDeclined(number, provider, f"pi_1.{number}", decline_code, 33, refusal)
    return entry(data)


def tried(count: int, last: LedgerEntry) -> list[tuple[str, str]]:
    """The attempts after `count` charges, of which all but the last went elsewhere."""
    shown = render(folded(*(started(number + 1) for number in range(count)), last))
    assert shown["state"] == "declined"
    return [(attempt["outcome"], attempt["code"]) for attempt in shown["attempts"]]


@given(count=st.integers(1, 5), refusal=REFUSALS)
def test_when_all_refuse_safely_every_attempt_says_not_accepted(count: int, refusal: str):
    """Also the last, which has its provider's word as code; the payment itself is declined with
    processing_error, since no issuer has spoken."""
    found = tried(count, ended(count, "processing_error", refusal))

    assert found == [("not_accepted", "not_accepted")] * (count - 1) + [("not_accepted", refusal)]


@given(count=st.integers(1, 5), code=DECLINES)
def test_an_issuers_no_is_a_decline_whatever_its_code(count: int, code: str):
    """There is an issuer's processing_error too: it is no refusal."""
    found = tried(count, ended(count, code, None))

    assert found == [("not_accepted", "not_accepted")] * (count - 1) + [("declined", code)]


def test_a_line_without_a_refusal_is_read_as_before():
    """Books that were written before refusals had a word stay whole, byte for byte."""
    old = (
        b'{"number":1,"provider":"providerA","reference":"pi_1.1","decline_code":"x",'
        b'"latency_ms":3}'
    )
    read = msgspec.json.decode(old, type=ledger.PaymentDeclined)

    assert read.refusal is None
    assert msgspec.json.encode(read) == old
