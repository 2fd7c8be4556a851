"""The gateway's pure core at a desk: orders in, and whatever its provider would say."""

from typing import Any

import msgspec
import pytest

from actors.gateway.core import Gateway
from actors.gateway.settings import Rules
from actors.simulation.orders import Order, create
from payrail.domain.messages import CardKnown, Outcome
from payrail.errors import RequestError
from payrail.runtime.actor import SetTimer
from tests.actors.pure import Played

TOKEN, FOREIGN_TOKEN = "tok_1", "tok_2"  # of m_001 and of m_002


class Desk(Played):
    """A gateway that knows one card of each merchant."""

    def __init__(self, rules: Rules | None = None) -> None:
        super().__init__(Gateway(rules or Rules()))
        for token, merchant in ((TOKEN, "m_001"), (FOREIGN_TOKEN, "m_002")):
            known = CardKnown(token, merchant, "visa", "424242", "4242", "fp_1", 12, 2030)
            self.tell("card.known", known, sender="vault")

    def order(self, order: Order, re: str | None = None) -> Any:
        """Give an order; result: its step. Raises RequestError."""
        kind, body = order
        name = re or f"1.{len(self.steps)}"
        return self.tell(kind, body, sender="frontdoor", reply_to=name)

    def refused(self, order: Order) -> RequestError:
        """The refusal of an order that is refused without leaving anything behind."""
        with pytest.raises(RequestError) as caught:
            self.order(order)
        return caught.value

    def says(
        self, reference: str, result: str = "approved", *, sender: str = "provider-a", **more: Any
    ) -> Any:
        """The provider speaks; result: the step that follows."""
        fields: dict[str, Any] = {
            "operation": "authorize",
            "code": "approved" if result == "approved" else result,
            "provider": "providerA",
            "provider_reference": "ch_1" if result == "approved" else None,
            "amount": 1099,
            "currency": "USD",
            **more,
        }
        payment_id = reference.rpartition(".")[0]
        told = Outcome(payment_id=payment_id, reference=reference, result=result, **fields)
        return self.tell("outcome", told, sender=sender)

    def fires(self, timer: SetTimer) -> Any:
        """A timer comes due."""
        self.wire_ms = max(self.wire_ms, timer.due_ms)
        self.business_ms = max(self.business_ms, timer.due_ms)
        return self.tell(timer.kind, timer.body, sender="timer")

    def replayed(self) -> Any:
        """As `Played.replayed`; a line of a book has its `seq` first, as the runtime writes it."""
        state = self.actor.fresh()
        for number, (book, line) in enumerate(self.lines, 1):
            read = self.actor.books[book].read if book else self.actor.read_event
            self.actor.apply(state, read(b'{"seq":%d,%b' % (number, line[1:]) if book else line))
        return state

    def created(self, **fields: Any) -> str:
        """A new payment; result: its id."""
        step = self.order(create(TOKEN, f"desk_{len(self.steps)}", **fields))
        return str(answer(step)[1]["id"])

    def attempted(self, **fields: Any) -> tuple[str, Any]:
        """A payment whose charge is under way: its id, and the step that sent it."""
        step = self.order(create(TOKEN, f"desk_{len(self.steps)}", confirm=True, **fields))
        return step.posts[0].record.ref, step

    def authorized(self, **fields: Any) -> str:
        payment_id, _ = self.attempted(**fields)
        self.says(f"{payment_id}.1")
        return payment_id


def answer(step: Any) -> tuple[int, dict[str, Any]]:
    """(status, body) of a step's one reply."""
    (reply,) = step.replies
    return reply.status, msgspec.json.decode(msgspec.json.encode(reply.body))


def booked(step: Any) -> list[str]:
    """Types of the entries that a step books."""
    return [post.record.type for post in step.posts if post.book == "payments"]


def entry(step: Any, entry_type: str) -> Any:
    return next(
        p.record for p in step.posts if p.book == "payments" and p.record.type == entry_type
    )


def timer_of(step: Any) -> SetTimer:
    (timer,) = [timer for timer in step.timers if isinstance(timer, SetTimer)]
    return timer
