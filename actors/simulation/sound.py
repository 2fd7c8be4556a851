"""Whether a house at rest is sound: chains, books, answers, money, and nobody left waiting."""

from collections import Counter
from typing import Any

import msgspec

from actors.simulation.house import (
    ACTORS,
    FOR_PEOPLE,
    HOLD,
    LEDGERS,
    ON_ITS_WAY,
    PROVIDERS,
    SimHouse,
)
from actors.simulation.witness import Question
from payrail.audit.paid_out import PaidOut
from payrail.domain import disputes, refunds
from payrail.domain.disputes import DisputeView
from payrail.domain.ledger import must_balance, read_entry
from payrail.domain.messages import ReplyLine
from payrail.domain.payment_claims import payment_of
from payrail.domain.payments import PaymentView, fold
from payrail.domain.refunds import RefundView
from payrail.runtime.deadletters import book_path, with_dead_letters
from payrail.runtime.head import decode_out
from payrail.runtime.recovery import fold_step, journal_path
from payrail.storage.books import Follower
from payrail.storage.journal import JournalLine, read_steps, verify_chain
from payrail.storage.lines import complete_lines

ACCESS_LOG = "data/vault/access_log.jsonl"
FINAL = frozenset({200, 201, 402})


def is_final(reply: ReplyLine) -> bool:
    """Whether the same key gives this answer for good."""
    if reply.status == 409:
        return not msgspec.json.decode(reply.body)["retryable"]
    return reply.status in FINAL


def key_of(question: Question) -> str:
    """What a repetition has in common with the first: the key, else the name."""
    _, body = question.order
    return getattr(body, "idempotency_key", None) or question.re.partition("~")[0]


def must_be_sound(house: SimHouse) -> None:
    """Raises AssertionError with what is wrong."""
    names = [name for name in house.actors if name in (*ACTORS, "reconciler")]
    journals = {name: _journal(house, name) for name in names}
    for name in names:
        _books_follow_the_journal(house, name, journals[name])
        _state_follows_the_journal(house, name, journals[name])
        assert house.bytes_of(book_path(name)) == b"", "a dead letter"
        assert not house.drivers[name].loop.faults
        assert not house.drivers[name].blocked
    _channels_are_drained(journals)
    _answers_agree(house)
    views = _payments(house)
    _truth_agrees(house, views)
    _access_comes_first(house)
    _nobody_waits(house)
    _views_are_new(house)
    _notices_have_come(journals)


def _journal(house: SimHouse, name: str) -> list[JournalLine]:
    data = house.bytes_of(journal_path(name))
    verify_chain(journal_path(name), data)
    return [line for _, _, line in read_steps(data)]


def _books_follow_the_journal(house: SimHouse, name: str, steps: list[JournalLine]) -> None:
    posted: dict[str, list[bytes]] = {}
    seqs: dict[str, list[int]] = {}
    for step in steps:
        for line in step.books:
            posted.setdefault(line.book, []).append(bytes(line.line))
    for book, spec in with_dead_letters(name, house.core(name).books).items():
        lines = posted.get(book, [])
        assert house.bytes_of(spec.path) == b"".join(line + b"\n" for line in lines), spec.path
        followed = [line for _, line in Follower(house.fs, spec.path).read()]
        seqs.setdefault(spec.sequence, []).extend(_seq(line) for line in followed)
    for found in seqs.values():
        assert sorted(found) == list(range(1, len(found) + 1))


def _state_follows_the_journal(house: SimHouse, name: str, steps: list[JournalLine]) -> None:
    """What the actor knows is the fold of its whole journal, however it came by it."""
    actor = house.core(name)
    state = actor.fresh()
    for step in steps:
        fold_step(actor, state, step)
    assert state == house.drivers[name].loop.state, f"{name} knows something else than its journal"


def _seq(line: bytes) -> int:
    return int(msgspec.json.decode(line)["seq"])


def _channels_are_drained(journals: dict[str, list[JournalLine]]) -> None:
    """Every message that was journaled by its sender was taken once by its receiver, in order."""
    for sender, steps in journals.items():
        sent = Counter(decode_out(bytes(raw)).to for step in steps for raw in step.out)
        for receiver in (peer for peer in journals if peer != sender):
            taken = [s.in_.n for s in journals[receiver] if s.in_.from_ == sender]
            assert taken == list(range(1, sent[receiver] + 1)), f"{sender} to {receiver}"


def _answers_agree(house: SimHouse) -> None:
    """Every final answer ever seen under one key is the same answer, and there is one."""
    finals: dict[str, set[tuple[int, bytes]]] = {}
    for re, question in house.witness.questions.items():
        found = finals.setdefault(key_of(question), set())
        for reply in house.witness.replies.get(re, ()):
            assert is_final(reply) or reply.status == 202 or _is_in_flight(reply), reply.status
            if is_final(reply):
                found.add((reply.status, bytes(reply.body)))
    assert all(len(found) == 1 for found in finals.values()), finals


def _is_in_flight(reply: ReplyLine) -> bool:
    body = msgspec.json.decode(reply.body)
    return reply.status == 409 and body["code"] == "idempotency-in-flight"


def _payments(house: SimHouse) -> dict[str, PaymentView]:
    """Every payment as its entries tell it; each entry must be legal and balance."""
    views: dict[str, PaymentView] = {}
    counts: Counter[tuple[str, str]] = Counter()
    ids = set()
    paid_out = PaidOut()
    refunded: dict[str, RefundView] = {}
    disputed: dict[str, DisputeView] = {}
    lines = [line for path in LEDGERS for line in complete_lines(house.bytes_of(path))[0]]
    for _, entry in sorted((read_entry(line) for line in lines), key=lambda found: found[0]):
        must_balance(entry.postings)
        assert paid_out.take(entry) == ""
        assert entry.event_id not in ids
        ids.add(entry.event_id)
        counts[entry.ref, entry.type] += 1
        if entry.type.startswith("refund."):
            refunded[entry.ref] = refunds.fold(refunded.get(entry.ref), entry)
        if entry.type.startswith("dispute."):
            assert entry.postings == disputes.money(disputed.get(entry.ref), entry)
            disputed[entry.ref] = disputes.fold(disputed.get(entry.ref), entry)
        if not entry.type.startswith(("case.", "provider.", "payout.")):
            about = payment_of(entry)
            views[about] = fold(views.get(about), entry)
    for once in ("payment.created", "payment.authorized", "payment.declined", "payment.reversed"):
        assert all(n == 1 for (_, entry_type), n in counts.items() if entry_type == once)
    published = [event["id"] for event in house.lines("data/outbox/events.jsonl")]
    assert published == [entry["event_id"] for entry in house.entries]
    return views


def _truth_agrees(house: SimHouse, views: dict[str, PaymentView]) -> None:
    """At most one live approval a payment, each reference done once, and the same money."""
    truths = house.truths
    done = Counter((t["reference"], t["operation"], t["operation_id"]) for t in truths)
    assert all(n == 1 for n in done.values()), done
    for payment_id, view in views.items():
        about = [t for t in truths if t["reference"].rpartition(".")[0] == payment_id]
        held, captured, given_back = (_sum(about, op) for op in ("authorize", "capture", "reverse"))
        assert captured == view.amount_captured
        went_back = _sum(about, "refund") - _sum(about, "refund_failed")
        assert went_back == view.amount_refunded
        _disputes_agree(view, about)
        live = view.state in ("authorized", "captured", "settled", "chargeback")
        expected = view.amount_authorized if live else 0
        released = given_back if view.state in ("captured", "settled", "chargeback") else 0
        assert held - given_back + released == expected, (view.state, about)


def _disputes_agree(view: PaymentView, truths: list[dict[str, Any]]) -> None:
    """What cardholders have taken back is disputed or lost, to the unit."""
    taken = _sum(truths, "chargeback") + _sum(truths, "second_chargeback")
    kept = taken - _sum(truths, "chargeback_reversed")
    assert kept == view.amount_disputed + view.amount_charged_back


def _sum(truths: list[dict[str, Any]], operation: str) -> int:
    return sum(truth["amount"] for truth in truths if truth["operation"] == operation)


def _access_comes_first(house: SimHouse) -> None:
    """Nothing is charged before it stands in the access log who wanted the card, and why."""
    charged = {t["reference"].rpartition(".")[0] for t in house.truths}
    attempts = Counter(e["ref"] for e in house.entries if e["type"] == "payment.attempt_started")
    asked = [
        line["payment_id"]
        for line in house.lines(ACCESS_LOG)
        if line["purpose"] == "charge.authorize" and line["outcome"] == "allowed"
    ]
    assert charged <= set(asked)
    assert Counter(asked) <= attempts, "a card left more often than it was tried"


def _nobody_waits(house: SimHouse) -> None:
    state = house.state
    assert (state.pending, state.late) == ({}, {})
    assert all(view.open is None for view in state.payments.values())
    unanswered = [d.id for d in state.disputes.open.values() if not d.is_answered]
    waiting = [*(f"refund:{i}" for i in state.refunds), *(f"dispute:{i}" for i in unanswered)]
    assert not state.disputes.asks
    assert not state.disputes.parked
    challenges = [view.challenge for view in state.payments.values() if view.challenge]
    waiting += [f"challenge:{challenge.id}" for challenge in challenges]
    assert all(view.state == "pending_approval" for view in state.refunds.values())
    timers = house.drivers["gateway"].loop.head.timers
    assert sorted(t for t in timers if t.startswith(FOR_PEOPLE)) == sorted(waiting)
    held = [f"{HOLD}{v.id}" for v in state.payments.values() if v.amount_capturable]
    assert sorted(t for t in timers if t.startswith(HOLD)) == sorted(held)
    on_its_way = [p.id for p in state.paying.payouts.values() if p.state == "in_transit"]
    assert sorted(t for t in timers if t.startswith(ON_ITS_WAY)) == sorted(
        f"{ON_ITS_WAY}{ident}" for ident in on_its_way
    )
    assert not any(house.timers(name) for name in house.drivers)
    assert state.parked == {}
    assert all(house.drivers[name].loop.state.notices == {} for name in PROVIDERS)


def _notices_have_come(journals: dict[str, list[JournalLine]]) -> None:
    """Each notice that a provider owed reached the gateway; no call is told under two names."""
    owed = [
        event["notice"]
        for name in PROVIDERS
        for step in journals[name]
        for event in map(msgspec.json.decode, map(bytes, step.events))
        if event["type"] == "notice.owed"
    ]
    came = {
        msgspec.json.decode(bytes(step.in_.line))["body"]["notice_id"]
        for step in journals["gateway"]
        if step.in_.kind in ("provider.notice", "dispute.notice")
    }
    assert came == {notice["id"] for notice in owed}
    calls = [n["reference"] for n in owed if "fact" not in n and "outcome" not in n]
    assert len(set(calls)) == len(calls)


def _views_are_new(house: SimHouse) -> None:
    """What people look at shows each provider's breaker as it stands."""
    for provider in PROVIDERS.values():
        (view,) = house.lines(f"data/providers/{provider}_state.json")
        breaker = house.state.breaker(provider)
        assert view["provider"] == provider
        assert view["breaker"]["state"] == breaker.state
        assert (view["breaker"]["next_probe_at"] is None) == (breaker.probe_ms is None)
