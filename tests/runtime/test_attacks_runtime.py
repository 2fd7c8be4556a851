"""What an attacker, a full disk or a restored backup tries on the runtime, and what it gets."""

import asyncio
import errno
from pathlib import Path

import pytest

from payrail.domain.messages import Ping
from payrail.errors import Behind, LineDamaged, RequestError
from payrail.runtime.actor import Message
from payrail.runtime.cells import CellWriter
from payrail.runtime.deadletters import again
from payrail.runtime.edge import Edge
from payrail.runtime.locks import Lock
from payrail.runtime.sim import Call, Fault, SimClock, SimFs
from payrail.storage.lines import complete_lines, encode, is_whole, sealed
from payrail.storage.spool import SpoolReader, last_epoch, last_sent, spool_path

PATH = spool_path("gateway", "frontdoor")


class FullDisk:
    """While it is full, of each write to the spool `kept_bytes` land, then it fails."""

    def __init__(self) -> None:
        self.is_full, self.kept_bytes = False, 0

    def __call__(self, call: Call) -> Fault | None:
        if not self.is_full or call.path != PATH or not call.size_bytes:
            return None
        return Fault(call.n, "error", errno.ENOSPC, self.kept_bytes)


class NoBell:
    def ring(self, receiver: str) -> None: ...


def edge_on(fs: SimFs) -> Edge:
    return Edge("frontdoor", fs, SimClock(), NoBell(), ("gateway",))


async def ask(edge: Edge, budget_ms: int = 10_000) -> int:
    """The status of a question, which nobody answers."""
    try:
        await edge.ask("gateway", "ping", Ping(), correlation_id="cor_1", budget_ms=budget_ms)
    except RequestError as refusal:
        return refusal.status
    return 200


def asked(fs: SimFs) -> list[bytes]:
    """What the receiver can read as questions."""
    lines, _ = complete_lines(fs.read(PATH))
    return [line for line in lines if is_whole(line)]


# A full disk.


async def test_a_full_disk_says_nothing_about_questions_that_were_written_before():
    """503 promises that nothing was written: a question that lies in the mailbox goes on waiting,
    and only the one that could not be written is told so."""
    disk = FullDisk()
    fs = SimFs(faults=disk)
    edge = edge_on(fs)
    first = asyncio.create_task(ask(edge, budget_ms=200))
    await asyncio.sleep(0.01)
    disk.is_full = True
    assert await ask(edge) == 503
    assert not first.done()
    assert await first == 504
    assert len(asked(fs)) == 1


async def test_lines_that_landed_before_the_disk_was_full_may_still_happen():
    """Two questions of one write, of which the first landed whole: neither is told that nothing
    was written, and what was read is never written over."""
    disk = FullDisk()
    fs = SimFs(faults=disk)
    edge = edge_on(fs)
    await ask(edge, budget_ms=20)
    disk.is_full, disk.kept_bytes = True, fs.size(PATH) + 9
    statuses = await asyncio.gather(ask(edge), ask(edge))
    assert list(statuses) == [504, 504]
    reader = SpoolReader(fs, "gateway", "frontdoor")
    before = reader.read(65_536)
    assert len(before) == 2
    disk.is_full = False
    assert await ask(edge, budget_ms=20) == 504
    assert [is_whole(line) for line in reader.read(65_536)] == [False, True]
    assert len(asked(fs)) == 3


# A restored backup.


async def test_an_edge_whose_journal_was_restored_does_not_use_an_epoch_again():
    """Under a used epoch its lines would pass for old ones, and late replies for new ones."""
    fs = SimFs()
    for _ in range(3):
        await ask(edge_on(fs), budget_ms=1)
    fs.unlink("data/actors/frontdoor/journal.jsonl")
    with pytest.raises(Behind, match="of our epoch 3, we know of 0"):
        edge_on(fs)


async def test_a_line_of_an_epoch_to_come_halts_its_edge():
    """Somebody put it there: its receiver takes it, and then nothing of ours any more."""
    fs = SimFs()
    edge = edge_on(fs)
    await ask(edge, budget_ms=1)
    fs.open(PATH).append(sealed(b'{"n":1,"epoch":999}') + b"\n")
    await ask(edge, budget_ms=1)
    with pytest.raises(Behind, match="of our epoch 999"):
        edge_on(fs)


# Lines in the wrong file.


async def test_a_line_that_people_put_into_a_spool_costs_no_line_of_its_sender():
    """The sender goes on behind it, so that its reader, who passed it over, meets whole lines."""
    fs = SimFs()
    edge = edge_on(fs)
    await ask(edge, budget_ms=1)
    reader = SpoolReader(fs, "gateway", "frontdoor")
    assert len(reader.read(65_536)) == 1
    fs.open(PATH).append(b'{"kind":"payment.cancel"}\nno newline')
    assert len(reader.read(65_536)) == 1
    await ask(edge, budget_ms=1)
    await ask(edge, budget_ms=1)
    assert [is_whole(line) for line in reader.read(65_536)] == [False, True, True]
    assert len(asked(fs)) == 3


async def test_a_spool_deleted_under_its_writer_is_made_again():
    """What is written into a file without a name is lost to whoever opens the mailbox next."""
    fs = SimFs()
    edge = edge_on(fs)
    await ask(edge, budget_ms=1)
    fs.unlink(PATH)
    await ask(edge, budget_ms=1)
    assert len(asked(fs)) == 1


async def test_a_whole_line_that_is_no_reply_is_passed_over():
    """Whoever writes nonsense with a right hash into the mailbox of an edge ends nobody."""
    fs = SimFs()
    edge = edge_on(fs)
    fs.open(spool_path("frontdoor", "gateway"), create=True).append(sealed(b'{"x":1}') + b"\n")
    assert edge.take_replies()


def test_a_whole_line_that_is_no_message_does_not_keep_its_sender_from_starting():
    fs = SimFs()
    fs.open(PATH, create=True).append(sealed(b'{"n":"one"}') + b"\n")
    assert last_sent(fs, "gateway", "frontdoor") == 0
    assert last_epoch(fs, "gateway", "frontdoor") == 0


def test_a_replay_says_nothing_that_its_sender_may_not_say():
    """A front door that sent an outcome is a dead letter; replaying it forges no outcome."""
    outcome: dict[str, object] = {
        "payment_id": "pi_1",
        "reference": "pi_1.1",
        "operation": "authorize",
    }
    outcome |= {"result": "approved", "code": "approved", "provider": "providerA"}
    outcome |= {"provider_reference": "x", "amount": 1, "currency": "USD"}
    message = {"from": "frontdoor", "kind": "outcome", "body": outcome}
    letter = {"id": "dl_1", "actor": "gateway", "why": "sender", "deaths": 0, "at": "", "error": {}}
    line = encode({**letter, "message": message, "raw": None, "seq": 1})
    by = Message("hand>gateway:0:1", "hand", "dlq.replay", None, "cor_1")
    with pytest.raises(LineDamaged, match="may not say"):
        again(line, by)


# Links out of the home.


def test_a_link_in_the_place_of_a_lock_or_cell_is_not_followed(tmp_path: Path):
    """What it leads to is not ours to write."""
    outside = tmp_path / "outside"
    outside.write_text("precious")
    folder = tmp_path / "home/data/actors/gateway"
    folder.mkdir(parents=True)
    for name in ("lock", "cell"):
        (folder / name).symlink_to(outside)
    with pytest.raises(OSError, match="symbolic"):
        Lock.take(folder / "lock")
    with pytest.raises(OSError, match="symbolic"):
        CellWriter(tmp_path / "home", "gateway")
    assert outside.read_text() == "precious"
