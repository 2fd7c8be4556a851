"""A toy whose rule is the test's, and what its journal, replies and letters say."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Struct

from payrail.domain.messages import CreatePayment
from payrail.runtime.actor import (
    Message,
    Moment,
    Step,
)
from payrail.runtime.admission import SpoolItem
from payrail.runtime.drafting import envelope_line
from payrail.runtime.driver import Driver
from payrail.runtime.intake import World
from payrail.runtime.recovery import journal_path
from payrail.runtime.sim import NOON_MS, NoBell, NoCell, SimClock, SimFs
from payrail.storage.journal import JournalLine, read_steps
from payrail.storage.lines import complete_lines
from tests.runtime.toy import (
    State,
    Toy,
)

JOURNAL = journal_path("gateway")
REPLIES = "mailboxes/frontdoor/gateway.jsonl"
DLQ = "mailboxes/dlq/gateway.jsonl"


class Ruled(Toy):
    """A toy whose rule for `payment.create` is the test's."""

    def __init__(self, rule: Callable[[Message, Moment], Step]) -> None:
        self._rule = rule

    def decide(self, state: State, message: Message, moment: Moment) -> Step:
        if isinstance(message.body, CreatePayment):
            return self._rule(message, moment)
        return super().decide(state, message, moment)


def driven(actor: Toy, fs: SimFs, clock: SimClock) -> Driver[State]:
    return Driver(actor, World(fs, clock, NoBell(), NoCell()))


def steps(fs: SimFs) -> list[JournalLine]:
    """Every step after the one that opened the first incarnation."""
    return [line for _, _, line in read_steps(fs.read(JOURNAL))][1:]


def replies(fs: SimFs) -> list[dict[str, Any]]:
    return [json.loads(line) for line in complete_lines(fs.read(REPLIES))[0]]


def letters(fs: SimFs) -> list[dict[str, Any]]:
    return [json.loads(line) for line in complete_lines(fs.read(DLQ))[0]]


def line(
    kind: str,
    body: Struct,
    *,
    n: int = 1,
    sender: str = "vault",
    to: str = "gateway",
    claimed: str | None = None,
    reply_to: str | None = None,
    deadline_ms: int | None = None,
) -> bytes:
    """A whole line of `sender`, which claims to be from `claimed`."""
    inner = sender not in ("frontdoor", "vault.http")
    made = envelope_line(
        sender=claimed or sender,
        receiver=to,
        n=n,
        epoch=1,
        step=n if inner else 0,
        chain="",
        kind=kind,
        key=None,
        correlation_id="cor_1",
        causation_id=None,
        reply_to=reply_to,
        sent_at_ms=NOON_MS,
        deadline_ms=deadline_ms,
        body=msgspec.json.encode(body),
    )
    return made + b"\n"


def items(sender: str, *lines: bytes) -> list[SpoolItem]:
    return [SpoolItem(sender, one.rstrip(b"\n")) for one in lines]
