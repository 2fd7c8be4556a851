"""Evidence of a run, spoilt inside: files, messages, what actors know, and what waits."""

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import msgspec

from actors.simulation.evidence import (
    BIT_ROT,
    POISON,
    Begun,
    Evidence,
    Fired,
    HeadSeen,
    Live,
    Scarred,
)
from actors.simulation.reading import ACCESS_LOG, OUTBOX
from actors.vault.keyfile import KEYS
from payrail.runtime.actor import Actor
from payrail.storage.journal import BookLine
from payrail.storage.lines import GENESIS, chained, sealed
from tests.scenarios.spoilt.run import (
    JOURNAL,
    Case,
    add_line,
    change_file,
    change_step,
)

#: What stays of a key.
GONE = b'"retired_at":"2026-02-09T12:00:00.000Z","key":null'


def a_bit(evidence: Evidence) -> None:
    change_file(evidence, ACCESS_LOG, b'"tokenize"', b'"tokenise"')


def a_line_less(evidence: Evidence) -> None:
    lines = evidence.fs.read(JOURNAL).split(b"\n")
    evidence.fs.replace(JOURNAL, b"\n".join([*lines[:3], *lines[4:]]))


def an_old_epoch(evidence: Evidence) -> None:
    change_step(evidence, "vault", 3, epoch=7)


def back_in_time(evidence: Evidence) -> None:
    change_step(evidence, "vault", 3, at="2026-02-09T11:00:00.000Z")


def a_head_is_gone(evidence: Evidence) -> Evidence:
    seen = HeadSeen(path=JOURNAL, line=3, hash="f" * 64, epoch=1)
    return replace(evidence, heads=[seen])


def an_anchor_is_gone(evidence: Evidence) -> None:
    steps = evidence.books.steps("gateway")
    number = next(step.s for step in steps if step.in_.from_ == "provider-a")
    taken = msgspec.structs.replace(steps[number - 1].in_, chain="f" * 64)
    change_step(evidence, "gateway", number, in_=taken)


def a_message_from_nowhere(evidence: Evidence) -> None:
    path = "mailboxes/vault/gateway.jsonl"
    last = evidence.fs.read(path).split(b"\n")[-2]
    add_line(evidence, path, sealed(last[:-75].replace(b'"n":', b'"n":9') + b"}"))


def a_reply_from_nowhere(evidence: Evidence) -> None:
    line = b'{"id":"gateway>frontdoor:re:x","kind":"reply","re":"x","status":201}'
    add_line(evidence, "mailboxes/frontdoor/gateway.jsonl", sealed(line))


def an_unposted_line(evidence: Evidence) -> None:
    data = evidence.fs.read(OUTBOX)
    evidence.fs.replace(OUTBOX, data[: data[:-1].rfind(b"\n") + 1])


def taken_twice(evidence: Evidence) -> None:
    steps = evidence.books.steps("vault")
    numbers = [step.s for step in steps if step.in_.from_ == "gateway"]
    change_step(evidence, "vault", numbers[1], in_=steps[numbers[0] - 1].in_)


def never_taken(evidence: Evidence) -> None:
    sent = evidence.books.sent("vault")["provider-a"]
    sent.append(sent[0])


def taken_otherwise(evidence: Evidence) -> None:
    steps = evidence.books.steps("vault")
    number = next(step.s for step in steps if step.in_.from_ == "gateway")
    taken = msgspec.structs.replace(steps[number - 1].in_, kind="pan.forget")
    change_step(evidence, "vault", number, in_=taken)


def taken_twice_from_a_door(evidence: Evidence) -> None:
    steps = evidence.books.steps("gateway")
    numbers = [step.s for step in steps if step.in_.from_ == "frontdoor"]
    change_step(evidence, "gateway", numbers[1], in_=steps[numbers[0] - 1].in_)


def knows_more(evidence: Evidence) -> Evidence:
    live = evidence.live["gateway"]
    state = copy.deepcopy(live.state)
    state.outbox += 1
    return replace(evidence, live={**evidence.live, "gateway": replace(live, state=state)})


def stands_elsewhere(evidence: Evidence) -> Evidence:
    live = evidence.live["vault"]
    head = copy.deepcopy(live.head)
    head.inner["gateway"] += 1
    return replace(evidence, live={**evidence.live, "vault": replace(live, head=head)})


def too_early(evidence: Evidence) -> None:
    """The timer that began the settlement was set for later than it came."""
    steps = evidence.books.steps("provider-a")
    number = next(step.s for step in steps if any(timer.set for timer in step.timers))
    timers = steps[number - 1].timers
    ident = next(timer.set for timer in timers if timer.set)
    taken = msgspec.structs.replace(steps[-1].in_, from_="timer", id=ident)
    change_step(evidence, "provider-a", len(steps), in_=taken)


def a_timer_of_nobody(evidence: Evidence) -> None:
    steps = evidence.books.steps("provider-a")
    taken = msgspec.structs.replace(steps[-1].in_, from_="timer", id="nobody")
    change_step(evidence, "provider-a", len(steps), in_=taken)


LETTER = {
    "seq": 1,
    "id": "dl_1",
    "actor": "vault",
    "why": "decide_error",
    "deaths": 0,
    "at": "2026-02-09T12:00:00.000Z",
    "error": {"type": "KeyError", "message": "no", "where": "core.py:decide:1"},
    "message": {"kind": "card.store", "body": {}},
    "raw": None,
}


def letter(evidence: Evidence, **fields: Any) -> None:
    """The vault has a dead letter, whole as it is: in its book and in its journal."""
    line = chained(msgspec.json.encode({**LETTER, **fields}), GENESIS)
    add_line(evidence, "mailboxes/dlq/vault.jsonl", line)
    books = evidence.books.steps("vault")[0].books
    change_step(evidence, "vault", 1, books=[*books, BookLine("dlq", msgspec.Raw(line))])


def set_aside(evidence: Evidence) -> None:
    letter(evidence)


def unusable(evidence: Evidence) -> Evidence:
    poisoned = replace(evidence, fired=[Fired(POISON, actor="vault")])
    letter(poisoned, message=None)
    return poisoned


def not_set_aside(evidence: Evidence) -> Evidence:
    about = evidence.books.steps("vault")[2].in_.id
    return replace(evidence, fired=[Fired(POISON, actor="vault", about=about)])


def closed_twice(evidence: Evidence) -> Evidence:
    poisoned = replace(evidence, fired=[Fired(POISON, actor="vault")])
    letter(poisoned)
    for number in (3, 4):
        taken = poisoned.books.steps("vault")[number - 1].in_
        change_step(poisoned, "vault", number, in_=msgspec.structs.replace(taken, about="dl_1"))
    return poisoned


def left_open(evidence: Evidence) -> Evidence:
    poisoned = replace(evidence, fired=[Fired(POISON, actor="vault")], closes_letters=True)
    letter(poisoned)
    return poisoned


def began_early(evidence: Evidence) -> Evidence:
    return replace(evidence, begun=[Begun("dispatcher", "deliver:1", 20, 10)])


def does_not_live(evidence: Evidence) -> Evidence:
    live = {name: one for name, one in evidence.live.items() if name != "vault"}
    return replace(evidence, live=live)


def blocked(evidence: Evidence) -> Evidence:
    return _live(evidence, "vault", blocked=True)


def raised(evidence: Evidence) -> Evidence:
    return _live(evidence, "vault", faults=(KeyError("x"),))


def _live(evidence: Evidence, name: str, **fields: Any) -> Evidence:
    changed: Live = replace(evidence.live[name], **fields)
    return replace(evidence, live={**evidence.live, name: changed})


def waits_for_ever(evidence: Evidence) -> Evidence:
    live = evidence.live["gateway"]
    head = copy.deepcopy(live.head)
    head.timers["ask:pi_1.1"] = next(iter(head.timers.values()))
    return _live(evidence, "gateway", head=head)


def parked_for_ever(evidence: Evidence) -> Evidence:
    state = copy.deepcopy(evidence.live["gateway"].state)
    state.parked["providerA pi_1.1"] = None
    return _live(evidence, "gateway", state=state)


def left_behind(evidence: Evidence) -> None:
    evidence.fs.replace("data/vault/.tokens.json.tmp2", b"")
    evidence.fs.rename("data/vault/.tokens.json.tmp2", "data/vault/.tokens.json.tmp")


def another_head(evidence: Evidence) -> Evidence:
    return replace(evidence, twin={JOURNAL: "f" * 64})


def forgetful(evidence: Evidence) -> Evidence:
    """The gateway's documents leave out what they should hold."""

    def core(name: str) -> Actor[Any]:
        actor = evidence.core(name)
        load = actor.load

        def forgets(documents: Mapping[str, bytes]) -> Any:
            state = load(documents)
            state.cards.clear()
            return state

        if name == "gateway":
            actor.load = forgets  # type: ignore[method-assign]
        return actor

    return replace(evidence, core=core)


def an_unseen_scar(evidence: Evidence) -> Evidence:
    return replace(evidence, scars=[Scarred("mailboxes/vault/gateway.jsonl", shows=True)])


def unseen_damage(evidence: Evidence) -> Evidence:
    return replace(evidence, fired=[Fired(BIT_ROT, path="data/vault/keys.json", actor="vault")])


def a_key_less(evidence: Evidence) -> None:
    """The key is gone, and a card is under it."""
    key = json.loads(evidence.fs.read(KEYS))["keys"][0]["key"]
    change_file(evidence, KEYS, f'"retired_at":null,"key":"{key}"'.encode(), GONE)


def a_key_too_many(evidence: Evidence) -> None:
    """A key was retired, and its bytes are still there."""
    change_file(evidence, KEYS, b'"retired_at":null', b'"retired_at":"2026-02-09T12:00:00.000Z"')


def an_unfinished_rotation(evidence: Evidence) -> Evidence:
    return of_the_vault(evidence, lambda state: state.rotation.live.insert(0, "k2"))


def two_cards_swapped(evidence: Evidence) -> Evidence:
    def swap(state: Any) -> None:
        one, other = state.cards
        state.cards[one], state.cards[other] = state.cards[other], state.cards[one]

    return of_the_vault(evidence, swap)


def of_the_vault(evidence: Evidence, spoil: Callable[[Any], None]) -> Evidence:
    """What the vault knows is otherwise."""
    live = evidence.live["vault"]
    state = copy.deepcopy(live.state)
    spoil(state)
    return replace(evidence, live={**evidence.live, "vault": replace(live, state=state)})


CASES: tuple[Case, ...] = (
    ("I16", a_key_less, "is under k1, which is retired", "A15"),
    ("I16", a_key_too_many, "k1 is retired", "A15"),
    ("I16", an_unfinished_rotation, "are in use", "A6 A8"),
    ("I16", two_cards_swapped, "does not open", "A6 A8"),
    ("A8", forgetful, "would start otherwise", ""),
    ("A15", unseen_damage, "verify does not see it", ""),
    ("A15", an_unseen_scar, "verify does not see it", ""),
    ("I7", a_bit, "do not match its hash", "A1 I15 A15"),
    ("I7", a_line_less, "does not follow", "A1 I8 I12 A6 A8 A15"),
    ("A7", an_old_epoch, "epoch 7 follows 1", ""),
    ("A7", back_in_time, "time goes back", ""),
    ("I8", a_head_is_gone, "was seen there and is gone", ""),
    ("I8", an_anchor_is_gone, "knows no step", ""),
    ("A1", a_message_from_nowhere, "no step of gateway sent", "A15"),
    ("A1", a_reply_from_nowhere, "no step of gateway sent", "A15"),
    ("A1", an_unposted_line, "never posted", "A3 A8 A15"),
    ("I12", taken_twice, "took message 1 where 2", "A6"),
    ("I12", never_taken, "were sent", ""),
    ("I12", taken_otherwise, "otherwise than it was sent", ""),
    ("I12", taken_twice_from_a_door, "is taken after", "A6"),
    ("A6", knows_more, "something else", "A8"),
    ("A6", stands_elsewhere, "thinks inner", ""),
    ("A10", too_early, "ms early", "A6"),
    ("A10", a_timer_of_nobody, "was not set", "A6"),
    ("A11", set_aside, "set aside dl_1", "A6 A8 A15"),
    ("I13", unusable, "neither message nor raw", "A6 A8 A15"),
    ("A11", not_set_aside, "which took it", ""),
    ("I13", closed_twice, "closed twice", "A6 A8 A15"),
    ("I13b", left_open, "dl_1 of vault is still open", "A6 A8 A15"),
    ("A16", began_early, "with 10 of 20 bytes durable", ""),
    ("I22", does_not_live, "vault does not live", ""),
    ("I22", blocked, "cannot carry out", ""),
    ("I22", raised, "raised KeyError", ""),
    ("I22b", waits_for_ever, "still waits for ask:", "A6 A8"),
    ("I22b", parked_for_ever, "is still parked", "A6 A8"),
    ("I23", left_behind, "temporary file", ""),
    ("I24", another_head, "in its twin", ""),
)
