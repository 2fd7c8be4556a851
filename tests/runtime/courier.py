"""A second toy: it follows a book of somebody else and carries each line of it into the world.

For each line an intent stands in its journal, an errand goes out, and what came of it comes back.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from payrail.domain.messages import AskAgain
from payrail.runtime.actor import BookRead, BookSpec, Errand, Message, Moment, Step
from payrail.runtime.driver import Driver
from payrail.runtime.errands import Outcome, SimErrands
from payrail.runtime.intake import World
from payrail.runtime.ports import Clock, Fs
from payrail.runtime.sim import NoBell, NoCell
from payrail.storage.appender import Appender
from payrail.storage.lines import GENESIS, chained, complete_lines, hash_of

NEWS = "data/news.jsonl"
WORLD = "data/world.jsonl"


class Intended(Struct, tag="intended", tag_field="type"):
    word: str


class Carried(Struct, tag="carried", tag_field="type"):
    word: str


class Parcel(Struct):
    word: str


class State(Struct):
    open: list[str] = []
    carried: list[str] = []


class _Line(Struct):
    word: str


_events = msgspec.json.Decoder(Intended | Carried)


class Courier:
    """Implements payrail.runtime.actor.Actor."""

    name = "gateway"
    peers: Sequence[str] = ("frontdoor",)
    books: Mapping[str, BookSpec] = {}
    follows: Mapping[str, str] = {"news": NEWS}

    def fresh(self) -> State:
        return State([], [])

    def opened(self, state: State, moment: Moment) -> Step:
        return Step(errands=[_errand(word) for word in state.open])

    def decide(self, state: State, message: Message, moment: Moment) -> Step:
        if isinstance(message.body, BookRead):
            words = [msgspec.json.decode(line, type=_Line).word for line in message.body.lines]
            return Step(
                events=[Intended(word) for word in words],
                errands=[_errand(word) for word in words],
            )
        if isinstance(message.body, AskAgain):
            word = message.body.reference
            return Step(events=[Carried(word)] if word in state.open else [])
        raise NotImplementedError(message.kind)

    def apply(self, state: State, event: Struct) -> None:
        if isinstance(event, Intended):
            state.open.append(event.word)
        elif isinstance(event, Carried):
            state.open.remove(event.word)
            state.carried.append(event.word)

    def read_event(self, line: bytes) -> Struct:
        return _events.decode(line)

    def documents(self, state: State) -> dict[str, Any]:
        return {"data/actors/gateway/courier.json": {"state": msgspec.to_builtins(state)}}

    def load(self, documents: Mapping[str, bytes]) -> State:
        class Whole(Struct):
            state: State

        path = "data/actors/gateway/courier.json"
        return msgspec.json.decode(documents[path], type=Whole).state


def _errand(word: str) -> Errand:
    return Errand(f"carry:{word}", "carry", Parcel(word), "cor_1")


def carrying(fs: Fs) -> Callable[[Any], Outcome]:
    """The work: leave the word in the world, durably, and say so."""

    def carry(parcel: Parcel) -> Outcome:
        world = Appender(fs, WORLD)
        world.end_line()
        world.append(msgspec.json.encode(parcel) + b"\n")
        world.sync()
        world.file.close()
        return "ask.again", AskAgain("pi_1", parcel.word, 1)

    return carry


def drive(fs: Fs, clock: Clock) -> Driver[State]:
    """A driver of a fresh incarnation."""
    errands = SimErrands({"carry": carrying(fs)})
    return Driver(Courier(), World(fs, clock, NoBell(), NoCell(), errands=errands))


def news(*words: str, after: bytes = b"") -> bytes:
    """Lines of the book for these words, chained to the last line of `after`."""
    lines, _ = complete_lines(after)
    prev = hash_of(lines[-1]) if lines else GENESIS
    seq, out = len(lines), b""
    for word in words:
        seq += 1
        line = chained(b'{"seq":%d,"word":"%b"}' % (seq, word.encode()), prev)
        prev = hash_of(line)
        out += line + b"\n"
    return out


def publish(fs: Fs, *words: str) -> None:
    """Append to the book, as its owner would."""
    file = fs.open(NEWS, create=True)
    file.append(news(*words, after=file.pread(0, file.size())))
    file.sync()
    file.close()


def settle(driver: Driver[State]) -> None:
    """Turn until there is nothing left to do; bounded."""
    for _ in range(100):
        if not driver.turn():
            return
    raise AssertionError("the courier never comes to rest")


def words_in_world(fs: Fs) -> list[str]:
    """What was carried, in order, as often as it was; a torn line carried nothing."""
    data = fs.read(WORLD) if fs.exists(WORLD) else b""
    lines, _ = complete_lines(data)
    return [msgspec.json.decode(line)["word"] for line in lines if line.endswith(b"}")]
