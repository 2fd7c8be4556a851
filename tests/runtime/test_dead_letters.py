"""Dead letters: nothing waits behind what cannot be handled, and people decide about it."""

import json
from typing import Any

import pytest

from payrail.domain.messages import AskAgain, CreatePayment
from payrail.runtime.actor import Message, Moment, SetTimer, Step
from payrail.runtime.driver import Driver
from payrail.runtime.intake import World
from payrail.runtime.recovery import journal_path
from payrail.runtime.sim import NoBell, NoCell, SimClock, SimCrash, SimFs
from payrail.storage.journal import read_steps
from payrail.storage.lines import complete_lines, sealed
from tests.runtime.toy import (
    State,
    Toy,
    create_line,
    deposit_line,
    drive,
    feed,
    settle,
)

DLQ = "mailboxes/dlq/gateway.jsonl"
REPLIES = "mailboxes/frontdoor/gateway.jsonl"
ASK = AskAgain("pi_1", "tok_1", 1)


@pytest.fixture
def fs() -> SimFs:
    return SimFs()


@pytest.fixture
def clock() -> SimClock:
    return SimClock()


class Mendable(Toy):
    """A toy whose rule for 666 is mended by its next release."""

    is_mended = False

    def decide(self, state: State, message: Message, moment: Moment) -> Step:
        if isinstance(message.body, CreatePayment) and message.body.amount == 666:
            if not self.is_mended:
                raise ZeroDivisionError("a rule failed")
            timer = SetTimer("late", "ask.again", ASK, moment.wire_ms + 60_000)
            return Step(timers=[timer])
        return super().decide(state, message, moment)


class Killer(Toy):
    """A toy that dies of one message, as of a broken library."""

    def decide(self, state: State, message: Message, moment: Moment) -> Step:
        if isinstance(message.body, CreatePayment) and message.body.amount == 666:
            raise SimCrash
        return super().decide(state, message, moment)


def driven(actor: Toy, fs: SimFs, clock: SimClock, **more: Any) -> tuple[Driver[State], NoCell]:
    cell = NoCell()
    return Driver(actor, World(fs, clock, NoBell(), cell), **more), cell


def letters(fs: SimFs) -> list[dict[str, Any]]:
    return [json.loads(line) for line in complete_lines(fs.read(DLQ))[0]]


def replies(fs: SimFs) -> list[dict[str, Any]]:
    return [json.loads(line) for line in complete_lines(fs.read(REPLIES))[0]]


def steps_of(fs: SimFs, kind: str) -> list[Any]:
    lines = [line for _, _, line in read_steps(fs.read(journal_path("gateway")))]
    return [line for line in lines if line.in_.kind == kind]


def by_hand(fs: SimFs, driver: Driver[State], kind: str, dead_id: str) -> None:
    feed(fs, "hand", json.dumps({"kind": kind, "body": {"id": dead_id}}).encode() + b"\n")
    settle(driver)


def test_a_rule_that_raises_makes_a_letter_and_harms_nobody_else(fs: SimFs, clock: SimClock):
    """The asker gets 500 with its correlation id; the messages around it are handled."""
    feed(fs, "vault", deposit_line(1, "tok_1"), deposit_line(2, "tok_2"))
    feed(fs, "frontdoor", create_line(1, 5), create_line(2, 666), create_line(3, 5))
    driver = drive(fs, clock)
    settle(driver)

    (letter,) = letters(fs)
    assert letter["why"] == "decide_error"
    assert letter["error"]["type"] == "ZeroDivisionError"
    assert letter["message"]["n"] == 2
    assert [reply["status"] for reply in replies(fs)] == [201, 500, 201]
    assert replies(fs)[1]["body"]["correlation_id"] == "cor_1"
    assert driver.loop.state.tokens == ["tok_1", "tok_2"]
    assert [type(fault) for fault in driver.loop.faults] == [ZeroDivisionError]


def test_a_message_that_kills_is_set_aside_at_last(fs: SimFs, clock: SimClock):
    """Marked as in flight before it is decided; then a letter without deciding, others pass."""
    feed(fs, "frontdoor", create_line(1, 5), create_line(2, 666), create_line(3, 5))
    driver, cell = driven(Killer(), fs, clock)
    with pytest.raises(SimCrash):
        settle(driver)
    suspect = cell.marked[-1]
    assert suspect == "frontdoor>gateway:1.2"

    fs = fs.reopen()
    reborn, cell = driven(Killer(), fs, clock, poisoned=frozenset({suspect}), deaths=3)
    settle(reborn)

    (letter,) = letters(fs)
    assert (letter["why"], letter["deaths"], letter["message"]["id"]) == ("crash_loop", 3, suspect)
    assert [(r["re"], r["status"]) for r in replies(fs)] == [
        ("1.1", 201),
        ("1.2", 500),
        ("1.3", 201),
    ]
    assert suspect not in cell.marked


def test_a_message_is_marked_while_it_is_decided_and_never_else(fs: SimFs, clock: SimClock):
    """Its id before, nothing after: a death in between names its killer, any other names nobody."""
    feed(fs, "frontdoor", create_line(1, 5), create_line(2, 666), create_line(3, 13))
    driver, cell = driven(Toy(), fs, clock)
    settle(driver)

    ids = [f"frontdoor>gateway:1.{n}" for n in (1, 2, 3)]
    assert cell.marked == [mark for one in ids for mark in (one, None)]


def test_a_letter_is_replayed_once(fs: SimFs, clock: SimClock):
    """The mended rule decides the original; a second replay finds nothing open."""
    feed(fs, "frontdoor", create_line(1, 666))
    actor = Mendable()
    driver, _ = driven(actor, fs, clock)
    settle(driver)
    actor.is_mended = True
    dead_id = letters(fs)[0]["id"]

    by_hand(fs, driver, "dlq.replay", dead_id)
    by_hand(fs, driver, "dlq.replay", dead_id)

    first, second = steps_of(fs, "dlq.replay")
    assert [timer.set for timer in first.timers] == ["late"]
    assert first.in_.about == dead_id
    assert (second.timers, second.in_.about) == ([], "")
    assert driver.loop.head.dead == {}
    assert len(letters(fs)) == 1


def test_a_replay_that_fails_again_leaves_the_letter_open(fs: SimFs, clock: SimClock):
    """No second letter about the replay: the first one can be replayed when the rule is mended."""
    feed(fs, "frontdoor", create_line(1, 666))
    actor = Mendable()
    driver, _ = driven(actor, fs, clock)
    settle(driver)
    dead_id = letters(fs)[0]["id"]

    by_hand(fs, driver, "dlq.replay", dead_id)

    assert len(letters(fs)) == 1
    assert list(driver.loop.head.dead) == [dead_id]
    assert len(driver.loop.faults) == 2
    actor.is_mended = True
    by_hand(fs, driver, "dlq.replay", dead_id)
    assert driver.loop.head.dead == {}


def test_a_letter_is_dropped_for_good(fs: SimFs, clock: SimClock):
    """Dropped, it cannot be replayed, also not after a restart; dropping twice is harmless."""
    feed(fs, "frontdoor", create_line(1, 666))
    actor = Mendable()
    driver, _ = driven(actor, fs, clock)
    settle(driver)
    actor.is_mended = True
    dead_id = letters(fs)[0]["id"]

    by_hand(fs, driver, "dlq.drop", dead_id)
    by_hand(fs, driver, "dlq.drop", dead_id)
    reborn, _ = driven(actor, fs.reopen(), clock)
    by_hand(reborn.world.fs, reborn, "dlq.replay", dead_id)  # type: ignore[arg-type]

    assert "late" not in reborn.loop.head.timers
    assert reborn.loop.head.dead == {}


@pytest.mark.parametrize("kind", ["dlq.replay", "dlq.drop"])
def test_an_unknown_letter_is_no_matter(kind: str, fs: SimFs, clock: SimClock):
    """Nothing happens, and nothing is set aside for it."""
    driver = drive(fs, clock)
    by_hand(fs, driver, kind, "dl_nobody")

    assert len(steps_of(fs, kind)) == 1
    assert letters(fs) == []


def test_a_letter_without_a_message_cannot_be_replayed(fs: SimFs, clock: SimClock):
    """Garbage has its bytes kept, and stays open until it is dropped."""
    feed(fs, "hand", b"garbage\n")
    driver = drive(fs, clock)
    settle(driver)
    dead_id = letters(fs)[0]["id"]

    by_hand(fs, driver, "dlq.replay", dead_id)
    assert list(driver.loop.head.dead) == [dead_id]
    by_hand(fs, driver, "dlq.drop", dead_id)

    assert driver.loop.head.dead == {}
    assert len(letters(fs)) == 1


def test_a_message_that_still_does_not_fit_stays_set_aside(fs: SimFs, clock: SimClock):
    """Replaying a letter of the wrong shape makes no further letters."""
    line = _reshaped(create_line(1, 5), "amount", '"five"')
    feed(fs, "frontdoor", line)
    driver = drive(fs, clock)
    settle(driver)
    (letter,) = letters(fs)
    assert letter["why"] == "schema"

    by_hand(fs, driver, "dlq.replay", letter["id"])

    assert len(letters(fs)) == 1
    assert list(driver.loop.head.dead) == [letter["id"]]


def test_a_replay_works_after_a_restart_from_a_snapshot(fs: SimFs, clock: SimClock):
    """Where the letter stands in its book is part of the snapshot."""
    feed(fs, "frontdoor", create_line(1, 666))
    actor = Mendable()
    driver, _ = driven(actor, fs, clock)
    settle(driver)
    driver.write_documents()
    actor.is_mended = True
    fs = fs.reopen()
    reborn, _ = driven(actor, fs, clock)
    assert reborn.found.from_documents

    by_hand(fs, reborn, "dlq.replay", letters(fs)[0]["id"])

    assert "late" in reborn.loop.head.timers


def _reshaped(line: bytes, field: str, value: str) -> bytes:
    """The same line with another value in its body, hashed anew."""
    whole = json.loads(line)
    del whole["hash"]
    whole["body"][field] = json.loads(value)
    return sealed(json.dumps(whole, separators=(",", ":")).encode()) + b"\n"
