"""Damage to the files of a house at rest: `verify` names file and line, and `up` does not go on.

Each test damages a copy of one small house with real payments.
"""

import shutil
import threading
from pathlib import Path

import pytest

from tests.scenarios.living import logged, until
from tests.scenarios.shop import Shop
from tests.scenarios.wrecks import (
    BOOK_OF,
    LETTERS,
    Wreck,
    flip,
    flip_books,
    flip_journals,
    line_count,
    pay_until,
    remove_book_lines,
    remove_documents,
    restore_old_journals,
    risen,
    whole_house,
)

pytestmark = pytest.mark.scenario
CORRUPT = 70
BOOKS = (
    "data/ledger/payments.jsonl",
    "data/outbox/events.jsonl",
    "data/access/changes.jsonl",
    "data/vault/access_log.jsonl",
    "data/providers/providerA_truth.jsonl",
    LETTERS,
)
JOURNALS = tuple(
    f"data/actors/{name}/journal.jsonl"
    for name in ("gateway", "vault", "provider-a", "frontdoor", "vault.http")
)
SPOOLS = (
    "mailboxes/gateway/frontdoor.jsonl",
    "mailboxes/gateway/provider-a.jsonl",
    "mailboxes/vault/gateway.jsonl",
    "mailboxes/provider-a/vault.jsonl",
)
DOCUMENTS = (
    "data/idempotency/idempotency_keys.json",
    "data/vault/tokens.json",
    "data/vault/encrypted_cards.json",
    "data/actors/gateway/state.json",
    "data/actors/provider-a/head.json",
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return whole_house(tmp_path_factory.mktemp("whole"))


@pytest.fixture
def wreck(tmp_path: Path, whole: Path) -> Wreck:
    return Wreck(tmp_path, whole)


@pytest.mark.parametrize("path", [*JOURNALS, *BOOKS, *SPOOLS])
def test_verify_names_the_line_of_a_flipped_bit(wreck: Wreck, path: str):
    """In the first, a middle and the last line, wherever in the line it is."""
    place = wreck.home / path
    good, count = place.read_bytes(), line_count(place)

    for line, share in {(1, 0.3), (count // 2 + 1, 0.6), (count, 0.95)}:
        flip(place, line, share)
        found = wreck.findings()
        assert (path, line) in found, (line, share, found)
        place.write_bytes(good)


@pytest.mark.parametrize("path", [*BOOKS[:-1], *JOURNALS[:3]])
def test_verify_names_the_place_of_a_removed_line(wreck: Wreck, path: str):
    """In the middle and, of a book, at the end; the number is where the line stood. The last line
    of a journal at rest only names the documents: a crash before it leaves the same files."""
    place = wreck.home / path
    good = place.read_bytes()
    rows = good.split(b"\n")

    for line in {len(rows) // 2, len(rows) - 1 if path in BOOKS else len(rows) // 2}:
        place.write_bytes(b"\n".join(rows[: line - 1] + rows[line:]))
        found = wreck.findings()
        assert path in {where for where, _ in found}, (line, found)
        numbers = {number for where, number in found if where == path}
        assert numbers & {line, line - 1}, (line, found)
        place.write_bytes(good)


@pytest.mark.parametrize("path", DOCUMENTS)
def test_verify_names_the_line_of_an_edited_document(wreck: Wreck, path: str):
    """A flipped bit and an added word: the first line that differs is named."""
    place = wreck.home / path
    good = place.read_bytes()
    line = good.count(b"\n") // 2 + 1

    for share in (0.4, 0.8):
        flip(place, line, share)
        assert (path, line) in wreck.findings()
        place.write_bytes(good)


@pytest.mark.parametrize("actor", ["gateway", "vault", "provider-a"])
def test_verify_tells_an_old_journal_from_a_whole_one(wreck: Wreck, whole: Path, actor: str):
    """A journal out of a copy of yesterday is whole in itself; books and peers know more."""
    path = f"data/actors/{actor}/journal.jsonl"
    shutil.copy(whole.parent / "early" / path, wreck.home / path)

    found = wreck.findings()

    assert found
    assert path in {where for where, _ in found}, found


def test_a_whole_house_verifies_clean_at_rest_and_under_load(tmp_path: Path, whole: Path):
    """Not one false alarm, while payments are made and after a SIGKILL of the gateway."""
    copy = Wreck(tmp_path, whole)
    assert copy.findings() == []
    copy.start()
    try:
        stop = threading.Event()
        payers = [threading.Thread(target=pay_until, args=(copy, stop)) for _ in range(2)]
        for payer in payers:
            payer.start()
        assert [copy.findings() for _ in range(3)] == [[]] * 3
        assert copy.cli("kill", "gateway").returncode == 0
        assert copy.findings() == []
    finally:
        stop.set()
        for payer in payers:
            payer.join()
        copy.stop()
    assert copy.findings() == []


ALL_HELD = dict.fromkeys(BOOK_OF, "held")
ALL_SERVE = dict.fromkeys(BOOK_OF, "serving")
#: A start from a snapshot reads what came after it, and not what the snapshot stands for.


@pytest.mark.parametrize("snapshot", [True, False])
def test_a_damaged_journal_holds_its_actor(wreck: Wreck, snapshot: bool):
    """Better silent than wrong: 70, and not started again."""
    flip_journals(wreck)
    if not snapshot:
        remove_documents(wreck)

    with risen(wreck) as states:
        assert states == ALL_HELD
        assert_held_and_told(wreck, "journal.jsonl")


def test_a_damaged_end_of_a_book_holds_its_actor(wreck: Wreck):
    """The snapshot knows how the book ended."""
    flip_books(wreck, last=True)

    with risen(wreck) as states:
        assert states == ALL_HELD
        assert_held_and_told(wreck, *BOOK_OF.values())


@pytest.mark.parametrize("snapshot", [True, False])
def test_a_line_removed_from_a_book_holds_its_actor(wreck: Wreck, snapshot: bool):
    """Whole lines that are out of place are nobody's crash."""
    remove_book_lines(wreck)
    if not snapshot:
        remove_documents(wreck)

    with risen(wreck) as states:
        assert states == ALL_HELD
        assert_held_and_told(wreck, *BOOK_OF.values())


def test_an_old_journal_holds_its_actor(wreck: Wreck, whole: Path):
    """It is behind its own books: going on would write other facts under the same numbers."""
    restore_old_journals(wreck, whole)

    with risen(wreck) as states:
        assert states == ALL_HELD
        assert_held_and_told(wreck, *BOOK_OF.values())


def assert_held_and_told(wreck: Wreck, *about: str) -> None:
    """`ps` says who is held, why and what to do; the log of the house names each damaged file."""
    shown = wreck.cli("ps")
    for actor in BOOK_OF:
        assert f"{actor} is held: exit {CORRUPT}" in shown.stderr
        assert f"payrail release {actor}" in shown.stderr
    log = wreck.log.read_text()
    assert all(name in log for name in about)


def test_a_damaged_line_of_the_ledger_is_never_read_over(wreck: Wreck):
    """Its writer is held, for it looks at what its snapshot let it skip; the front door, which
    reads it all, says so with file and line, and no answer is given from half a book."""
    flip_books(wreck)

    with risen(wreck) as states:
        assert states == ALL_HELD
        assert_held_and_told(wreck, *BOOK_OF.values())
        (told,) = until(
            lambda: [
                one for one in logged(wreck.home, "frontdoor") if one["event"] == "book.damaged"
            ],
            "the damage is told",
        )
        assert f"{BOOK_OF['gateway']}:{line_count(wreck.home / BOOK_OF['gateway']) // 2}" in str(
            told
        )
        shop = Shop(wreck)
        for path in ("/payment-intents", "/balances"):
            answer = shop.get(path)
            assert (answer.status, answer.body["code"]) == (503, "file-damaged")


def test_a_damaged_line_of_a_book_is_mended_from_the_journal(wreck: Wreck):
    """Without a snapshot the whole book is compared: the same bytes again, and it is said."""
    flip_books(wreck)
    remove_documents(wreck)

    with risen(wreck) as states:
        assert states == ALL_SERVE
        for actor, path in BOOK_OF.items():
            mended = [one for one in logged(wreck.home, actor) if one["event"] == "book.mended"]
            assert [(one["path"], one["line"]) for one in mended] == [
                (path, line_count(wreck.home / path) // 2)
            ]
    assert wreck.findings() == []


def test_a_damaged_document_is_not_used_and_made_again(wreck: Wreck):
    """It is no truth: its actor folds the whole journal, says so, and writes it anew."""
    for path in DOCUMENTS:
        flip(wreck.home / path, line_count(wreck.home / path) // 2 + 1)

    with risen(wreck) as states:
        assert states == ALL_SERVE
        for actor in BOOK_OF:
            starts = [s for s in logged(wreck.home, actor) if s["event"] == "actor.recovered"]
            assert [start["from_documents"] for start in starts] == [False, True, False]
    assert wreck.findings() == []
