"""What is refused: a line that does not fit, a question too late, a step that cannot be."""

import json
from collections.abc import Callable

import msgspec
import pytest
from msgspec import Struct

from payrail.domain.messages import (
    MESSAGE_BYTES_MAX,
    AskAgain,
    CardKnown,
    CreatePayment,
    Ping,
    ReverseHold,
)
from payrail.domain.timestamps import parse_iso
from payrail.runtime.actor import (
    Message,
    Moment,
    Post,
    Reply,
    Send,
    SetTimer,
    Step,
)
from payrail.runtime.ports import Now
from payrail.runtime.sim import NOON_MS, SimClock, SimFs
from payrail.storage.lines import sealed
from tests.runtime.ruled import (
    Ruled,
    driven,
    letters,
    line,
    replies,
    steps,
)
from tests.runtime.toy import (
    Deposit,
    create_line,
    deposit_line,
    drive,
    feed,
    settle,
)

BACK_MS = 120_000


@pytest.fixture
def fs() -> SimFs:
    return SimFs()


@pytest.fixture
def clock() -> SimClock:
    return SimClock()


CARD = CardKnown("tok_1", "m_001", "visa", "424242", "4242", "fp", 12, 2030)
BAD: dict[str, tuple[str, bytes]] = {
    "unknown kind": ("unknown_kind", line("no.such", CARD)),
    "a kind of another sender": ("sender", line("outcome", CARD)),
    "another sender's name": ("sender", line("card.known", CARD, claimed="provider-a")),
    "another receiver": ("sender", line("card.known", CARD, to="provider-a")),
    "a wrong body": ("schema", line("card.known", Ping("x"))),
    "a deadline that is no time": (
        "schema",
        line("card.known", CARD, deadline_ms=NOON_MS),
    ),
    "too large": ("too_large", line("card.known", Ping("x" * MESSAGE_BYTES_MAX * 2))),
    "far too large": ("too_large", line("card.known", Ping("x" * 600_000))),
}


@pytest.mark.parametrize("name", BAD)
def test_a_line_that_does_not_fit_is_a_dead_letter(name: str, fs: SimFs, clock: SimClock):
    """It is consumed with its number, so that the next one is taken."""
    why, bad = BAD[name]
    if "deadline" in name:
        bad = _with_deadline(bad, "yesterday")
    driver = drive(fs, clock)
    feed(fs, "vault", bad, deposit_line(2, "tok_2"))
    settle(driver)

    (letter,) = letters(fs)
    assert letter["why"] == why
    assert driver.loop.state.tokens == ["tok_2"]
    kept = fs.read(letter["raw"]) if letter["raw"] else None
    assert kept == bad.rstrip(b"\n") or letter["message"]["n"] == 1


def test_a_question_that_is_too_large_is_answered(fs: SimFs, clock: SimClock):
    """The journal could not hold its line: the bytes are kept beside it, the asker hears of it."""
    question = line("payment.create", Ping("x" * 300_000), sender="frontdoor", reply_to="1.1")
    driver = drive(fs, clock)
    feed(fs, "frontdoor", question, create_line(2, 5))
    settle(driver)

    assert [(reply["re"], reply["status"]) for reply in replies(fs)] == [("1.1", 500), ("1.2", 201)]
    assert fs.read(letters(fs)[0]["raw"]) == question.rstrip(b"\n")


def test_a_question_past_its_deadline_is_not_started(fs: SimFs, clock: SimClock):
    """Its asker gets 504 and may ask again; the rule never sees it."""
    seen: list[str] = []

    def rule(message: Message, moment: Moment) -> Step:
        seen.append(message.id)
        return Step()

    body = CreatePayment(amount=5, currency="USD", payment_method="tok_1", merchant_id="m_001")
    late = line("payment.create", body, sender="frontdoor", reply_to="1.1", deadline_ms=NOON_MS - 1)
    feed(fs, "frontdoor", late)
    settle(driven(Ruled(rule), fs, clock))

    (reply,) = replies(fs)
    assert (reply["status"], reply["body"]["retryable"]) == (504, True)
    assert seen == []


class SetBack(SimClock):
    """The clock of a machine that was set back by two minutes."""

    def now(self) -> Now:
        now = super().now()
        return msgspec.structs.replace(now, wall_ms=now.wire_ms - BACK_MS)


CREATE = CreatePayment(amount=5, currency="USD", payment_method="tok_1", merchant_id="m_001")


@pytest.mark.parametrize("reply_to", ["1.1", None])
def test_a_rule_sees_deadlines_on_its_own_clock(fs: SimFs, reply_to: str | None):
    """Whoever sent it to one whose wall clock was set back gives it as long as ever: what is left
    of its time is the same in wire time, which did not go back."""
    left: list[int] = []

    def rule(message: Message, moment: Moment) -> Step:
        left.append((message.deadline_ms or 0) - moment.wire_ms)
        return Step()

    until_ms = NOON_MS - BACK_MS + 4_000
    asked = line(
        "payment.create", CREATE, sender="frontdoor", reply_to=reply_to, deadline_ms=until_ms
    )
    feed(fs, "frontdoor", asked)
    settle(driven(Ruled(rule), fs, SetBack()))

    assert left == [4_000]


def test_a_deadline_travels_in_the_time_that_processes_share(fs: SimFs):
    """One whose clock is held ahead, since the machine's was set back, gives its receivers no
    minutes more than one that was born since."""

    def rule(message: Message, moment: Moment) -> Step:
        reverse = ReverseHold("pi_1", "pi_1.1.r", "m_001", "pi_1.1", 5, "USD", "op_1")
        until_ms = moment.wire_ms + 4_000
        return Step(out=[Send("provider-a", "reverse", reverse, "pi_1", until_ms)])

    feed(fs, "frontdoor", line("payment.create", CREATE, sender="frontdoor", reply_to="1.1"))
    settle(driven(Ruled(rule), fs, SetBack()))

    sent = json.loads(bytes(steps(fs)[0].out[0]))
    assert parse_iso(sent["deadline"]) == NOON_MS - BACK_MS + 4_000


def test_a_refusal_is_a_reply_and_no_fault(fs: SimFs, clock: SimClock):
    """Problem fields with the correlation id; no event, no book line, no dead letter."""
    driver = drive(fs, clock)
    feed(fs, "frontdoor", create_line(1, 13))
    settle(driver)

    (step,) = steps(fs)
    (reply,) = replies(fs)
    assert (step.events, step.books, step.out) == ([], [], [])
    assert (reply["status"], reply["body"]["code"]) == (422, "validation-error")
    assert reply["body"]["correlation_id"] == "cor_1"
    assert letters(fs) == []
    assert driver.loop.faults == []


class Odd(Struct):
    what: object


def _to_nobody(message: Message, moment: Moment) -> Step:
    return Step(out=[Send("nobody", "ping", Ping())])


def _reply_to_nobody(message: Message, moment: Moment) -> Step:
    return Step(replies=[Reply("nobody", "1", 200, {})])


def _no_such_book(message: Message, moment: Moment) -> Step:
    return Step(posts=[Post("no such book", Deposit("tok_1", 1))])


def _no_such_kind(message: Message, moment: Moment) -> Step:
    return Step(out=[Send("vault", "no.such", Ping())])


def _too_much(message: Message, moment: Moment) -> Step:
    return Step(replies=[Reply("frontdoor", "1.1", 200, "x" * 300_000)])


def _no_json(message: Message, moment: Moment) -> Step:
    return Step(replies=[Reply("frontdoor", "1.1", 200, Odd(object()))])


def _no_time_of_ours(message: Message, moment: Moment) -> Step:
    return Step(timers=[SetTimer("t", "ask.again", AskAgain("p", "r", 1), 10**18)])


def _raises(message: Message, moment: Moment) -> Step:
    raise KeyError("nothing")


@pytest.mark.parametrize(
    "rule",
    [
        _to_nobody,
        _reply_to_nobody,
        _no_such_book,
        _no_such_kind,
        _too_much,
        _no_json,
        _no_time_of_ours,
        _raises,
    ],
)
def test_a_step_that_cannot_be_is_a_dead_letter(
    rule: Callable[[Message, Moment], Step], fs: SimFs, clock: SimClock
):
    """Whatever a rule does wrong, the actor lives, the asker gets 500, and it stays so."""
    feed(fs, "frontdoor", create_line(1, 5))
    feed(fs, "vault", deposit_line(1, "tok_1"))
    driver = driven(Ruled(rule), fs, clock)
    settle(driver)

    (reply,) = replies(fs)
    assert (reply["status"], reply["body"]["correlation_id"]) == (500, "cor_1")
    assert [letter["why"] for letter in letters(fs)] == ["decide_error"]
    assert drive(fs.reopen(), clock).loop.state.tokens == ["tok_1"]


def _with_deadline(line: bytes, deadline: str) -> bytes:
    whole = json.loads(line)
    del whole["hash"]
    return sealed(json.dumps({**whole, "deadline": deadline}).encode()) + b"\n"
