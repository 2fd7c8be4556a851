"""A door's questions: one that its receiver died over is asked again under its own name."""

import asyncio

import msgspec
import pytest

from payrail.domain.messages import Ping
from payrail.runtime.edge import Edge, Unwatched
from payrail.runtime.sim import NoBell, SimClock, SimFs
from payrail.storage.lines import complete_lines

MAILBOX = "mailboxes/gateway/frontdoor.jsonl"


class Watched(Unwatched):
    """What the receiver's cell says."""

    def __init__(self) -> None:
        self.born, self.taken = 1, (0, 0)

    def epoch(self, receiver: str) -> int:
        return self.born

    def consumed(self, receiver: str) -> tuple[int, int]:
        return self.taken


@pytest.mark.parametrize(
    ("born", "taken", "lines"),
    [
        (2, (1, 1), ["1.1", "1.1"]),
        (2, (1, 0), ["1.1"]),
        (2, (0, 7), ["1.1"]),
        (1, (1, 1), ["1.1"]),
    ],
    ids=[
        "taken by a dead one",
        "still in its mailbox",
        "behind more lines of our last life",
        "taken by a living one",
    ],
)
async def test_a_question_that_its_receiver_died_over_is_asked_again(
    born: int, taken: tuple[int, int], lines: list[str]
):
    """Once, and only when nobody living can know of it."""
    fs, cell = SimFs(), Watched()
    edge = Edge("frontdoor", fs, SimClock(), NoBell(), ("gateway",), watch=cell)
    asking = asyncio.create_task(
        edge.ask("gateway", "ping", Ping(), correlation_id="cor_1", budget_ms=10_000)
    )
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    cell.born, cell.taken = born, taken

    assert edge.ask_again() == len(lines) - 1
    assert edge.ask_again() == 0
    await asyncio.sleep(0)
    asking.cancel()

    found = [msgspec.json.decode(line) for line in complete_lines(fs.read(MAILBOX))[0]]
    assert [line["reply_to"] for line in found] == lines
    assert [line["n"] for line in found] == list(range(1, len(lines) + 1))
