"""A toy actor for tests of the runtime: a vault that knows one trick.

It takes `card.known` lines as deposits, counts them in a book, answers `payment.create` of the
front door, passes `card.charge` on as `charge`, and sets a timer for each deposit.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from payrail.domain.messages import AskAgain, CardKnown, ChargeCard, CreatePayment, Outcome
from payrail.errors import LineDamaged, RequestError
from payrail.runtime.actor import BookSpec, Message, Moment, Post, Reply, Send, SetTimer, Step
from payrail.runtime.drafting import envelope_line
from payrail.runtime.driver import Driver
from payrail.runtime.intake import World
from payrail.runtime.ports import Clock, Fs
from payrail.runtime.sim import NoBell, NoCell


class Counted(Struct, tag="counted", tag_field="type"):
    token: str


class Rung(Struct, tag="rung", tag_field="type"):
    reference: str


class Deposit(Struct):
    token: str
    total: int


class State(Struct):
    tokens: list[str] = []
    total: int = 0
    rung: list[str] = []


_events = msgspec.json.Decoder(Counted | Rung)


class Toy:
    """Implements payrail.runtime.actor.Actor."""

    name = "gateway"
    peers: Sequence[str] = ("frontdoor", "vault", "provider-a")
    books: Mapping[str, BookSpec] = {
        "deposits": BookSpec("data/toy/deposits.jsonl", msgspec.json.Decoder(Deposit).decode, "d")
    }

    def fresh(self) -> State:
        return State([], 0, [])

    def opened(self, state: State, moment: Moment) -> Step:
        del state, moment
        return Step()

    def decide(self, state: State, message: Message, moment: Moment) -> Step:
        body = message.body
        if isinstance(body, CardKnown):
            return self._deposit(state, body, moment)
        if isinstance(body, AskAgain):
            return Step(events=[Rung(body.reference)])
        if isinstance(body, CreatePayment):
            if body.amount == 13:
                raise RequestError(422, "validation-error", "thirteen")
            if body.amount == 666:
                raise ZeroDivisionError("a rule failed")
            reply = Reply(message.sender, message.reply_to or "", 201, {"total": state.total})
            return Step(replies=[reply])
        if isinstance(body, Outcome):
            return Step()
        raise NotImplementedError(message.kind)

    def _deposit(self, state: State, body: CardKnown, moment: Moment) -> Step:
        charge = ChargeCard(
            body.token, "m_001", "pi_1", f"pi_1.{moment.step}", "providerA", 1, "USD"
        )
        ask = AskAgain("pi_1", body.token, 1)
        return Step(
            events=[Counted(body.token)],
            posts=[Post("deposits", Deposit(body.token, state.total + 1))],
            out=[Send("vault", "card.charge", charge, key="pi_1")],
            timers=[SetTimer(f"ask:{body.token}", "ask.again", ask, moment.wire_ms + 1000)],
        )

    def apply(self, state: State, event: Struct) -> None:
        if isinstance(event, Counted):
            state.tokens.append(event.token)
        elif isinstance(event, Deposit):
            state.total = event.total
        elif isinstance(event, Rung):
            state.rung.append(event.reference)

    def read_event(self, line: bytes) -> Struct:
        try:
            return _events.decode(line)
        except msgspec.MsgspecError as error:
            raise LineDamaged(str(error)) from error

    def documents(self, state: State) -> dict[str, Any]:
        return {"data/actors/gateway/toy.json": {"state": msgspec.to_builtins(state)}}

    def load(self, documents: Mapping[str, bytes]) -> State:
        class Whole(Struct):
            state: State

        return msgspec.json.decode(documents["data/actors/gateway/toy.json"], type=Whole).state


def drive(fs: Fs, clock: Clock, **more: Any) -> Driver[State]:
    """A driver of a fresh incarnation of the toy."""
    return Driver(Toy(), World(fs, clock, NoBell(), NoCell()), **more)


def deposit_line(n: int, token: str, sender: str = "vault", at_ms: int = 0) -> bytes:
    """One `card.known` line from the vault, with its newline."""
    body = CardKnown(token, "m_001", "visa", "424242", "4242", "fp", 12, 2030)
    return _line(sender, n, 1, n, "card.known", msgspec.json.encode(body), None, at_ms)


def create_line(n: int, amount: int, epoch: int = 1, at_ms: int = 0) -> bytes:
    """One `payment.create` line from the front door, with its newline."""
    body = CreatePayment(amount=amount, currency="USD", payment_method="tok_1", merchant_id="m_001")
    return _line(
        "frontdoor", n, epoch, 0, "payment.create", msgspec.json.encode(body), f"{epoch}.{n}", at_ms
    )


def _line(
    sender: str,
    n: int,
    epoch: int,
    step: int,
    kind: str,
    body: bytes,
    reply_to: str | None,
    at_ms: int,
) -> bytes:
    line = envelope_line(
        sender=sender,
        receiver="gateway",
        n=n,
        epoch=epoch,
        step=step,
        chain="0" * 64 if step else "",
        kind=kind,
        key="pi_1",
        correlation_id="cor_1",
        causation_id=None,
        reply_to=reply_to,
        sent_at_ms=at_ms,
        deadline_ms=None,
        body=body,
    )
    return line + b"\n"


def feed(fs: Fs, sender: str, *lines: bytes) -> None:
    """Append lines to a spool of the toy, as its sender would."""
    file = fs.open(f"mailboxes/gateway/{sender}.jsonl", create=True)
    for line in lines:
        file.append(line)
    file.close()


def settle(driver: Driver[State]) -> None:
    """Turn until there is nothing left to do; bounded."""
    for _ in range(100):
        if not driver.turn():
            return
    raise AssertionError("the toy never comes to rest")
