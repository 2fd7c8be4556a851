"""A payment in dispute on the desk: what providers tell and people order, in a word each."""

from typing import Any

from actors.simulation import orders
from payrail.domain.dispute_terms import dispute_fee
from payrail.domain.ledger import LedgerEntry
from payrail.domain.postings import balances
from payrail.domain.timestamps import iso
from payrail.domain.words.disputes import DisputeFact
from payrail.runtime.actor import SetTimer
from tests.actors.gatewaydesk import Desk, answer

CAPTURED, FEE = 1099, dispute_fee("USD")
BOOKS = ("payments", "refunds", "disputes")
RECEIVABLE, AVAILABLE = "asset:providerA:receivable", "liability:m_001:available"


def captured(desk: Desk) -> str:
    """A captured payment of 10.99 USD."""
    payment_id = desk.authorized(customer={"name": "Ada Kite", "email": "ada@shop.example"})
    desk.order(orders.capture(payment_id))
    desk.says(f"{payment_id}.2", operation="capture", provider_reference="ch_2")
    return payment_id


def told(desk: Desk, payment_id: str, fact: str, **more: Any) -> DisputeFact:
    fields: dict[str, Any] = {
        "provider": "providerA",
        "authorization": f"{payment_id}.1",
        "provider_reference": "du_1",
        "stage": "chargeback",
        "reason": "fraudulent",
        "amount": CAPTURED,
        "currency": "USD",
        "occurred_at": iso(desk.business_ms),
        **more,
    }
    return DisputeFact(payment_id=payment_id, fact=fact, **fields)


def answers(desk: Desk, payment_id: str, action: str, fact: str, **more: Any) -> Any:
    """The provider answers an order by mailbox; result: the step that follows."""
    return desk.tell(
        "dispute.fact",
        told(desk, payment_id, fact, action=action, **more),
        sender=more.get("sender", "provider-a"),
    )


def notes(desk: Desk, payment_id: str, fact: str, **more: Any) -> Any:
    """The provider tells by webhook; result: the step that follows."""
    said = told(desk, payment_id, fact, notice_id="ntc_1", **more)
    return desk.tell("dispute.notice", said, sender="frontdoor", reply_to="1.9")


def disputed(desk: Desk, payment_id: str, **more: Any) -> str:
    """A dispute that the provider told of by itself; result: its id."""
    step = notes(desk, payment_id, "opened", **more)
    assert answer(step)[1]["outcome"] == "applied"
    return str(next(p.record.ref for p in step.posts if p.record.type == "dispute.opened"))


def submitted(desk: Desk, payment_id: str, dispute_id: str) -> Any:
    desk.order(orders.submit(dispute_id, f"submit_{len(desk.steps)}"))
    return answers(desk, payment_id, "submit", "submitted", dispute_id=dispute_id)


def types(step: Any) -> list[tuple[str, str]]:
    """(book, type) of the entries that a step books."""
    return [(p.book, p.record.type) for p in step.posts if p.book in BOOKS]


def case_of(step: Any) -> tuple[str, int]:
    """(reason, exposure) of the one case that a step opens."""
    (found,) = [p.record for p in step.posts if p.book == "payments"
                and p.record.type == "case.opened"]  # fmt: skip
    assert found.amount == found.data.exposure
    return found.data.reason, found.data.exposure


def money(desk: Desk) -> dict[str, int]:
    """Accounts that are not empty, in USD."""
    posts = [post.record for step in desk.steps for post in step.posts]
    sums = balances(entry for entry in posts if isinstance(entry, LedgerEntry))
    return {account: amounts["USD"] for account, amounts in sums.items() if amounts["USD"]}


def timer(step: Any, prefix: str) -> SetTimer:
    return next(t for t in step.timers if isinstance(t, SetTimer) and t.id.startswith(prefix))
