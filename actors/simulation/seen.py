"""A simulated house as evidence: its files, its living actors, and what its witness was told.

For scenes and tests that talk in mailbox lines. A run over HTTP fills `Evidence` itself.
"""

from actors.simulation.evidence import Asked, Evidence, Live
from actors.simulation.hooked import HOUSE_SECRET, HookedHouse
from actors.simulation.house import SimHouse
from actors.simulation.witness import Question
from payrail.domain.messages import ReplyLine
from payrail.storage.lines import encode

#: How an order is asked over HTTP; `{}` is the id that it is about.
PATHS = {
    "payment.create": "/payment-intents",
    "payment.authorize": "/payment-intents/{}/authorize",
    "payment.capture": "/payment-intents/{}/capture",
    "payment.cancel": "/payment-intents/{}/cancel",
    "refund.create": "/refunds",
    "refund.approve": "/refunds/{}/approve",
    "refund.reject": "/refunds/{}/reject",
    "dispute.create": "/disputes",
    "dispute.evidence": "/disputes/{}/evidence",
    "dispute.submit": "/disputes/{}/submit",
    "dispute.accept": "/disputes/{}/accept",
    "dispute.resolve": "/disputes/{}/resolve",
    "payout.create": "/payouts",
    "payout.resolve": "/payouts/{}/resolve",
    "case.close": "/cases/{}/close",
    "endpoint.add": "/webhook-endpoints",
    "card.store": "/tokenize",
}


def evidence_of(house: SimHouse) -> Evidence:
    """Everything that can be seen of this house now."""
    return Evidence(
        fs=house.fs,
        actors=tuple(house.actors),
        core=house.core,
        now=house.clock.now(),
        asked=[
            one for question in house.witness.questions.values() for one in _asked(house, question)
        ],
        fired=house.fired,
        heard=list(house.sink.all) if isinstance(house, HookedHouse) else (),
        live={name: _live(house, name) for name in house.drivers},
        house_secret=HOUSE_SECRET,
    )


def _live(house: SimHouse, name: str) -> Live:
    driver = house.drivers[name]
    return Live(
        driver.loop.state, driver.loop.head, bool(driver.blocked), tuple(driver.loop.faults)
    )


def _asked(house: SimHouse, question: Question) -> list[Asked]:
    """Each reply is the answer to a try; no reply is a try whose end is not known."""
    replies: list[ReplyLine | None] = [*house.witness.replies.get(question.re, ())]
    return [_try(question, reply, tried) for tried, reply in enumerate(replies or [None], 1)]


def _try(question: Question, reply: ReplyLine | None, tried: int) -> Asked:
    kind, order = question.order
    path = PATHS.get(kind, f"/{question.receiver}/{kind}").format(getattr(order, "id", ""))
    fields = getattr(order, "fields", None)
    return Asked(
        method="POST",
        path=path,
        at_ms=0,
        merchant=getattr(order, "merchant_id", None),
        user=getattr(order, "user_id", ""),
        role=getattr(order, "role", ""),
        key=getattr(order, "idempotency_key", None),
        body=encode(order if fields is None else fields),
        tried=tried,
        status=None if reply is None else reply.status,
        headers={} if reply is None else {k.lower(): v for k, v in reply.headers.items()},
        answer=b"" if reply is None else bytes(reply.body),
    )
