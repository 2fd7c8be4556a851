"""Bits rot, files are cut, swapped and restored: an actor mends, or refuses; it is never wrong.

After any single harm to any file of a resting actor the next incarnation either refuses to start
and has written nothing, or ends with the same state, the same books and whole channels.
"""

import json
from collections.abc import Iterator
from random import Random

import pytest

from payrail.errors import Damage
from payrail.runtime.recovery import head_path, journal_path
from payrail.runtime.sim import SimClock, SimFs
from payrail.storage.lines import complete_lines, is_whole
from tests.runtime.crashpoints import Files, files
from tests.runtime.toy import State, Toy, create_line, deposit_line, drive, feed, settle

JOURNAL = journal_path("gateway")
BOOK = Toy.books["deposits"].path
TO_VAULT = "mailboxes/vault/gateway.jsonl"
SEED = 20260209


def _lived(*, with_documents: bool) -> tuple[Files, State]:
    fs, clock = SimFs(), SimClock()
    driver = drive(fs, clock)
    for n in (1, 2, 3):
        feed(fs, "vault", deposit_line(n, f"tok_{n}"))
        feed(fs, "frontdoor", create_line(n, 666 if n == 2 else 5))
        settle(driver)
        if n == 2:
            clock.advance_ms(1000)
            settle(driver)
            if with_documents:
                driver.write_documents()
    return files(fs), driver.loop.state


BARE, STATE = _lived(with_documents=False)
WITH_DOCUMENTS, _ = _lived(with_documents=True)
OURS = [JOURNAL, BOOK, TO_VAULT, "mailboxes/dlq/gateway.jsonl"]
DOCUMENTS = [head_path("gateway"), "data/actors/gateway/toy.json"]


def bit_flips(data: bytes, every: int) -> Iterator[bytes]:
    rng = Random(SEED)
    for at in range(rng.randrange(every), len(data), every):
        yield data[:at] + bytes([data[at] ^ (1 << rng.randrange(8))]) + data[at + 1 :]


def lengths(data: bytes, every: int) -> Iterator[bytes]:
    yield from (data[:size] for size in range(0, len(data), every))


def zeroed(data: bytes) -> Iterator[bytes]:
    for at in range(0, len(data), 512):
        yield data[:at] + bytes(len(data[at : at + 512])) + data[at + 512 :]


def shuffled(data: bytes) -> Iterator[bytes]:
    """Each line swapped with the next, doubled, removed."""
    lines = data.splitlines(keepends=True)
    for at in range(len(lines)):
        yield b"".join([*lines[:at], *lines[at + 1 : at + 2], lines[at], *lines[at + 2 :]])
        yield b"".join([*lines[: at + 1], lines[at], *lines[at + 1 :]])
        yield b"".join([*lines[:at], *lines[at + 1 :]])


def harms(data: bytes, every: int) -> Iterator[bytes]:
    for harm in (bit_flips(data, every), lengths(data, every), zeroed(data), shuffled(data)):
        yield from (harmed for harmed in harm if harmed != data)


def outcome(before: Files) -> str:
    """What becomes of these files: refused without a write, or mended to the same."""
    fs, clock = SimFs(), SimClock()
    for path, data in before.items():
        fs.replace(path, data)
    steps = fs.calls
    try:
        driver = drive(fs, clock)
    except Damage:
        assert fs.calls == steps
        return "refused"
    settle(driver)
    assert driver.loop.state == STATE
    assert fs.read(BOOK) == BARE[BOOK]
    numbers = [
        json.loads(line)["n"] for line in complete_lines(fs.read(TO_VAULT))[0] if is_whole(line)
    ]
    last = 0
    for n in numbers:
        last += n == last + 1
    assert last == 3
    return "mended"


@pytest.mark.parametrize("path", OURS)
def test_one_harm_to_one_file_is_mended_or_refused(path: str):
    """Zero silently wrong answers, for every kind of harm to every file that we append to."""
    outcomes = {outcome({**BARE, path: harmed}) for harmed in harms(BARE[path], 13)}

    assert outcomes <= {"mended", "refused"}
    assert ("refused" in outcomes) == (path != TO_VAULT)


@pytest.mark.parametrize("path", [*OURS, *DOCUMENTS])
def test_one_harm_beside_a_snapshot_is_mended_or_refused(path: str):
    """A quick start is no blinder for what it still reads; a harmed document is not used."""
    every = 29 if path in OURS else 41
    outcomes = {outcome({**WITH_DOCUMENTS, path: one}) for one in _noticed(path, every)}

    assert outcomes <= {"mended", "refused"}
    if path in DOCUMENTS:
        assert outcomes == {"mended"}


def _noticed(path: str, every: int) -> Iterator[bytes]:
    """Harms that a quick start must notice. What lies far below the snapshot in a book it does
    not read again: followers do, and `verify`."""
    data = WITH_DOCUMENTS[path]
    if path != BOOK:
        yield from harms(data, every)
        return
    first = len(data.splitlines(keepends=True)[0])
    yield from (data[:first] + harmed for harmed in harms(data[first:], every))


def test_a_missing_file_is_mended_or_refused():
    """Each file gone, and each pair of files."""
    paths = [*OURS, *DOCUMENTS]
    for one in paths:
        for other in paths:
            left = {path: data for path, data in WITH_DOCUMENTS.items() if path not in (one, other)}
            assert outcome(left) in ("mended", "refused")


def test_a_file_restored_from_an_older_day_is_mended_or_refused():
    """Each set of our files as it was a step ago, beside the others of today."""
    fs, clock = SimFs(), SimClock()
    driver = drive(fs, clock)
    feed(fs, "vault", deposit_line(1, "tok_1"))
    settle(driver)
    old = files(fs)
    for path in OURS:
        assert outcome({**BARE, path: old[path]}) in ("mended", "refused")
    assert outcome({**BARE, JOURNAL: old[JOURNAL]}) == "refused"
