"""The rules of one turn: what is taken, in which order, and when others may see what came of it."""

import json

import pytest

from payrail.domain.messages import Outcome
from payrail.runtime.actor import (
    Message,
    Moment,
    Post,
    Reply,
    Show,
    Step,
)
from payrail.runtime.driver import Driver
from payrail.runtime.effects import Answer, Keep, Publish, Write
from payrail.runtime.effects import Post as PostEffect
from payrail.runtime.intake import World
from payrail.runtime.sim import Fault, NoBell, NoCell, SimClock, SimFs
from payrail.storage.lines import complete_lines
from tests.runtime.ruled import (
    JOURNAL,
    REPLIES,
    Ruled,
    driven,
    items,
    line,
    replies,
    steps,
)
from tests.runtime.toy import (
    Deposit,
    Toy,
    create_line,
    deposit_line,
    drive,
    feed,
    settle,
)

OUTCOME = Outcome(
    "pi_1", "pi_1.1", "authorize", "approved", "approved", "providerA", "ch_1", 1, "USD"
)


@pytest.fixture
def fs() -> SimFs:
    return SimFs()


@pytest.fixture
def clock() -> SimClock:
    return SimClock()


def test_nothing_is_told_before_it_is_synced(fs: SimFs, clock: SimClock):
    """`take` asks for one write and no more; posts, messages and replies come from `synced`, in
    that order."""
    loop = drive(fs, clock).loop
    batch = [
        *items("vault", deposit_line(1, "tok_1"), deposit_line(2, "tok_2")),
        *items("frontdoor", create_line(1, 5)),
    ]

    before = loop.take(batch, clock.now())
    after = loop.synced()

    assert [type(effect) for effect in before] == [Write]
    assert [type(effect) for effect in after] == [PostEffect, Publish, Answer]
    assert loop.synced() == []


def test_raw_bytes_are_kept_before_the_line_that_names_them(fs: SimFs, clock: SimClock):
    """The order before the fsync is: the file, then the journal."""
    feed(fs, "hand", b"garbage\n")
    driver = drive(fs, clock)

    effects = driver.loop.take(driver.intake.collect(), clock.now())

    assert [type(effect) for effect in effects] == [Keep, Write]


def test_a_batch_is_one_write_and_one_fsync(fs: SimFs, clock: SimClock):
    """Forty messages that came together cost the journal one of each, and each file a write."""
    driver = drive(fs, clock)
    feed(fs, "vault", *(deposit_line(n, f"tok_{n}") for n in range(1, 21)))
    feed(fs, "frontdoor", *(create_line(n, 5) for n in range(1, 21)))
    done = fs.calls
    assert driver.turn()

    calls = [(call.op, call.path) for call in fs.log[done:]]
    assert calls == [
        ("pwrite", JOURNAL),
        ("sync", JOURNAL),
        ("pwrite", "data/toy/deposits.jsonl"),
        ("pwrite", "mailboxes/vault/gateway.jsonl"),
        ("pwrite", REPLIES),
    ]
    assert len(steps(fs)) == 40


def test_inner_lines_go_before_edge_lines_before_people_before_timers(fs: SimFs, clock: SimClock):
    """One turn decides in this order, whatever was written first."""
    feed(fs, "vault", deposit_line(1, "tok_1"))
    driver = drive(fs, clock)
    settle(driver)
    clock.advance_ms(5000)
    feed(fs, "hand", b'{"kind":"ping"}\n')
    feed(fs, "frontdoor", create_line(1, 5))
    feed(fs, "vault", deposit_line(2, "tok_2"))
    assert driver.turn()

    assert [step.in_.from_ for step in steps(fs)[1:]] == ["vault", "frontdoor", "hand", "timer"]


def test_a_timer_waits_for_all_that_was_written_before_it_came_due(fs: SimFs, clock: SimClock):
    """Also when that is more than a turn takes: an outcome in the backlog is heard first."""
    feed(fs, "vault", deposit_line(1, "tok_1"))
    driver = drive(fs, clock)
    settle(driver)
    feed(fs, "vault", *(deposit_line(n, f"tok_{n}") for n in range(2, 200)))
    clock.advance_ms(1000)
    settle(driver)

    order = [step.in_.id for step in steps(fs)]
    assert order.index("ask:tok_1") > order.index("vault>gateway:199")


def test_a_flood_does_not_hold_timers_back_for_ever(fs: SimFs, clock: SimClock):
    """What is written after a timer came due does not go before it."""
    driver = drive(fs, clock)
    driver.intake.batch_bytes = 1024
    feed(fs, "vault", deposit_line(1, "tok_1"))
    settle(driver)
    clock.advance_ms(1000)
    for n in range(2, 60):
        feed(fs, "vault", *(deposit_line(2 * n - k, f"tok_{n}_{k}") for k in (2, 1)))
        driver.turn()

    assert driver.loop.state.rung == ["tok_1"]


def test_a_flood_from_one_sender_starves_no_other(fs: SimFs, clock: SimClock):
    """A question waits for what was written before it, not for what is written behind it."""
    driver = drive(fs, clock)
    driver.intake.batch_bytes = 1024
    feed(fs, "vault", *(deposit_line(n, f"tok_{n}") for n in range(1, 11)))
    feed(fs, "frontdoor", create_line(1, 5))
    for n in range(6, 40):
        driver.turn()
        feed(fs, "vault", *(deposit_line(2 * n - k, f"tok_{n}_{k}") for k in (1, 0)))

    order = [step.in_.from_ for step in steps(fs)]
    assert "frontdoor" in order[10:20]


def test_one_line_at_a_time_is_enough_to_get_on(fs: SimFs, clock: SimClock):
    """The smallest turn, used while a message is suspected, still takes whole lines and timers."""
    driver = drive(fs, clock)
    driver.intake.batch_bytes = 1
    feed(fs, "vault", deposit_line(1, "tok_1"), deposit_line(2, "tok_2"))
    settle(driver)
    clock.advance_ms(1000)
    settle(driver)

    assert driver.loop.state.rung == ["tok_1", "tok_2"]


def test_a_gap_is_not_taken_and_is_told(fs: SimFs, clock: SimClock):
    """What lies behind a missing line waits until its sender fills the hole."""
    driver = drive(fs, clock)
    feed(fs, "vault", deposit_line(1, "tok_1"), deposit_line(3, "tok_3"), deposit_line(4, "tok_4"))
    settle(driver)
    assert driver.loop.gaps == {"vault": 2}
    assert driver.loop.state.tokens == ["tok_1"]

    feed(fs, "vault", *(deposit_line(n, f"tok_{n}") for n in (2, 3, 4)))
    settle(driver)

    assert driver.loop.state.tokens == ["tok_1", "tok_2", "tok_3", "tok_4"]


def test_a_line_with_a_wrong_hash_is_passed_over(fs: SimFs, clock: SimClock):
    """It is as if it were missing."""
    driver = drive(fs, clock)
    feed(
        fs, "vault", deposit_line(1, "tok_1").replace(b"tok_1", b"tok_7"), deposit_line(2, "tok_2")
    )
    settle(driver)

    assert driver.loop.state.tokens == []
    assert driver.loop.gaps == {"vault": 1}


def test_a_hole_keeps_the_spool_in_its_place(fs: SimFs, clock: SimClock):
    """The reader does not claim to have drained a spool of which it still lacks a line."""
    told: list[tuple[str, int, int]] = []

    class Cell(NoCell):
        def consumed(self, sender: str, n: int, offset: int, epoch: int = 0) -> None:
            told.append((sender, n, offset))

    driver = Driver(Toy(), World(fs, clock, NoBell(), Cell()))
    feed(fs, "vault", deposit_line(1, "tok_1"), deposit_line(3, "tok_3"))
    settle(driver)
    assert ("vault", 1, 0) in told
    feed(fs, "vault", deposit_line(2, "tok_2"), deposit_line(3, "tok_3"))
    settle(driver)

    assert ("vault", 3, fs.size("mailboxes/gateway/vault.jsonl")) in told


def test_lines_in_hand_keep_their_spool_in_its_place(fs: SimFs, clock: SimClock):
    """Questions that were read, and wait for the inner lines before them, are in no journal yet:
    nobody may be told that their spool was read to its end."""
    told: list[tuple[str, int]] = []

    class Cell(NoCell):
        def consumed(self, sender: str, n: int, offset: int, epoch: int = 0) -> None:
            told.append((sender, offset))

    driver = Driver(Toy(), World(fs, clock, NoBell(), Cell()))
    driver.intake.batch_bytes = 1
    feed(fs, "vault", deposit_line(1, "tok_1"), deposit_line(2, "tok_2"))
    feed(fs, "frontdoor", create_line(1, 5))
    driver.turn()
    assert not driver.intake.holds_nothing
    assert {offset for sender, offset in told if sender == "frontdoor"} == {0}
    settle(driver)

    assert ("frontdoor", fs.size("mailboxes/gateway/frontdoor.jsonl")) in told


def test_a_turn_hears_every_sender(fs: SimFs, clock: SimClock):
    """However much one inner sender has to say, the next one is heard in the same turn."""
    driver = drive(fs, clock)
    driver.intake.batch_bytes = 1024
    feed(fs, "vault", *(deposit_line(n, f"tok_{n}") for n in range(1, 40)))
    feed(fs, "provider-a", line("outcome", OUTCOME, sender="provider-a"))
    driver.turn()

    senders = {step.in_.from_ for step in steps(fs)}
    assert {"vault", "provider-a"} <= senders
    assert len(driver.loop.state.tokens) < 39


def test_a_line_twice_is_one_message(fs: SimFs, clock: SimClock):
    """A number that was consumed is dropped without a step."""
    driver = drive(fs, clock)
    feed(fs, "vault", deposit_line(1, "tok_1"), deposit_line(1, "tok_1"), deposit_line(1, "other"))
    settle(driver)

    assert driver.loop.state.tokens == ["tok_1"]
    assert len(steps(fs)) == 1


def test_lines_of_an_edge_are_ordered_by_epoch_and_number(fs: SimFs, clock: SimClock):
    """A reborn front door counts from one again; what it says of an older life is dropped."""
    driver = drive(fs, clock)
    pairs = [(1, 1), (1, 3), (2, 1), (1, 4), (2, 1), (2, 2), (3, 1)]
    feed(fs, "frontdoor", *(create_line(n, 5, epoch) for epoch, n in pairs))
    settle(driver)

    taken = [(step.in_.epoch, step.in_.n) for step in steps(fs)]
    assert taken == [(1, 1), (1, 3), (2, 1), (2, 2), (3, 1)]
    assert all(json.loads(bytes(step.in_.line))["kind"] == "payment.create" for step in steps(fs))


def test_an_answer_that_stands_nowhere_is_lost_alone(fs: SimFs, clock: SimClock):
    """A reply that refers to a line without an answer costs its asker a wait, nobody else."""

    def rule(message: Message, moment: Moment) -> Step:
        if message.reply_to == "1.1":
            return Step(replies=[Reply("frontdoor", "1.1", stored_at=0)])
        return Step(replies=[Reply("frontdoor", message.reply_to or "", 200, {})])

    feed(fs, "frontdoor", create_line(1, 5), create_line(2, 5))
    driver = driven(Ruled(rule), fs, clock)
    settle(driver)

    assert [reply["re"] for reply in replies(fs)] == ["1.2"]
    assert [event for event, _ in driver.notes] == ["reply.lost"]


def test_an_answer_of_the_same_batch_can_be_given_again(fs: SimFs, clock: SimClock):
    """The first answer and its repetition may be decided before either is durable."""
    stored: list[int] = []

    def rule(message: Message, moment: Moment) -> Step:
        if stored:
            again = Reply("frontdoor", message.reply_to or "", stored_at=stored[0], replayed=True)
            return Step(replies=[again])
        stored.append(moment.offset)
        return Step(replies=[Reply("frontdoor", message.reply_to or "", 201, {"id": "pi_1"})])

    feed(fs, "frontdoor", create_line(1, 5), create_line(2, 5))
    assert driven(Ruled(rule), fs, clock).turn()

    first, second = replies(fs)
    assert (first["status"], first["body"]) == (second["status"], second["body"])
    assert (first["headers"], second["headers"]) == ({}, {"Idempotent-Replayed": "true"})


def test_a_book_that_cannot_be_written_holds_everything_behind_it(fs: SimFs, clock: SimClock):
    """No message and no reply overtakes the book; when there is room, each is written once."""
    driver = drive(fs, clock)
    feed(fs, "vault", deposit_line(1, "tok_1"))
    feed(fs, "frontdoor", create_line(1, 5))
    fs.faults = [
        Fault(fs.calls + 3, "error", 28, kept_bytes=40, forever=True, ops=frozenset({"pwrite"}))
    ]
    settle(driver)
    assert driver.blocked
    assert fs.size(REPLIES) == fs.size("mailboxes/vault/gateway.jsonl") == 0
    feed(fs, "vault", deposit_line(2, "tok_2"))
    assert not driver.turn()

    fs.faults = []
    settle(driver)

    assert len(complete_lines(fs.read("data/toy/deposits.jsonl"))[0]) == 2
    assert len(complete_lines(fs.read("mailboxes/vault/gateway.jsonl"))[0]) == 2
    assert len(replies(fs)) == 1


def test_a_view_is_shown_behind_the_books_and_before_anyone_is_told(fs: SimFs, clock: SimClock):
    """Of a batch the newest; while it cannot be written, no reply leaves."""

    def rule(message: Message, moment: Moment) -> Step:
        shown = Show("data/toy/view.json", {"amount": message.body.amount})
        post = Post("deposits", Deposit("tok_1", message.body.amount))
        reply = Reply(message.sender, message.reply_to or "")
        return Step(posts=[post], replies=[reply], shows=[shown])

    driver = driven(Ruled(rule), fs, clock)
    feed(fs, "frontdoor", create_line(1, 5), create_line(2, 6))
    fs.faults = [Fault(fs.calls + n, "error", 28, ops=frozenset({"rename"})) for n in range(20)]
    driver.turn()
    assert (driver.blocked, fs.exists("data/toy/view.json")) == (True, False)
    assert (len(complete_lines(fs.read("data/toy/deposits.jsonl"))[0]), fs.size(REPLIES)) == (2, 0)

    fs.faults = []
    settle(driver)

    assert json.loads(fs.read("data/toy/view.json")) == {"amount": 6}
    assert len(replies(fs)) == 2
