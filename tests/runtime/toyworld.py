"""The toy's whole life as a scenario of crash points: what happens to it, and what must hold."""

from collections import Counter
from errno import EIO

import msgspec

from payrail.domain.messages import HAND, TIMER
from payrail.runtime.deadletters import book_path
from payrail.runtime.driver import Driver
from payrail.runtime.recovery import OPENED, fold_step, journal_path, recover
from payrail.runtime.sim import SimClock, SimFs
from payrail.storage.appender import Appender
from payrail.storage.books import Follower
from payrail.storage.journal import JournalLine, read_steps, verify_chain
from payrail.storage.lines import complete_lines, is_whole
from payrail.storage.spool import SpoolWriter, last_sent, spool_path
from tests.runtime.crashpoints import Files, Scenario
from tests.runtime.toy import State, Toy, create_line, deposit_line, drive, feed, settle

BOOK = Toy.books["deposits"].path
JOURNAL = journal_path("gateway")
HAND_FILE = "mailboxes/gateway/hand.jsonl"
REPLIES = spool_path("frontdoor", "gateway")

DEPOSITS = [deposit_line(n, f"tok_{n}") for n in range(1, 6)]
ASKED = {1: 500, 2: 13, 3: 666}  # n -> amount: answered, refused, raises
BY_HAND = [b"not json\n", b'{"kind":"ping","body":{"note":"hello"}}\n']


def live(fs: SimFs, clock: SimClock) -> None:
    """Deposits, questions, people, timers, snapshots, and a second incarnation."""
    feed(fs, "vault", *DEPOSITS[:2])
    driver = drive(fs, clock)
    settle(driver)
    feed(fs, "frontdoor", *(create_line(n, amount) for n, amount in ASKED.items()))
    by_hand(fs, *BY_HAND)
    feed(fs, "vault", DEPOSITS[2])
    settle(driver)
    clock.advance_ms(1000)
    settle(driver)
    snapshot(driver)
    feed(fs, "vault", DEPOSITS[3])
    settle(driver)
    driver = drive(fs, clock)
    settle(driver)
    clock.advance_ms(1000)
    feed(fs, "vault", DEPOSITS[4])
    settle(driver)
    snapshot(driver)


def snapshot(driver: Driver[State]) -> None:
    """As the house does it: a snapshot that cannot be written is tried again another day."""
    try:
        driver.write_documents()
    except OSError as error:
        if error.errno != EIO:
            return


def by_hand(fs: SimFs, *lines: bytes) -> None:
    file = fs.open(HAND_FILE, create=True)
    for line in lines:
        file.append(line)
    file.close()


def revive(fs: SimFs, clock: SimClock) -> None:
    """Recover; the vault sends what is missing, the front door asks anew, people look and write."""
    driver = drive(fs, clock)
    vault = SpoolWriter(fs, "vault", "gateway")
    vault.append(b"".join(DEPOSITS[last_sent(fs, "gateway", "vault") :]))
    door = Appender(fs, spool_path("gateway", "frontdoor"))
    door.end_line()
    door.append(b"".join(create_line(n, amount, _next_epoch(fs)) for n, amount in ASKED.items()))
    hand = Appender(fs, HAND_FILE)
    hand.end_line()
    there = fs.read(HAND_FILE)
    hand.append(b"".join(line for line in BY_HAND if line not in there))
    settle(driver)
    for _ in range(3):
        clock.advance_ms(1000)
        settle(driver)
    driver.write_documents()


def _next_epoch(fs: SimFs) -> int:
    """An edge journals its epoch; here the longest spool of its life tells it."""
    lines = complete_lines(fs.read(spool_path("gateway", "frontdoor")))[0]
    taken = [msgspec.json.decode(line)["epoch"] for line in lines if is_whole(line)]
    journaled = [step.in_.epoch for step in journal(fs) if step.in_.from_ == "frontdoor"]
    return max([1, *taken, *journaled]) + 1


def journal(fs: SimFs) -> list[JournalLine]:
    return [line for _, _, line in read_steps(fs.read(JOURNAL))]


def check(seen: Files, fs: SimFs) -> None:
    """Everything that must hold of the toy after any crash."""
    verify_chain(JOURNAL, fs.read(JOURNAL))
    steps = journal(fs)
    _check_order(steps)
    _check_books(fs, steps)
    _check_consumed(fs, steps)
    _check_dead(fs, steps)
    _check_sent(fs, steps)
    _check_seen(seen, fs, steps)
    _check_state(fs, steps)


def _check_order(steps: list[JournalLine]) -> None:
    assert all(step.dur < step.s for step in steps)
    assert [step.at for step in steps] == sorted(step.at for step in steps)
    epochs = [step.epoch for step in steps if step.in_.kind == OPENED]
    assert epochs == list(range(1, len(epochs) + 1))


def _check_books(fs: SimFs, steps: list[JournalLine]) -> None:
    for book, path in (("deposits", BOOK), ("dlq", book_path("gateway"))):
        lines = [bytes(line.line) for step in steps for line in step.books if line.book == book]
        assert fs.read(path) == b"".join(line + b"\n" for line in lines)
        followed = [line for _, line in Follower(fs, path).read()]
        seqs = [msgspec.json.decode(line)["seq"] for line in followed]
        assert seqs == list(range(1, len(lines) + 1))


def _check_consumed(fs: SimFs, steps: list[JournalLine]) -> None:
    assert [s.in_.n for s in steps if s.in_.from_ == "vault"] == list(range(1, len(DEPOSITS) + 1))
    asked = [(s.in_.epoch, s.in_.n) for s in steps if s.in_.from_ == "frontdoor"]
    assert asked == sorted(set(asked))
    assert {n for epoch, n in asked if epoch == max(asked)[0]} == set(ASKED)
    rung = Counter(s.in_.id for s in steps if s.in_.from_ == TIMER)
    assert rung == {f"ask:tok_{n}": 1 for n in range(1, len(DEPOSITS) + 1)}
    hand = [(s.in_.generation, s.in_.offset) for s in steps if s.in_.from_ == HAND]
    assert hand == [(0, end) for end in _ends(fs.read(HAND_FILE))]


def _ends(data: bytes) -> list[int]:
    ends, end = [], 0
    for line in complete_lines(data)[0]:
        end += len(line) + 1
        if line.strip():
            ends.append(end)
    return ends


def _check_dead(fs: SimFs, steps: list[JournalLine]) -> None:
    """One letter for each message that failed and each line that is none, with its bytes."""
    letters = [
        msgspec.json.decode(bytes(line.line))
        for step in steps
        for line in step.books
        if line.book == "dlq"
    ]
    failed = [letter["message"]["id"] for letter in letters if letter["why"] == "decide_error"]
    assert failed == [
        s.in_.id for s in steps if s.in_.from_ == "frontdoor" and s.in_.n == 3
    ]  # 3 asks for 666
    kept = [fs.read(letter["raw"]) for letter in letters if letter["raw"]]
    bad = [line for line in complete_lines(fs.read(HAND_FILE))[0] if line not in _good_by_hand()]
    assert kept == [line for line in bad if line.strip()]
    assert kept.count(b"not json") == 1


def _good_by_hand() -> list[bytes]:
    return [BY_HAND[1].rstrip(b"\n")]


def _check_sent(fs: SimFs, steps: list[JournalLine]) -> None:
    """The vault, which takes each number once and in order, finds every line that was journaled."""
    sent = [bytes(raw) for step in steps for raw in step.out]
    assert [msgspec.json.decode(line)["n"] for line in sent] == list(range(1, len(sent) + 1))
    taken: list[bytes] = []
    for line in complete_lines(fs.read(spool_path("vault", "gateway")))[0]:
        if is_whole(line) and msgspec.json.decode(line)["n"] == len(taken) + 1:
            taken.append(line)
    assert taken == sent


def _check_seen(seen: Files, fs: SimFs, steps: list[JournalLine]) -> None:
    """What anybody could read in the moment of the crash is still true."""
    for path in (BOOK, book_path("gateway")):
        for old, new in zip(_whole(seen, path), _whole(_all(fs), path), strict=False):
            assert old == new
        assert len(_whole(seen, path)) <= len(_whole(_all(fs), path))
    sent = {bytes(raw) for step in steps for raw in step.out}
    assert set(_whole(seen, spool_path("vault", "gateway"))) <= sent
    given = [
        (reply.re, reply.status, bytes(reply.body)) for step in steps for reply in step.replies
    ]
    for line in _whole(seen, REPLIES):
        reply = msgspec.json.decode(line)
        body = msgspec.json.encode(reply["body"])
        assert (reply["re"], reply["status"], body) in given


def _all(fs: SimFs) -> Files:
    return {path: fs.read(path) for path, node in fs.disk.names.items() if not node.is_folder}


def _whole(files: Files, path: str) -> list[bytes]:
    return [line for line in complete_lines(files.get(path, b""))[0] if is_whole(line)]


def _check_state(fs: SimFs, steps: list[JournalLine]) -> None:
    toy = Toy()
    folded = toy.fresh()
    for step in steps:
        fold_step(toy, folded, step)

    def sent(receiver: str) -> int:
        return last_sent(fs, receiver, "gateway")

    full = recover(toy, fs, last_sent=sent, trust_documents=False)
    quick = recover(toy, fs, last_sent=sent)
    assert quick.from_documents
    assert folded == full.state == quick.state
    assert full.head == quick.head
    assert folded.tokens == [f"tok_{n}" for n in range(1, len(DEPOSITS) + 1)]
    assert folded.total == len(DEPOSITS)
    assert sorted(folded.rung) == folded.tokens


TOY_LIFE = Scenario(live, revive, check)
