"""Three toys at war that write to each other: a vault, the toy, a courier who follows its book.

    vault.http ──▶ vault ──▶ toy ──▶ vault, and the toy's book ──▶ courier ──▶ the world

`Town(seed)` is a `War` of them all. What its judge adds: no line between two actors is lost,
doubled or out of order, also where drained spools are moved away after every few lines; and each
line of the book is carried, and counted once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import msgspec
from msgspec import Raw, Struct

from payrail.domain.messages import CardKnown, ChargeCard, StoreCard
from payrail.runtime.actor import BookRead, BookSpec, Message, Moment, Send, Step, answer
from payrail.runtime.cellpage import read_to
from payrail.runtime.drafting import envelope_line
from payrail.runtime.errands import SimErrands
from payrail.runtime.sim import SimFs
from payrail.runtime.simlife import actor_life
from payrail.runtime.simmachine import SimMachine
from payrail.runtime.simproc import SimProcess
from payrail.runtime.turning import Habits
from payrail.storage.spool import SpoolWriter
from tests.runtime import courier
from tests.runtime.machines import TOY, settle, steps
from tests.runtime.machinewar import LINES, ROTATE_BYTES, War
from tests.runtime.toy import Toy

VAULT, COURIER, DOOR = "vault", "dispatcher", "vault.http"


class Stored(Struct, tag="stored", tag_field="type"):
    token: str


class State(Struct):
    tokens: list[str] = []


class Vault:
    """Implements payrail.runtime.actor.Actor: tells the toy of each new card once."""

    name = VAULT
    peers: Sequence[str] = (DOOR, TOY)
    books: Mapping[str, BookSpec] = {}

    def fresh(self) -> State:
        return State([])

    def opened(self, state: State, moment: Moment) -> Step:
        return Step()

    def decide(self, state: State, message: Message, moment: Moment) -> Step:
        body = message.body
        if isinstance(body, ChargeCard):
            return Step()
        assert isinstance(body, StoreCard)
        replies = answer(message, 201, {})
        if body.token in state.tokens:
            return Step(replies=replies)
        known = CardKnown(body.token, "m_001", "visa", "424242", "4242", "fp", 12, 2030)
        return Step(
            events=[Stored(body.token)], out=[Send(TOY, "card.known", known)], replies=replies
        )

    def apply(self, state: State, event: Struct) -> None:
        assert isinstance(event, Stored)
        state.tokens.append(event.token)

    def read_event(self, line: bytes) -> Struct:
        return msgspec.json.decode(line, type=Stored)

    def documents(self, state: State) -> dict[str, Any]:
        return {"data/actors/vault/toy.json": {"tokens": state.tokens}}

    def load(self, documents: Mapping[str, bytes]) -> State:
        return msgspec.json.decode(documents["data/actors/vault/toy.json"], type=State)


class _Deposit(Struct):
    token: str


class Courier(courier.Courier):
    """Carries each deposit of the toy's book."""

    name = COURIER
    follows: Mapping[str, str] = {"news": Toy.books["deposits"].path}

    def decide(self, state: courier.State, message: Message, moment: Moment) -> Step:
        if not isinstance(message.body, BookRead):
            return super().decide(state, message, moment)
        told = [msgspec.json.decode(line, type=_Deposit) for line in message.body.lines]
        lines = [b'{"word":"%b"}' % one.token.encode() for one in told]
        return super().decide(
            state, replace(message, body=BookRead(message.body.book, lines)), moment
        )

    def documents(self, state: courier.State) -> dict[str, Any]:
        return {"data/actors/dispatcher/courier.json": {"state": msgspec.to_builtins(state)}}

    def load(self, documents: Mapping[str, bytes]) -> courier.State:
        (found,) = documents.values()
        return super().load({"data/actors/gateway/courier.json": found})


class Town(War):
    """One seed of all three."""

    names = (VAULT, TOY, COURIER)
    turns = 600
    #: A failed sync of a shared folder takes names of others too, of which nobody can know: a real
    #: disk takes nothing more then.
    failing = War.failing - {"sync_folder"}

    def _built(self, habits: Habits) -> SimMachine:
        machine = SimMachine()
        add = partial(actor_life, habits=habits, rotate_bytes=ROTATE_BYTES)
        machine.add(VAULT, add(lambda _process: Vault()))
        machine.add(TOY, add(lambda _process: Toy()))
        machine.add(COURIER, add(lambda _process: Courier(), errands=_carrying))
        machine.start()
        return machine

    def _reborn(self) -> None:
        """The vault's door: in its next life it asks everything again."""
        self._epoch = getattr(self, "_epoch", 0) + 1
        self._n = 0
        self.door = SpoolWriter(
            SimFs(self.machine.disk),
            DOOR,
            VAULT,
            partial(read_to, self.machine.cells),
            rotate_bytes=ROTATE_BYTES,
        )
        for number in range(1, self.sent + 1):
            self._ask(number)

    def _send(self) -> None:
        if self.sent < LINES:
            self.sent += 1
            self._ask(self.sent)
            self.machine.bell.ring(VAULT)

    def _ask(self, number: int) -> None:
        self._n += 1
        self.door.append(_question(self._epoch, self._n, f"tok_{number:02d}") + b"\n")

    def peace(self) -> "Town":
        super().peace()
        return self

    def _settle(self) -> None:
        """A question that killed its reader too often is asked again, under a new name."""
        settle(self.machine)
        self._reborn()
        settle(self.machine)

    @property
    def lines(self) -> int:
        return len(self._known)

    @property
    def _known(self) -> list[str]:
        return list(self.machine.driver(VAULT).loop.state.tokens)

    def _judge(self) -> None:
        super()._judge()
        assert sorted(self._known) == [f"tok_{n:02d}" for n in range(1, LINES + 1)]
        self._judge_channel(VAULT, TOY)
        self._judge_channel(TOY, VAULT)
        self._judge_courier()

    def _judge_channel(self, sender: str, receiver: str) -> None:
        """What the sender's journal says that it sent is what the receiver's says that it took."""
        sent = [out for step in steps(self.machine, sender) for out in map(_place, step.out)]
        numbers = [n for to, n in sent if to == receiver]
        taken = [s.in_.n for s in steps(self.machine, receiver) if s.in_.from_ == sender]
        assert numbers == taken == list(range(1, len(taken) + 1))

    def _judge_courier(self) -> None:
        told = [line for step in steps(self.machine) for line in step.books]
        tokens = [
            msgspec.json.decode(bytes(line.line))["token"]
            for line in told
            if line.book == "deposits"
        ]
        if any(step.books for step in steps(self.machine, COURIER)):
            return  # It buried what it read: people replay that.
        state = self.machine.driver(COURIER).loop.state
        assert (sorted(state.carried), state.open) == (sorted(tokens), [])
        world = SimFs(self.machine.disk).read(courier.WORLD)
        assert all(b'"%b"' % token.encode() in world for token in tokens)


def _carrying(process: SimProcess) -> SimErrands:
    return SimErrands({"carry": courier.carrying(process.fs)})


def _place(out: Raw) -> tuple[str, int]:
    found = msgspec.json.decode(bytes(out))
    return found["to"], found["n"]


def _question(epoch: int, n: int, token: str) -> bytes:
    body = StoreCard(
        token=token,
        merchant_id="m_001",
        who="usr_1",
        origin="test",
        brand="visa",
        bin="424242",
        last4="4242",
        fingerprint="fp",
        exp_month=12,
        exp_year=2030,
        key_id="k_1",
        ciphertext="sealed",
    )
    return envelope_line(
        sender=DOOR,
        receiver=VAULT,
        n=n,
        epoch=epoch,
        step=0,
        chain="",
        kind="card.store",
        key=None,
        correlation_id="cor_1",
        causation_id=None,
        reply_to=f"{epoch}.{n}",
        sent_at_ms=0,
        deadline_ms=None,
        body=msgspec.json.encode(body),
    )
