"""Disputes at the door: what is checked before the gateway is asked, and what the books show."""

from typing import get_args

import pytest

from actors.frontdoor.disputes import Reason
from payrail.domain.books import DISPUTES_BOOK, LEDGER_BOOK
from payrail.domain.claim_entries import DisputeLost, DisputeOpened, EvidenceAdded
from payrail.domain.dispute_reasons import REASONS
from tests.actors.booked import captured, created, entry, pi
from tests.actors.doors import AT, book, open_door

DUE = "2026-02-27T12:00:00.000Z"
NEW = {"payment_intent": pi(1), "reason": "fraudulent"}


def dp(number):
    return f"dp_{number:016d}"


def opened(number, payment_id, stage="chargeback", **more):
    data = DisputeOpened(
        payment_id, "providerA", f"{payment_id}.1", f"du_{number}", stage, "fraudulent", DUE, 0, {}
    )
    return entry(dp(number), "dispute.opened", data, **more)


def test_the_reasons_at_the_door_are_those_of_the_rules():
    """A reason that helps to find evidence is one that can be given."""
    assert set(get_args(Reason)) == set(REASONS)


@pytest.mark.parametrize(
    ("path", "body", "fields"),
    [
        ("", {}, {"payment_intent", "reason"}),
        ("", {**NEW, "reason": "a whim"}, {"reason"}),
        ("", {**NEW, "amount": 0}, {"amount"}),
        ("", {**NEW, "stage": "court"}, {"stage"}),
        ("", {**NEW, "payment_intent": "pi_1"}, {"payment_intent"}),
        (f"/{dp(1)}/evidence", {}, {"evidence"}),
        (f"/{dp(1)}/evidence", {"evidence": {"horoscope": "good"}}, {"evidence"}),
        (f"/{dp(1)}/evidence", {"evidence": {"usage_log": "x" * 2_001}}, {"evidence.usage_log"}),
        (f"/{dp(1)}/evidence", {"evidence": {f"item{n}": "x" for n in range(21)}}, {"evidence"}),
        (f"/{dp(1)}/resolve", {"outcome": "draw"}, {"outcome"}),
        (f"/{dp(1)}/submit", {"now": True}, {"now"}),
    ],
)
async def test_a_body_that_cannot_be_meant_is_refused_at_the_door(tmp_path, path, body, fields):
    """422 names the field; the gateway is not asked."""
    async with open_door(tmp_path) as door:
        answer = await door.ask("POST", f"/disputes{path}", body, Idempotency_Key="k")
        asked = door.gateway.asked
    assert (answer[0], answer[2]["code"], asked) == (422, "validation-error", [])
    assert {error["field"] for error in answer[2]["errors"]} == fields


async def test_evidence_that_no_message_can_hold_is_too_large(tmp_path):
    """413 before anything is written; what fits goes whole to the gateway."""
    async with open_door(tmp_path) as door:
        path, head = f"/disputes/{dp(1)}/evidence", {"Idempotency_Key": "k"}
        much = {"evidence": {"usage_log": "x" * 2_000, "order_details": "y" * 6_000}}
        assert (await door.ask("POST", path, much, **head))[0] == 413
        items = {"usage_log": "x" * 2_000, "order_details": "y" * 2_000}
        status, _, echoed = await door.ask("POST", path, {"evidence": items}, **head)
    assert (status, echoed["kind"], echoed["order"]["evidence"]) == (200, "dispute.evidence", items)


async def test_only_payers_may_answer_and_a_key_is_needed(tmp_path):
    async with open_door(tmp_path) as door:
        for role in ("approver", "viewer", "auditor", "publishable"):
            key = door.key(role)
            answer = await door.ask("POST", "/disputes", NEW, key=key, Idempotency_Key="k")
            assert (answer[0], answer[2]["code"]) == (403, "forbidden")
        assert (await door.ask("POST", "/disputes", NEW))[2]["code"] == "idempotency-key-missing"
        answer = await door.ask("POST", "/disputes/nothing/submit", {}, Idempotency_Key="k")
        assert (answer[0], answer[2]["code"]) == (404, "not-found")
        order = (await door.ask("POST", "/disputes", NEW, Idempotency_Key="k"))[2]["order"]
    assert (order["merchant_id"], order["stage"], order["amount"]) == ("m_001", "chargeback", None)


async def test_disputes_are_read_from_their_book(tmp_path):
    """The fold of its entries, with the checklist; another merchant's is not there."""
    book(tmp_path, LEDGER_BOOK, [created(pi(1))])
    given = entry(dp(1), "dispute.evidence_added",
                  EvidenceAdded(pi(1), {"usage_log": "often"}, "usr_1"))  # fmt: skip
    lost = entry(dp(2), "dispute.lost", DisputeLost(pi(1), "providerA", "expired"))
    entries = [opened(1, pi(1)), opened(2, pi(1)), given, lost, opened(3, pi(1), "inquiry")]
    book(tmp_path, DISPUTES_BOOK, entries, seq=1)
    async with open_door(tmp_path) as door:
        status, _, one = await door.ask("GET", f"/disputes/{dp(1)}")
        foreign = await door.ask("GET", f"/disputes/{dp(1)}", key=door.key(merchant="m_002"))
        ids = [row["id"] for row in (await door.ask("GET", "/disputes"))[2]["data"]]
        states = {}
        for state in ("opened", "lost", "inquiry", "won"):
            rows = (await door.ask("GET", f"/disputes?state={state}"))[2]["data"]
            states[state] = [row["id"] for row in rows]
        page = (await door.ask("GET", f"/disputes?limit=2&payment_intent={pi(1)}"))[2]
        rest = (await door.ask("GET", f"/disputes?limit=2&cursor={page['next_cursor']}"))[2]
        assert (await door.ask("GET", "/disputes?state=odd"))[0] == 422
        assert door.gateway.asked == []
    assert (status, one["state"], one["created_at"]) == (200, "opened", AT)
    given_by = {row["item"]: row["given_by"] for row in one["checklist"]}
    assert (given_by["usage_log"], given_by["order_details"]) == ("merchant", None)
    assert (foreign[0], foreign[2]["code"]) == (404, "not-found")
    assert ids == [dp(3), dp(2), dp(1)]
    assert states == {"opened": [dp(1)], "lost": [dp(2)], "inquiry": [dp(3)], "won": []}
    assert [row["id"] for row in page["data"] + rest["data"]] == ids


async def test_the_ledger_of_a_dispute_is_that_of_its_payment(tmp_path):
    """All entries in the order of `seq`, whichever file they stand in, and the dispute's state."""
    seq, _ = book(tmp_path, LEDGER_BOOK, captured(pi(1)))
    book(tmp_path, DISPUTES_BOOK, [opened(1, pi(1))], seq=seq)
    async with open_door(tmp_path) as door:
        status, _, family = await door.ask("GET", f"/ledger/{dp(1)}")
        payment = (await door.ask("GET", f"/payment-intents/{pi(1)}"))[2]
    assert (status, family["payment_intent"], family["state"]) == (200, pi(1), "opened")
    assert [row["type"] for row in family["entries"]][-1] == "dispute.opened"
    assert [row["seq"] for row in family["entries"]] == list(range(1, seq + 2))
    assert (payment["state"], payment["amount_disputed"]) == ("captured", 1000)
