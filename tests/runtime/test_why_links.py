"""Links of a chain: what each kind follows from, and each way in which one can be broken."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import pytest

from payrail.audit.findings import damaged
from payrail.audit.house import verify
from payrail.audit.why import Chain, explain, walk
from payrail.domain.messages import AskAgain
from payrail.runtime.actor import BookRead, BookSpec, Errand, Message, Moment, Step
from payrail.runtime.drafting import envelope_line
from payrail.runtime.driver import Driver
from payrail.runtime.edge import open_epoch
from payrail.runtime.errands import SimErrands
from payrail.runtime.intake import World
from payrail.runtime.sim import NoBell, NoCell, SimClock, SimFs
from payrail.storage.journal import decode_line, journal_bytes
from payrail.storage.lines import chained, hash_of
from tests.runtime.courier import Carried, Courier, Intended, Parcel
from tests.runtime.spoilt import BOOK, JOURNAL, SPOOL, lines_of, put
from tests.runtime.toy import Toy, deposit_line, drive, feed, settle


class Sends(Toy):
    """Sends its charges to a provider."""

    def decide(self, state: Any, message: Message, moment: Moment) -> Step:
        step = super().decide(state, message, moment)
        step.out = [msgspec.structs.replace(send, to="provider-a") for send in step.out]
        return step


class Takes(Toy):
    """A toy that knows nothing to do with what it is sent: a dead letter each."""

    name = "provider-a"
    peers: Sequence[str] = ("gateway",)
    books: Mapping[str, BookSpec] = {}


class Follows(Courier):
    """Carries each deposit into the world, in an errand named after its token."""

    name = "dispatcher"
    follows: Mapping[str, str] = {"deposits": BOOK}

    def decide(self, state: Any, message: Message, moment: Moment) -> Step:
        if not isinstance(message.body, BookRead):
            return Step(events=[Carried(message.body.reference)])
        tokens = [msgspec.json.decode(line)["token"] for line in message.body.lines]
        return Step(
            events=[Intended(token) for token in tokens],
            errands=[Errand(f"{token}:1", "carry", Parcel(token), "cor_1") for token in tokens],
        )


ACTORS: dict[str, Any] = {"gateway": Toy(), "dispatcher": Follows()}
TWO: dict[str, Any] = {"gateway": Sends(), "provider-a": Takes()}


def live(fs: SimFs, clock: SimClock, actor: Any) -> None:
    """One incarnation, from its recovery until it rests."""
    errands = SimErrands({"carry": lambda parcel: ("ask.again", AskAgain("", parcel.word, 1))})
    driver: Driver[Any] = Driver(actor, World(fs, clock, NoBell(), NoCell(), errands=errands))
    settle(driver)
    driver.write_documents()
    driver.flush()


@pytest.fixture
def house() -> SimFs:
    """Three deposits, each with its book line, its charge and its timer; and who follows them."""
    fs, clock = SimFs(), SimClock()
    open_epoch(fs, clock, "frontdoor")
    driver = drive(fs, clock)
    feed(fs, "vault", *(deposit_line(n, f"tok_{n}") for n in range(1, 4)))
    settle(driver)
    clock.advance_ms(2000)
    settle(driver)
    driver.write_documents()
    driver.flush()
    live(fs, clock, Follows())
    return fs


def told(fs: SimFs, ident: str, actors: dict[str, Any] = ACTORS, **more: Any) -> Chain:
    chain = explain(fs, actors, ident, **more)
    assert chain is not None
    return chain


def breaks(fs: SimFs, ident: str, **more: Any) -> list[tuple[str, int, str]]:
    """What is broken, but for the vault's own messages: there is no journal of a vault."""
    found = told(fs, ident, more.pop("actors", ACTORS), **more).broken
    return [(f.path, f.line, f.what) for f in found if "vault>gateway" not in f.what]


def test_a_whole_house_has_no_broken_link(house: SimFs):
    """Deposits, timers, a followed book and errands: every link is found where it must be."""
    assert [breaks(house, f"tok_{n}") for n in (1, 2, 3)] == [[], [], []]


def test_a_reader_of_a_book_follows_from_its_line_and_an_errand_from_its_step(house: SimFs):
    """Below a book line hangs the step that read it, and below that what came of its errand."""
    chain = told(house, "tok_2")
    rows = [(depth, node.actor, node.kind, node.what) for depth, node in walk(chain.nodes)]
    at = next(at for at, row in enumerate(rows) if row[2] == "record")
    depth = rows[at][0]

    assert [(row[0] - depth, row[1], row[2]) for row in rows[at : at + 3]] == [
        (0, "gateway", "record"),
        (1, "dispatcher", "step"),
        (2, "dispatcher", "step"),
    ]
    assert rows[at + 1][3] == "reads deposits up to line 3"
    assert "errand:tok_2:1" in rows[at + 2][3]


@pytest.mark.parametrize("ident", ["errand:tok_2:1", "timer:ask:tok_2:4"])
def test_an_errand_and_a_timer_have_a_chain(house: SimFs, ident: str):
    """What lines name as their cause can be asked for, and leads to the step that began it."""
    chain = told(house, ident)
    steps = [node for node in chain.nodes if node.kind == "step"]
    assert len(steps) >= 2
    assert any(node.cause in {step.id for step in steps} for node in steps)


def test_a_message_is_followed_to_whoever_took_it():
    """A message leads to its taker's step and to the dead letter that came of it; that letter's
    id leads back to the message."""
    fs, clock = SimFs(), SimClock()
    feed(fs, "vault", *(deposit_line(n, f"tok_{n}") for n in range(1, 4)))
    live(fs, clock, Sends())
    live(fs, clock, Takes())
    chain = told(fs, "gateway>provider-a:2", TWO)
    (letter,) = [node for node in chain.nodes if node.kind == "dead_letter"]

    assert (letter.actor, letter.what) == ("provider-a", "set aside: decide_error")
    assert breaks(fs, "gateway>provider-a:2", actors=TWO) == []
    assert breaks(fs, letter.id, actors=TWO) == []
    back = told(fs, letter.id, TWO)
    assert "gateway>provider-a:2" in {node.id for node in back.nodes}


def test_a_cause_that_nobody_wrote_is_named(house: SimFs):
    """A message may only name a cause that somebody took or sent."""
    line = planted("reconciler", causation_id="gateway>reconciler:99")
    house.open("mailboxes/gateway/reconciler.jsonl", create=True).append(line)

    ((path, number, what),) = breaks(house, "tok_2")
    assert (path, number) == ("mailboxes/gateway/reconciler.jsonl", 1)
    assert what == "names causation_id gateway>reconciler:99, which nobody wrote"


def planted(sender: str, causation_id: str | None) -> bytes:
    line = envelope_line(
        sender=sender,
        receiver="gateway",
        n=1,
        epoch=1,
        step=1,
        chain="",
        kind="outcome",
        key="tok_2",
        correlation_id="cor_1",
        causation_id=causation_id,
        reply_to=None,
        sent_at_ms=0,
        deadline_ms=None,
        body=b"{}",
    )
    return line + b"\n"


def test_a_message_that_no_step_sent_is_named(house: SimFs):
    """A line in an actor's own spool must stand in its journal."""
    house.open("mailboxes/gateway/dispatcher.jsonl", create=True).append(
        planted("dispatcher", None)
    )
    assert breaks(house, "tok_2") == [
        ("mailboxes/gateway/dispatcher.jsonl", 1, "no step of dispatcher sent this message")
    ]


def test_a_book_line_without_its_step_is_named(house: SimFs):
    """A line that fits into the chain of its book, and that no journal line holds."""
    lines = lines_of(house, BOOK)
    lines.append(chained(b'{"seq":4,"token":"tok_2","total":9}', hash_of(lines[-1])))
    put(house, BOOK, lines)

    assert breaks(house, "tok_2") == [(BOOK, 4, "no step of its writer wrote this line")]


def test_a_timer_that_nobody_set_is_named(house: SimFs):
    """The journal rewritten without the setting of a timer, its chain made to fit."""
    lines, prev = [], "0" * 64
    for raw in lines_of(house, JOURNAL):
        line = decode_line(raw)
        line.timers = [timer for timer in line.timers if timer.set != "ask:tok_2"]
        line.prev = prev
        lines.append(journal_bytes(line))
        prev = hash_of(lines[-1])
    put(house, JOURNAL, lines)

    told_of = [what for _, _, what in breaks(house, "tok_2")]
    assert "takes timer ask:tok_2, which no step above has set" in told_of


def test_a_moved_mailbox_is_searched_too(house: SimFs):
    """A drained file that its sender moved away still holds its messages, and is missed."""
    lines = lines_of(house, SPOOL)
    put(house, "mailboxes/vault/old/gateway.000001.000000000002.jsonl", lines[:2])
    put(house, SPOOL, lines[2:])
    assert breaks(house, "tok_1") == []
    (node,) = [node for node in told(house, "tok_1").nodes if node.id == "gateway>vault:1"]
    assert (node.file, node.line) == ("mailboxes/vault/old/gateway.000001.000000000002.jsonl", 1)

    put(house, "mailboxes/vault/old/gateway.000001.000000000002.jsonl", lines[1:2])
    assert re.match("gateway>vault:1 is missing", breaks(house, "tok_1")[0][2])


def test_a_line_about_to_appear_is_no_broken_link(house: SimFs):
    """What is there at another look was only late; what is not there then is missing."""
    whole = house.read(BOOK)
    put(house, BOOK, lines_of(house, BOOK)[:-1])
    assert [path for path, _, _ in breaks(house, "tok_3")] == [BOOK]

    assert breaks(house, "tok_3", pause=lambda: house.replace(BOOK, whole)) == []


def test_a_book_that_its_reader_remembers_otherwise_is_damage(house: SimFs):
    """`verify` compares what a follower read with what the book's writer wrote."""
    assert damaged(verify(house, ACTORS)) == []
    path = "data/actors/dispatcher/journal.jsonl"
    lines, prev = [], "0" * 64
    for raw in lines_of(house, path):
        line = decode_line(raw)
        line.in_.chain = "f" * 64 if line.in_.from_ == "book:deposits" else line.in_.chain
        line.prev = prev
        lines.append(journal_bytes(line))
        prev = hash_of(lines[-1])
    put(house, path, lines)

    found = [f.what for f in verify(house, ACTORS) if "was read here" in f.what]
    assert found == [f"line 3 is not the one that was read here, of {BOOK}"]


def test_what_came_of_an_errand_is_found_from_whoever_began_it(house: SimFs):
    """The outcome names the errand alone; it belongs to the one that it was about, and to no
    other of the same step."""
    took = [node.what for node in told(house, "tok_1").nodes if "errand:" in node.what]
    assert took == ["decides ask.again, told by errand:tok_1:1"]
