"""A provider at its inner door: calls by reference in its own manners, looks, disputes."""

import re

import msgspec
import pytest

from actors.provider.core import Provider
from payrail.domain.messages import Ask, InjectFault
from payrail.domain.words.providers import (
    ListBatches,
    ListFaults,
    OpenDispute,
    ProviderCall,
    ResolveDispute,
    ShowProvider,
    StatusOf,
)
from payrail.errors import RequestError
from tests.actors.pure import Played
from tests.actors.sealed import DECLINED, GOOD, Drawer, charge, claim, truths


@pytest.fixture
def drawer() -> Drawer:
    return Drawer()


def playing(drawer: Drawer, name: str = "providerA") -> Played:
    actor = {"providerA": "provider-a", "providerB": "provider-b"}[name]
    return Played(Provider(actor, name, unseal=drawer, seed=42))


@pytest.fixture
def provider(drawer: Drawer) -> Played:
    return playing(drawer)


def asks(provider: Played, kind: str, body):
    """(status, body) of the answer, and the step."""
    step = provider.tell(kind, body, sender="frontdoor", reply_to=f"q{len(provider.steps)}")
    replies = [(reply.status, msgspec.to_builtins(reply.body)) for reply in step.replies]
    return (*(replies[0] if replies else (0, {})), step)


def refused(provider: Played, kind: str, body) -> RequestError:
    with pytest.raises(RequestError) as caught:
        asks(provider, kind, body)
    return caught.value


def calls(provider: Played, operation: str, reference: str = "pi_1.1", **more):
    fields = {"amount": 1099, **more}
    return asks(
        provider, "provider.call", ProviderCall(operation=operation, reference=reference, **fields)
    )


def authorized(provider: Played, drawer: Drawer, card: str = GOOD, **more):
    fields = {"currency": "USD", "merchant_id": "m_001", "sealed": drawer.put(card), **more}
    return calls(provider, "authorize", **fields)


def test_a_call_is_answered_to_who_asked_and_told_by_notice(provider: Played, drawer: Drawer):
    """The gateway asked for nothing, so it gets no outcome; the truth has one line."""
    status, body, step = authorized(provider, drawer)
    assert (status, body["object"], body["status"], body["currency"]) == (
        200,
        "charge",
        "succeeded",
        "usd",
    )
    assert (step.out, len(step.errands)) == ([], 1)
    assert truths(provider) == [("authorize", "pi_1.1", 1099)]


def test_the_same_reference_is_the_same_call(provider: Played, drawer: Drawer):
    """Asked twice it is done once; for something else it is refused, with the difference."""
    first, again = authorized(provider, drawer), authorized(provider, drawer)
    assert again[:2] == first[:2]
    assert (again[2].events, again[2].errands) == ([], [])
    refusal = refused(
        provider,
        "provider.call",
        ProviderCall("authorize", "pi_1.1", 1100, "EUR", merchant_id="m_001", sealed="x"),
    )
    assert (refusal.status, refusal.code) == (422, "reference-reused")
    assert refusal.extra["diff"] == [
        {"field": "amount", "first": 1099, "now": 1100},
        {"field": "currency", "first": "USD", "now": "EUR"},
    ]


def test_each_provider_declines_in_its_own_manners(drawer: Drawer):
    """A: 402 with an error; B: 200 with a result code."""
    a, b = playing(drawer), playing(drawer, "providerB")
    status, body, _ = authorized(a, drawer, DECLINED)
    assert (status, body["code"], body["error"]["type"]) == (402, "card-declined", "card_error")
    assert (body["error"]["code"], body["error"]["decline_code"]) == (
        "card_declined",
        "insufficient_funds",
    )
    assert body["error"]["network_decline_code"] == "51"
    status, body, _ = authorized(b, drawer, DECLINED)
    assert (status, body["resultCode"]) == (200, "Refused")
    assert (body["refusalReason"], body["refusalReasonCode"]) == ("Not enough balance", "12")
    status, body, _ = authorized(b, drawer, reference="pi_2.1")
    assert (body["resultCode"], body["amount"]) == (
        "Authorised",
        {"value": 1099, "currency": "USD"},
    )
    assert re.fullmatch("[A-Z2-7]{16}", body["pspReference"])


def test_a_life_of_a_charge_at_the_door(provider: Played, drawer: Drawer):
    """Capture names the charge, a refund may name the capture; what is left out is the charge's."""
    authorized(provider, drawer)
    about = {"authorization": "pi_1.1"}
    assert calls(provider, "capture", "pi_1.2", **about, amount=1000)[0] == 200
    status, body, step = calls(provider, "refund", "pi_1.3", capture_of="pi_1.2", amount=400)
    assert (status, body["object"], body["amount"]) == (200, "refund", 400)
    assert step.errands[0].body.merchant_id == "m_001"
    assert calls(provider, "refund", "pi_1.4", **about, amount=601)[1]["code"] == "amount-exceeds"
    assert calls(provider, "reverse", "pi_1.5", **about, amount=99)[0] == 200
    assert truths(provider) == [
        ("authorize", "pi_1.1", 1099),
        ("capture", "pi_1.2", 1000),
        ("refund", "pi_1.3", 400),
        ("reverse", "pi_1.5", 99),
    ]
    nobody = ProviderCall("capture", "pi_9.2", 1, authorization="pi_9.1")
    assert refused(provider, "provider.call", nobody).status == 404
    assert provider.replayed() == provider.state


@pytest.mark.parametrize(
    ("do", "status", "code"),
    [
        ("down", 503, "not-accepted"),
        ("error", 503, "not-accepted"),
        ("http:500", 500, "provider-broken"),
        ("http:504", 504, "provider-broken"),
        ("reset", 502, "provider-broken"),
        ("garbage", 502, "provider-broken"),
    ],
)
def test_a_drilled_call_is_a_problem_at_both(drawer: Drawer, do: str, status: int, code: str):
    """What was not decided is neither approved nor declined."""
    for name in ("providerA", "providerB"):
        provider = playing(drawer, name)
        rule = {"operation": "authorize", "do": do, "count": 1}
        provider.tell("fault.inject", InjectFault(rule), sender="frontdoor", reply_to="i")
        found, body, step = authorized(provider, drawer)
        assert (found, body["code"], body["reference"]) == (status, code, "pi_1.1")
        assert (step.errands, truths(provider)) == ([], [])


def test_a_call_that_hangs_is_not_answered_and_not_done_twice(provider: Played, drawer: Drawer):
    """Who asks again is told that it is in doubt."""
    rule = {"operation": "authorize", "do": "hang"}
    provider.tell("fault.inject", InjectFault(rule), sender="frontdoor", reply_to="i")
    assert authorized(provider, drawer)[0] == 0
    call = ProviderCall("authorize", "pi_1.1", 1099, "USD", sealed="x")
    refusal = refused(provider, "provider.call", call)
    assert (refusal.code, refusal.extra["legal"]) == ("operation-in-doubt", [])
    assert refusal.extra["error"]["code"] == "idempotency_key_in_use"
    assert asks(provider, "provider.status", StatusOf("pi_1.1"))[1]["status"] == "pending"


def test_a_wrong_seal_is_a_safe_refusal(provider: Played):
    """It opens nowhere else, and nothing is remembered of it."""
    status, body, _ = calls(provider, "authorize", currency="USD", sealed="elsewhere")
    assert (status, body["code"]) == (422, "seal-broken")
    assert provider.state.operations == {}


def test_status_fences_nothing(provider: Played, drawer: Drawer):
    """Unlike an ask: what was never seen may still come."""
    assert refused(provider, "provider.status", StatusOf("pi_1.1")).status == 404
    assert provider.tell("charge", charge(drawer.put(GOOD))).out[0].body.result == "approved"
    provider.tell("capture", claim(1099))
    body = asks(provider, "provider.status", StatusOf("pi_1.1"))[1]
    assert (body["status"], body["captured"], body["amount"]) == ("approved", 1099, 1099)
    provider.tell("ask", Ask("pi_2", "pi_2.1", "authorize", 1))
    assert asks(provider, "provider.status", StatusOf("pi_2.1"))[1]["status"] == "fenced"


def test_faults_are_listed_with_what_is_left_of_them(provider: Played, drawer: Drawer):
    """Oldest first, as they are tried."""
    for rule in (
        {"operation": "authorize", "do": "down", "count": 2},
        {"operation": "webhook", "do": "early_webhook"},
    ):
        provider.tell(
            "fault.inject", InjectFault(rule), sender="frontdoor", reply_to=str(rule["do"])
        )
    authorized(provider, drawer)
    body = asks(provider, "fault.list", ListFaults())[1]
    assert [(row["rule"]["do"], row["uses_left"]) for row in body["data"]] == [
        ("down", 1),
        ("early_webhook", None),
    ]
    assert asks(provider, "provider.show", ShowProvider())[1]["faults"] == 2


def test_a_dispute_takes_no_more_than_was_captured(provider: Played, drawer: Drawer):
    """Opened once by its reference, ruled on once, each with its line of truth."""
    authorized(provider, drawer)
    opening = OpenDispute("dp-1", "pi_1.1", "fraudulent")
    assert refused(provider, "provider.dispute", opening).status == 404
    calls(provider, "capture", "pi_1.2", authorization="pi_1.1", amount=1000)
    status, body, _ = asks(provider, "provider.dispute", opening)
    assert (status, body["state"], body["amount"], body["stage"]) == (
        201,
        "opened",
        1000,
        "chargeback",
    )
    assert asks(provider, "provider.dispute", opening)[:2] == (201, body)
    other = OpenDispute("dp-1", "pi_1.1", "fraudulent", amount=1)
    assert refused(provider, "provider.dispute", other).extra["diff"][0]["field"] == "amount"
    more = OpenDispute("dp-2", "pi_1.1", "fraudulent", amount=1)
    assert refused(provider, "provider.dispute", more).extra["disputable"] == 0

    won = ResolveDispute("dp-1", "won")
    for _ in range(2):
        assert asks(provider, "provider.dispute_resolve", won)[1]["state"] == "won"
    lost = ResolveDispute("dp-1", "lost")
    assert refused(provider, "provider.dispute_resolve", lost).status == 409
    nobody = ResolveDispute("dp-9", "won")
    assert refused(provider, "provider.dispute_resolve", nobody).status == 404
    assert [t[0] for t in truths(provider)[2:]] == ["chargeback", "chargeback_reversed"]
    assert provider.replayed() == provider.state


def test_an_inquiry_moves_no_money(provider: Played, drawer: Drawer):
    """It has its lines, and no chargeback among them."""
    authorized(provider, drawer)
    calls(provider, "capture", "pi_1.2", authorization="pi_1.1")
    asks(provider, "provider.dispute", OpenDispute("q", "pi_1.1", "general", stage="inquiry"))
    asks(provider, "provider.dispute_resolve", ResolveDispute("q", "lost"))
    assert [t[0] for t in truths(provider)[2:]] == ["inquiry", "dispute_closed"]


def test_a_date_without_a_batch_is_unknown(provider: Played):
    """Nothing was closed yet."""
    assert refused(provider, "provider.batches", ListBatches("2026-02-09")).status == 404


def test_no_answer_holds_a_card(provider: Played, drawer: Drawer):
    """A sealed card goes in, and nothing of it comes out."""
    authorized(provider, drawer)
    authorized(provider, drawer, DECLINED, reference="pi_2.1")
    assert GOOD.encode() not in provider.everything()
    assert DECLINED.encode() not in provider.everything()
