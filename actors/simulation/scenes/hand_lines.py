"""What people append to a mailbox by hand, and what they do with dead letters: once, whoever dies.

A rule of this gateway fails for one payment until people put in a release that does not.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from actors.simulation import orders
from actors.simulation.crashes import TOKEN, Act, Scene, card
from actors.simulation.evidence import BAD_LINE, POISON, Fired
from actors.simulation.house import SimHouse
from actors.simulation.scenes.payments import HELD, held, the_payment
from payrail.domain.messages import CreatePayment
from payrail.runtime.actor import Actor, Message, Moment, Step
from payrail.storage.lines import complete_lines

HAND = "mailboxes/gateway/hand.jsonl"
LETTERS = "mailboxes/dlq/gateway.jsonl"
POISONED = "k_poisoned"
GARBAGE = b'{"kind": "payment.cancel", \xff\n'


class Fragile:
    """The gateway, but a rule of its fails for one payment."""

    def __init__(self, inner: Actor[Any]) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def decide(self, state: Any, message: Message, moment: Moment) -> Step:
        body = message.body
        if isinstance(body, CreatePayment) and body.idempotency_key == POISONED:
            raise ZeroDivisionError("a rule that fails")
        return self._inner.decide(state, message, moment)


class SpoiltHouse(SimHouse):
    """People write by hand here, and some of it is no message."""

    fired: Sequence[Fired] = (Fired(BAD_LINE, actor="gateway"),)


class FragileHouse(SimHouse):
    """The rule fails as long as `is_fragile`: in a copy of this house it is mended."""

    fired: Sequence[Fired] = (Fired(POISON, actor="gateway", about=POISONED),)
    is_fragile = False

    def core(self, name: str) -> Actor[Any]:
        core = super().core(name)
        return Fragile(core) if name == "gateway" and self.is_fragile else core


def write(house: SimHouse, *lines: bytes) -> None:
    """Append to the gateway's hand file, as `echo` does."""
    file = house.fs.open(HAND, create=True)
    file.append(b"".join(lines))
    file.close()


def order(kind: str, **body: Any) -> bytes:
    return msgspec.json.encode({"kind": kind, "body": body}) + b"\n"


def cancel_by_hand(house: SimHouse) -> None:
    """A ping, bytes that are no message, and an order; the last line has no end yet."""
    cancel = order("payment.cancel", id=the_payment(house))
    write(house, order("ping", note="by hand"), GARBAGE, cancel, b'{"kind":"pi')
    house.run()


def written_in_two_parts(house: SimHouse) -> None:
    """A line that gets its end later, when others were read."""
    cancel = order("payment.cancel", id=the_payment(house))
    write(house, order("ping", note="first"), cancel[:20])
    house.run()
    write(house, cancel[20:])
    house.run()


def replaced_by_an_editor(house: SimHouse) -> None:
    """What was read stands in another file now, with one line more."""
    write(house, order("ping", note="first"))
    house.run()
    cancel = order("payment.cancel", id=the_payment(house))
    house.fs.replace(HAND, house.fs.read(HAND) + cancel)
    house.run()


def set_aside(house: SimHouse) -> None:
    """A payment that the rule failed for is a dead letter; then the rule is mended."""
    card(house)
    fragile(house, is_fragile=True)
    status, _ = house.say(orders.create(TOKEN, POISONED), "q")
    assert status == 500
    fragile(house, is_fragile=False)


def fragile(house: SimHouse, *, is_fragile: bool) -> None:
    assert isinstance(house, FragileHouse)
    house.is_fragile = is_fragile
    house.start("gateway")


def twice(kind: str) -> Act:
    """The same order about the one dead letter, two times."""

    def story(house: SimHouse) -> None:
        (letter,) = house.lines(LETTERS)
        write(house, order(kind, id=letter["id"]), order(kind, id=letter["id"]))
        house.run()

    return story


def taken_by_hand(house: SimHouse) -> list[str]:
    """Kinds of the lines by hand that the gateway has taken."""
    steps = [step["in"] for step in house.lines("data/actors/gateway/journal.jsonl")]
    return [taken["kind"] for taken in steps if taken["from"] == "hand"]


def whole_lines(house: SimHouse) -> list[str]:
    """Kinds of the lines that stand in the file; empty for what is no message."""
    data, found = house.bytes_of(HAND), []
    for line in complete_lines(data)[0]:
        try:
            found.append(str(msgspec.json.decode(line)["kind"]))
        except (msgspec.MsgspecError, UnicodeDecodeError):
            found.append("")
    return found


def each_once(house: SimHouse) -> None:
    """Each line that people came to write was taken once, in order, and did its work once."""
    kinds = whole_lines(house)
    assert taken_by_hand(house) == kinds
    reversal = ["payment.reversal_requested", "payment.reversed"]
    expected = [*HELD, *(reversal if "payment.cancel" in kinds else [])]
    assert house.types(the_payment(house)) == expected
    letters = kinds.count("")
    assert len(house.lines(LETTERS)) == letters
    raw = [path for path in house.disk.names if path.startswith("mailboxes/dlq/raw/")]
    assert [house.fs.read(path) for path in raw] == [GARBAGE[:-1]] * letters


def made_once(house: SimHouse) -> None:
    """The letter is closed, unless the power took the lines before anybody read them; the payment
    was made once, by the replay or by its merchant."""
    kinds = whole_lines(house)
    assert taken_by_hand(house) == kinds
    assert len(house.lines(LETTERS)) == 1
    assert (house.drivers["gateway"].loop.head.dead == {}) == bool(kinds)
    assert [e["type"] for e in house.entries] == ["payment.created"]


SCENES = (
    Scene("lines by hand", held, cancel_by_hand, each_once, house=SpoiltHouse),
    Scene("a line in two parts", held, written_in_two_parts, each_once),
    Scene("an editor's file", held, replaced_by_an_editor, each_once),
    Scene(
        "letter replayed twice",
        set_aside,
        twice("dlq.replay"),
        made_once,
        house=FragileHouse,
    ),
    Scene(
        "letter dropped twice",
        set_aside,
        twice("dlq.drop"),
        made_once,
        house=FragileHouse,
    ),
)
