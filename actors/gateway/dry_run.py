"""Dry runs: what an order would do, shown and not done.

The order is decided as always, by the same rules and with the same refusals. What follows is folded
into a small copy of the state, in which each provider that is asked says the best that it can,
until nothing is open. Never: books, sends, sets a timer, or takes a key.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
from msgspec import structs

from actors.gateway import cases, commands, folds, outcomes, refunds
from actors.gateway.booking import OutboxEvent
from actors.gateway.settings import Rules
from actors.gateway.state import GatewayState
from payrail.domain.breaker import copied
from payrail.domain.ledger import FeeCharged, LedgerEntry
from payrail.domain.messages import Outcome
from payrail.domain.payment_claims import payment_of
from payrail.domain.payments import PaymentView
from payrail.domain.providers import actor_of
from payrail.domain.refunds import RefundView
from payrail.domain.words.dry_run import DryRun
from payrail.domain.words.payments import (
    AuthorizePayment,
    CancelPayment,
    CapturePayment,
    CreatePayment,
)
from payrail.domain.words.refunds import ApproveRefund, CreateRefund
from payrail.runtime.actor import Message, Moment, Post, Step, answer

#: What every provider is taken to say.
ASSUMED = "approved"
#: One order leads to two calls at most: a charge, and the capture that follows by itself.
CALLS_MAX = 2

_Decision = Callable[[GatewayState, Message, Moment, Rules], Step]
# Every order that can be tried dry is in this table, with the kind of object that it is about.
_DECISIONS: dict[type, tuple[_Decision, str]] = {
    CreatePayment: (commands.create, "payment_intent"),
    AuthorizePayment: (commands.authorize, "payment_intent"),
    CapturePayment: (commands.capture, "payment_intent"),
    CancelPayment: (commands.cancel, "payment_intent"),
    CreateRefund: (refunds.create, "refund"),
    ApproveRefund: (refunds.approve, "refund"),
}
_Calls = list[dict[str, str]]


def shown(state: GatewayState, message: Message, moment: Moment, rules: Rules) -> Step:
    """The answer, and nothing else. Refuses what the order itself refuses."""
    asked: DryRun = message.body
    (order,) = asked.orders
    decide, about = _DECISIONS[type(order)]
    told = replace(message, body=structs.replace(order, idempotency_key=None))
    posts, calls = _played(state, decide(state, told, moment, rules), told, moment, rules)
    return Step(replies=answer(message, 200, _rendered(posts, calls, about)))


def _played(
    state: GatewayState, step: Step, message: Message, moment: Moment, rules: Rules
) -> tuple[list[Post], _Calls]:
    """Everything that would be booked, and the calls that would be made."""
    payment_id = next(payment_of(entry) for entry in _entries(step.posts) if _is_of_payment(entry))
    scratch = _copy_of(state, payment_id)
    posts, calls = list(step.posts), _Calls()
    _fold(scratch, step)
    while len(calls) < CALLS_MAX:
        view = scratch.payments.get(payment_id)
        if view is None or view.open is None:
            break
        calls.append({"operation": view.open.operation, "provider": view.open.provider})
        step = outcomes.outcome(scratch, _best(view, message), moment, rules)
        _fold(scratch, step)
        posts += step.posts
    return posts, calls


def _copy_of(state: GatewayState, payment_id: str) -> GatewayState:
    """As much of the state as one payment needs, to be changed."""
    scratch = GatewayState(cards=state.cards)
    scratch.breakers = {name: copied(breaker) for name, breaker in state.breakers.items()}
    if payment_id in state.payments:
        view = state.payments[payment_id]
        scratch.payments[payment_id] = msgspec.convert(msgspec.to_builtins(view), PaymentView)
    for ident, refund in state.refunds.items():
        if refund.payment_id == payment_id:
            scratch.refunds[ident] = msgspec.convert(msgspec.to_builtins(refund), RefundView)
    return scratch


def _fold(scratch: GatewayState, step: Step) -> None:
    for event in step.events:
        folds.apply(scratch, event)
    for post in step.posts:
        folds.apply(scratch, post.record)


def _best(view: PaymentView, message: Message) -> Message:
    """The open call ends well."""
    call = view.open
    if call is None:
        raise TypeError("only an open call ends")
    told = Outcome(
        payment_id=view.id,
        reference=call.reference,
        operation=call.operation,
        result=ASSUMED,
        code=ASSUMED,
        provider=call.provider,
        provider_reference=None,
        amount=cases.at_stake(view, call),
        currency=view.currency,
    )
    return replace(message, sender=actor_of(call.provider), body=told, reply_to=None)


def _rendered(posts: list[Post], calls: _Calls, about: str) -> dict[str, Any]:
    events = [post.record for post in posts if isinstance(post.record, OutboxEvent)]
    objects = [event.data["object"] for event in events]
    fees = [entry.data for entry in _entries(posts) if isinstance(entry.data, FeeCharged)]
    return {
        "object": "dry_run",
        "assuming": ASSUMED if calls else None,
        "would": next(one for one in reversed(objects) if one["object"] == about),
        "entries": [_entry(entry) for entry in _entries(posts)],
        "fees": {
            "merchant": sum(fee.merchant_fee for fee in fees),
            "provider": sum(fee.provider_fee for fee in fees),
        },
        "events": [event.type for event in events],
        "calls": calls,
    }


def _entry(entry: LedgerEntry) -> dict[str, Any]:
    return {
        "type": entry.type,
        "amount": entry.amount,
        "currency": entry.currency,
        "postings": msgspec.to_builtins(entry.postings),
    }


def _entries(posts: list[Post]) -> list[LedgerEntry]:
    return [post.record for post in posts if isinstance(post.record, LedgerEntry)]


def _is_of_payment(entry: LedgerEntry) -> bool:
    return entry.type.startswith(("payment.", "refund."))
