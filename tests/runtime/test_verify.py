"""`verify` names file and line of every damage, and is silent about what a crash or a busy house
leaves behind."""

import msgspec
import pytest

from payrail.runtime.effects import Write
from payrail.runtime.sim import Fault, SimClock, SimCrash, SimFs
from payrail.storage.journal import JournalLine, decode_line, journal_bytes
from tests.runtime.spoilt import (
    BOOK,
    DOCUMENT,
    EDGE_JOURNAL,
    EDGE_SPOOL,
    JOURNAL,
    SPOOL,
    check,
    damage,
    flip,
    lines_of,
    put,
    rechained,
    whole_house,
)
from tests.runtime.toy import create_line, deposit_line, drive, feed, settle


@pytest.fixture
def clock() -> SimClock:
    return SimClock()


@pytest.fixture
def house(clock: SimClock) -> SimFs:
    return whole_house(clock)


def test_clean_house_has_no_findings(house: SimFs):
    """A house at rest is clean, to the last note."""
    assert check(house) == []


@pytest.mark.parametrize("path", [JOURNAL, BOOK, SPOOL, EDGE_SPOOL])
def test_flipped_bit_is_named(house: SimFs, path: str):
    """One flipped bit in the third line of a journal, a book or a mailbox is named there."""
    flip(house, path, 3)

    assert (path, 3) in damage(house)


@pytest.mark.parametrize("path", [JOURNAL, BOOK, SPOOL, EDGE_SPOOL, EDGE_JOURNAL])
def test_flipped_bit_in_last_line_is_named(house: SimFs, path: str):
    """Also in the last line, wherever in it."""
    last = len(lines_of(house, path))
    whole = house.read(path)
    for at in (0, 20, -1, -2, -10, -70, -75):
        flip(house, path, last, at)
        assert (path, last) in damage(house), at
        house.replace(path, whole)


@pytest.mark.parametrize("path", [JOURNAL, BOOK, SPOOL, EDGE_SPOOL])
def test_flipped_newline_is_named(house: SimFs, path: str):
    """A newline is a byte like any other, the last one too."""
    data = house.read(path)
    house.replace(path, data[:-1] + b"\x0b")

    assert (path, len(data.split(b"\n")) - 1) in damage(house)


def test_every_bit_of_a_book_line_counts(house: SimFs):
    """Whichever byte of a book line is changed, its line is named and nothing else."""
    whole = house.read(BOOK)
    for at in range(0, len(lines_of(house, BOOK)[1]), 7):
        flip(house, BOOK, 2, at)
        assert damage(house) == [(BOOK, 2)]
        house.replace(BOOK, whole)


@pytest.mark.parametrize("is_rechained", [False, True])
def test_removed_book_line_is_named(house: SimFs, is_rechained: bool):
    """A removed line is missed where it stood, also when the chain was recomputed."""
    lines = lines_of(house, BOOK)
    del lines[3]
    put(house, BOOK, rechained(lines) if is_rechained else lines)

    assert (BOOK, 4) in damage(house)


def test_removed_last_book_line_is_named(house: SimFs):
    """The end of a book may not be cut either."""
    put(house, BOOK, lines_of(house, BOOK)[:-1])

    assert damage(house) == [(BOOK, 8)]


@pytest.mark.parametrize("is_rechained", [False, True])
def test_swapped_book_lines_are_named(house: SimFs, is_rechained: bool):
    """Two swapped lines are named at the first of them."""
    lines = lines_of(house, BOOK)
    lines[2], lines[3] = lines[3], lines[2]
    put(house, BOOK, rechained(lines) if is_rechained else lines)

    assert damage(house)[0] == (BOOK, 3)


@pytest.mark.parametrize("is_rechained", [False, True])
def test_duplicated_book_line_is_named(house: SimFs, is_rechained: bool):
    """A repeated line is named at its second place."""
    lines = lines_of(house, BOOK)
    lines.insert(4, lines[3])
    put(house, BOOK, rechained(lines) if is_rechained else lines)

    assert damage(house) == [(BOOK, 5)]


@pytest.mark.parametrize("at", [2, 8])
def test_added_book_line_is_named(house: SimFs, at: int):
    """A line that no journal line holds is named, in the middle and at the end of the book."""
    lines = lines_of(house, BOOK)
    lines.insert(at, b'{"seq":9,"token":"tok_x","total":99,"prev":"","hash":""}')
    put(house, BOOK, rechained(lines))

    assert damage(house) == [(BOOK, at + 1)]


def test_changed_amount_with_new_chain_is_named(house: SimFs):
    """A book with one changed number and a chain that fits is compared with the journal."""
    lines = [line.replace(b'"total":5', b'"total":6') for line in lines_of(house, BOOK)]
    put(house, BOOK, rechained(lines))

    assert damage(house) == [(BOOK, 5)]


def test_old_journal_is_found_by_what_others_know(house: SimFs, clock: SimClock):
    """A journal that was restored from yesterday is named: its mailboxes and books know more."""
    put(house, JOURNAL, lines_of(house, JOURNAL)[:6])
    found = check(house)

    assert any(f.path == JOURNAL and f.line == 6 and "old" in f.what for f in found)
    assert any(f.path == BOOK and f"{JOURNAL}:6" in f.what for f in found)


def test_lost_journal_is_found(house: SimFs):
    """No journal at all is one that was cut at its beginning."""
    house.unlink(JOURNAL)

    assert (JOURNAL, 0) in damage(house)


def test_rewritten_journal_is_found_by_its_peers(house: SimFs, clock: SimClock):
    """A peer remembers the head it saw: a journal whose chain was made anew no longer fits."""
    lines = [decode_line(raw) for raw in lines_of(house, JOURNAL)]
    peer = JournalLine(
        s=1, epoch=1, at=lines[0].at, dur=0,
        in_=msgspec.convert(
            {"from": "gateway", "id": "gateway>vault:3", "kind": "card.charge", "n": 1,
             "epoch": 1, "step": 4, "chain": "ab" * 32},
            type=type(lines[0].in_),
        ),
        events=[], books=[], out=[], timers=[], replies=[], prev="0" * 64, hash="",
    )  # fmt: skip
    house.replace("data/actors/vault/journal.jsonl", journal_bytes(peer) + b"\n")

    assert (JOURNAL, 4) in damage(house)


def test_edge_journal_behind_its_lines_is_named(house: SimFs, clock: SimClock):
    """An edge whose mailbox lines are of a later epoch than its journal has lost some of it."""
    feed(house, "frontdoor", create_line(1, 5, epoch=3))

    assert (EDGE_JOURNAL, 1) in damage(house)


def test_edited_document_is_named_with_its_line(house: SimFs):
    """A document is made again from the journal, and the first line that differs is named."""
    lines = lines_of(house, DOCUMENT)
    line = next(i for i, text in enumerate(lines) if b'"total"' in text)
    lines[line] = lines[line].replace(b"8", b"9")
    put(house, DOCUMENT, lines)

    assert damage(house) == [(DOCUMENT, line + 1)]


@pytest.mark.parametrize("path", [DOCUMENT, "data/actors/gateway/head.json"])
def test_every_byte_of_a_document_counts(house: SimFs, path: str):
    """One flipped bit anywhere in a document is named there, its stamp included."""
    whole = house.read(path)
    for at in range(0, len(whole), 5):
        raw = bytearray(whole)
        raw[at] ^= 1
        house.replace(path, bytes(raw))
        assert (path, whole[:at].count(b"\n") + 1) in damage(house), at


def test_old_document_is_named(house: SimFs, clock: SimClock):
    """A document from before the newest snapshot was put back by somebody."""
    old = house.read(DOCUMENT)
    driver = drive(house, clock)
    feed(house, "vault", deposit_line(9, "tok_9"))
    settle(driver)
    driver.write_documents()
    house.replace(DOCUMENT, old)

    assert damage(house) == [(DOCUMENT, 2)]


def test_missing_document_is_named(house: SimFs):
    """A document that the journal names may not be gone."""
    house.unlink(DOCUMENT)

    assert damage(house) == [(DOCUMENT, 0)]


def test_document_whose_writer_died_before_naming_it_is_clean(house: SimFs, clock: SimClock):
    """A snapshot is replaced before the journal names it; a kill in between is innocent."""
    driver = drive(house, clock)
    named = house.read(JOURNAL)
    driver.write_documents()
    house.replace(JOURNAL, named)

    assert check(house) == []


def test_house_in_the_middle_of_a_turn_is_clean(house: SimFs, clock: SimClock):
    """Between the fsync of a journal and each of the writes that follow, nothing is wrong."""
    driver = drive(house, clock)
    feed(house, "vault", deposit_line(9, "tok_9"), deposit_line(10, "tok_10"))
    feed(house, "frontdoor", create_line(4, 8))
    effects = driver.loop.take(driver.intake.collect(), clock.now())
    assert any(isinstance(effect, Write) for effect in effects)
    assert check(house) == []
    driver._durable(effects)
    assert check(house) == []
    for effect in driver.loop.synced():
        driver._carry_out(effect)
        assert check(house) == []


def test_every_kill_leaves_a_clean_house(clock: SimClock):
    """Killed before any write at all, the house is clean before and after the next start."""

    def live(fs: SimFs) -> None:
        driver = drive(fs, clock)
        settle(driver)
        driver.write_documents()

    def fed() -> SimFs:
        fs = SimFs()
        feed(fs, "vault", *(deposit_line(n, f"tok_{n}") for n in range(1, 4)))
        feed(fs, "frontdoor", create_line(1, 5))
        return fs

    calm = fed()
    before = calm.calls
    live(calm)
    for call in range(1, calm.calls - before + 1):
        fs = fed().reopen(faults=[Fault(at=call, kind="torn", kept_bytes=40)])
        with pytest.raises(SimCrash):
            live(fs)
        next_life = fs.reopen()
        assert [str(f) for f in check(next_life)] == [], call
        live(next_life)
        assert damage(next_life) == [], call
