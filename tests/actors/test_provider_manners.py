"""Each provider's own objects: whole, as its document says, and the same each time."""

import json
from typing import Any

import pytest
from pydantic import BaseModel

from actors.frontdoor.provider_answers import (
    CaptureAnswer,
    ChargeAnswer,
    ProviderStatus,
    RefundAnswer,
)
from actors.frontdoor.provider_models import ProviderState, SettledBatch
from payrail.domain.declines import default_declines
from payrail.domain.messages import InjectFault
from payrail.domain.provider_declines import WORDS, words_of
from payrail.domain.words.providers import ListBatches, ProviderCall, ShowProvider, StatusOf
from payrail.domain.words.settlement import BankRow, CloseBatch, StatementWritten
from tests.actors.pure import NOON_MS, Played
from tests.actors.sealed import DECLINED, GOOD, Drawer
from tests.actors.test_provider_door import authorized, calls, playing, refused

A, B = "providerA", "providerB"
CHALLENGED, PENDING_REFUND = "4000002760003184", "4000000000007726"
ABOUT = {"authorization": "pi_1.1"}


@pytest.fixture
def drawer() -> Drawer:
    return Drawer()


def fits(model: type[BaseModel], body: Any) -> None:
    """Every field is in the document and as the document says, and nothing else is there."""
    shown = model.model_validate_json(json.dumps(body), strict=True)
    assert shown.model_dump(mode="json", exclude_unset=True) == body


def test_a_charge_of_the_first_provider_is_whole(drawer: Drawer) -> None:
    """Seconds, lower case, the card's last four, our reference among its own names."""
    status, body, _ = authorized(playing(drawer), drawer)
    fits(ChargeAnswer, body)
    assert (status, body["object"], body["status"]) == (200, "charge", "succeeded")
    assert (body["created"], body["currency"]) == (NOON_MS // 1000, "usd")
    assert (body["amount"], body["amount_captured"], body["captured"]) == (1099, 0, False)
    assert body["metadata"] == {
        "reference": "pi_1.1",
        "payment_id": "pi_1",
        "merchant_id": "m_001",
        "operation_id": "pi_1.1",
    }
    assert body["payment_method_details"]["card"] == {
        "brand": "visa",
        "country": "US",
        "exp_month": 12,
        "exp_year": 2030,
        "funding": "credit",
        "last4": "4242",
    }
    assert body["outcome"]["type"] == "authorized"
    assert body["id"].startswith("ch_")


def test_a_payment_of_the_second_provider_is_whole(drawer: Drawer) -> None:
    """Sixteen characters, a value with its currency, and the card beside."""
    status, body, _ = authorized(playing(drawer, B), drawer)
    fits(ChargeAnswer, body)
    assert (status, body["resultCode"], body["merchantReference"]) == (200, "Authorised", "pi_1.1")
    assert body["amount"] == {"value": 1099, "currency": "USD"}
    assert body["additionalData"].items() >= {
        ("cardSummary", "4242"),
        ("expiryDate", "12/2030"),
        ("paymentMethod", "visa"),
    }
    assert len(body["additionalData"]["authCode"]) == 6
    assert (len(body["pspReference"]), body["pspReference"].isupper()) == (16, True)


def test_a_capture_and_a_refund_of_the_first_provider(drawer: Drawer) -> None:
    """A capture answers the charge as it then is, a refund and a reversal a refund of it."""
    provider = playing(drawer)
    charge = authorized(provider, drawer)[1]
    captured = calls(provider, "capture", "pi_1.2", **ABOUT, amount=1000)[1]
    fits(CaptureAnswer, captured)
    assert (captured["id"], captured["amount_captured"]) == (charge["id"], 1000)
    assert (captured["captured"], captured["amount"]) == (True, 1099)
    assert captured["balance_transaction"].startswith("txn_")
    refund = calls(provider, "refund", "pi_1.3", capture_of="pi_1.2", amount=400)[1]
    fits(RefundAnswer, refund)
    assert (refund["object"], refund["charge"], refund["amount"]) == ("refund", charge["id"], 400)
    reversal = calls(provider, "reverse", "pi_1.4", **ABOUT, amount=99)[1]
    fits(RefundAnswer, reversal)
    assert (reversal["object"], reversal["balance_transaction"]) == ("refund", None)


def test_modifications_of_the_second_provider_are_received(drawer: Drawer) -> None:
    """Each has a name of its own beside that of the payment."""
    provider = playing(drawer, B)
    psp = authorized(provider, drawer)[1]["pspReference"]
    names = {psp}
    for number, (operation, amount) in enumerate(
        (("capture", 1000), ("refund", 400), ("reverse", 99)), 2
    ):
        status, body, _ = calls(provider, operation, f"pi_1.{number}", **ABOUT, amount=amount)
        fits(RefundAnswer, body)
        assert (status, body["status"], body["paymentPspReference"]) == (200, "received", psp)
        assert (body["reference"], body["amount"]["value"]) == (f"pi_1.{number}", amount)
        names.add(body["pspReference"])
    assert len(names) == 4


@pytest.mark.parametrize("name", [A, B])
@pytest.mark.parametrize("card", [GOOD, DECLINED, CHALLENGED, "4000000000000119"])
def test_the_same_reference_has_the_same_bytes_for_ever(
    drawer: Drawer, name: str, card: str
) -> None:
    """Also after its charge was captured and paid back, and after a restart."""
    provider, sealed = playing(drawer, name), drawer.put(card)

    def ask() -> tuple[int, bytes]:
        status, body, _ = authorized(provider, drawer, sealed=sealed)
        return status, json.dumps(body).encode()

    first = ask()
    assert ask() == first
    if card == GOOD:
        calls(provider, "capture", "pi_1.2", **ABOUT, amount=1000)
        calls(provider, "refund", "pi_1.3", **ABOUT, amount=400)
        assert ask() == first
    provider.state = provider.replayed()
    assert ask() == first


@pytest.mark.parametrize("name", [A, B])
def test_other_fields_under_the_same_reference_are_refused_in_its_manner(
    drawer: Drawer, name: str
) -> None:
    """The difference stands in our problem, and its words in the provider's error."""
    provider = playing(drawer, name)
    authorized(provider, drawer)
    call = ProviderCall("authorize", "pi_1.1", 1100, "USD", merchant_id="m_001", sealed="x")
    refusal = refused(provider, "provider.call", call)
    assert refusal.extra["diff"] == [{"field": "amount", "first": 1099, "now": 1100}]
    if name == A:
        assert refusal.extra["error"]["type"] == "idempotency_error"
        assert "amount" in refusal.extra["error"]["message"]
    else:
        assert (refusal.extra["errorCode"], refusal.extra["errorType"]) == ("704", "validation")
        assert "amount" in refusal.extra["message"]


@pytest.mark.parametrize("name", [A, B])
def test_a_pending_refund_is_told_and_told_again(drawer: Drawer, name: str) -> None:
    """Its name is the one under which it is paid back a minute later."""
    provider = playing(drawer, name)
    authorized(provider, drawer, PENDING_REFUND, capture=True)
    first, again = (calls(provider, "refund", "pi_1.2", **ABOUT, amount=400) for _ in range(2))
    assert first[:2] == again[:2]
    fits(RefundAnswer, first[1])
    key = "id" if name == A else "pspReference"
    assert (first[0], first[1]["status"]) == (200, "pending" if name == A else "received")
    assert again[2].events == []
    timer = first[2].timers[0]
    provider.tell(timer.kind, timer.body, sender="timer")
    assert provider.state.operations["pi_1.2"].provider_reference == first[1][key]


@pytest.mark.parametrize("name", [A, B])
@pytest.mark.parametrize(
    ("operation", "amount", "status", "code"),
    [
        ("capture", 2000, 422, "amount-exceeds"),
        ("refund", 1, 409, "illegal-transition"),
    ],
)
def test_what_a_charge_does_not_allow_is_no_decline(
    drawer: Drawer, name: str, operation: str, amount: int, status: int, code: str
) -> None:
    """No issuer was asked: it is a wrong request, at both."""
    provider = playing(drawer, name)
    authorized(provider, drawer)
    found, body, _ = calls(provider, operation, "pi_1.2", **ABOUT, amount=amount)
    assert (found, body["code"]) == (status, code)
    if name == A:
        assert body["error"]["type"] == "invalid_request_error"
    else:
        assert (body["errorType"], len(body["pspReference"])) == ("validation", 16)


@pytest.mark.parametrize("code", sorted(WORDS))
def test_every_decline_is_said_by_both(drawer: Drawer, code: str) -> None:
    """By the drill that declines with it; the status answers the same object."""
    rule = {"operation": "authorize", "do": f"decline:{code}"}
    a, b = playing(drawer), playing(drawer, B)
    for provider in (a, b):
        provider.tell("fault.inject", InjectFault(rule), sender="frontdoor", reply_to="i")
    status, body, _ = authorized(a, drawer)
    assert (status, body["error"]["type"], body["decline_code"]) == (402, "card_error", code)
    assert body["error"]["message"] == default_declines()[code].payer_message
    status, body, _ = authorized(b, drawer)
    fits(ChargeAnswer, body)
    said = words_of(code)
    assert (body["refusalReason"], body["refusalReasonCode"]) == (said.b_reason, str(said.b_number))
    assert body["resultCode"] == ("Error" if said.b_number == 4 else "Refused")
    for provider in (a, b):
        shown = status_of(provider)
        assert (shown["status"], shown["code"]) == ("declined", code)


def status_of(provider: Played, reference: str = "pi_1.1") -> dict[str, Any]:
    reply_to = f"s{len(provider.steps)}"
    step = provider.tell(
        "provider.status", StatusOf(reference), sender="frontdoor", reply_to=reply_to
    )
    body: dict[str, Any] = step.replies[0].body
    fits(ProviderStatus, body)
    return body


@pytest.mark.parametrize("name", [A, B])
def test_a_status_shows_what_was_answered(drawer: Drawer, name: str) -> None:
    """In the provider's own object, for each kind of end."""
    provider = playing(drawer, name)
    for reference, card in (("pi_1.1", GOOD), ("pi_2.1", DECLINED), ("pi_3.1", CHALLENGED)):
        status, body, _ = authorized(provider, drawer, card, reference=reference)
        shown = status_of(provider, reference)["answer"]
        if status == 200:
            assert shown == body
        else:
            assert (shown["status"], shown["outcome"]["type"]) == ("failed", "issuer_declined")


@pytest.mark.parametrize(
    ("name", "currency", "amount", "written"),
    [
        (A, "JPY", 500, 500),
        (A, "KWD", 5120, 5120),
        (A, "ISK", 500, 50_000),
        (B, "JPY", 500, 500),
        (B, "KWD", 5124, 5124),
        (B, "CLP", 500, 50_000),
    ],
)
def test_amounts_follow_each_providers_own_convention(
    drawer: Drawer, name: str, currency: str, amount: int, written: int
) -> None:
    """Without places, with three, and where it differs from the standard."""
    body = authorized(playing(drawer, name), drawer, currency=currency, amount=amount)[1]
    assert (body["amount"] if name == A else body["amount"]["value"]) == written


def test_an_amount_that_a_provider_cannot_say_is_refused_before_it_is_tried(
    drawer: Drawer,
) -> None:
    """The field and the remedy are named, in both manners, and nothing is remembered."""
    provider = playing(drawer)
    call = ProviderCall("authorize", "pi_1.1", 5124, "KWD", sealed=drawer.put(GOOD))
    refusal = refused(provider, "provider.call", call)
    assert (refusal.code, refusal.errors[0]["field"]) == ("validation-error", "amount")
    assert (refusal.extra["error"]["type"], refusal.extra["error"]["param"]) == (
        "invalid_request_error",
        "amount",
    )
    assert provider.state.operations == {}


@pytest.mark.parametrize("name", [A, B])
def test_payouts_of_a_batch_are_shown_in_its_manner(drawer: Drawer, name: str) -> None:
    """And each is one line of truth, once its files are written."""
    provider = playing(drawer, name)
    empty = provider.tell("batch.close", CloseBatch("run_1"), sender="reconciler")
    assert ([one.body.run for one in empty.out], empty.events) == (["run_1"], [])
    authorized(provider, drawer, capture=True)
    step = provider.tell("batch.close", CloseBatch("run_2"), sender="reconciler")
    batch = step.errands[0].body.closing
    paid = [
        BankRow(batch.date, 1037, "USD", batch.id),
        BankRow(batch.date, -5, "EUR", batch.id),
    ]
    written = StatementWritten(
        batch_id=batch.id,
        path="s.csv",
        sha256="0" * 64,
        bank_path="b.csv",
        bank=paid,
        lines=1,
        taken=1,
        next_seq=3,
        next_offset=0,
        injected=[],
        carried=[],
    )
    done = provider.tell("statement.written", written, sender="errand")
    truths = [post.record for post in done.posts]
    assert [(t.operation, t.reference, t.amount, t.currency, t.outcome) for t in truths] == [
        ("payout", batch.id, 1037, "USD", "paid"),
        ("payout", batch.id, -5, "EUR", "collected"),
    ]
    assert len({t.operation_id for t in truths}) == 2
    assert {t.value_date for t in truths} == {batch.date}
    question = ListBatches(batch.date)
    reply = provider.tell("provider.batches", question, sender="frontdoor", reply_to="b")
    (found,) = reply.replies[0].body["batches"]
    fits(SettledBatch, {**found, "data": []})
    first = found["payouts"][0]
    assert (first["amount"] if name == A else first["amount"]["value"]) == 1037
    assert provider.replayed() == provider.state


@pytest.mark.parametrize("name", [A, B])
def test_a_state_tells_its_batches(drawer: Drawer, name: str) -> None:
    """Since when one is open, and when it ends in the provider's own zone."""
    provider = playing(drawer, name)
    reply = provider.tell("provider.show", ShowProvider(), sender="frontdoor", reply_to="s")
    body = reply.replies[0].body
    fits(
        ProviderState,
        {
            **body,
            "provider": name,
            "actor": "provider-a",
            "state": "serving",
            "health": "up",
            "breaker": {"state": "CLOSED"},
            "canary": None,
        },
    )
    assert (body["open_since"], body["batches"]) == (None, 0)
    ends = {A: "2026-02-10T00:00:00.000Z", B: "2026-02-09T16:00:00.000Z"}
    assert body["next_cut_off"] == ends[name]
