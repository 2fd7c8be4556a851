"""The auditor finds every damage that is planted, by file and line, and cries wolf over none."""

import ast
import base64
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.auditor import handmade as hand
from tests.auditor.audit import audit
from tests.auditor.handmade import House
from tests.auditor.report import Report

ROOT = Path(__file__).parents[2]
Plant = Callable[[House], None]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


def audited(home: Path, house: House, damage: Callable[[Path], None] | None = None) -> Report:
    history = house.write(home, damage)
    return audit(home, history=history, pans=[hand.CARD])


def places(report: Report) -> set[tuple[str, str, int]]:
    return {(found.check, found.path, found.line) for found in report.findings}


@pytest.mark.parametrize("with_journals", [False, True])
def test_a_house_without_damage_raises_no_alarm(home: Path, with_journals: bool):
    """Two ordinary payments, one captured and one declined, are clean, and all was looked at."""
    house = House()
    if with_journals:
        house.journaled()

    report = audited(home, house)

    assert report.findings == []
    for check in ("chain", "postings", "outbox", "moves", "truth", "acknowledged", "access log"):
        assert report.looked_at[check] > 0


def _change(path: str, line: int, **fields: object) -> Plant:
    return lambda house: house.books[path][line - 1].update(fields)


def _append(path: str, fields: hand.Fields) -> Plant:
    return lambda house: house.books[path].append(fields)


def _book(kind: str, ref: str, amount: int, **data: object) -> Plant:
    """Append an entry and its event."""

    def plant(house: House) -> None:
        seq = len(house.books[hand.PAYMENTS]) + 1
        house.books[hand.PAYMENTS].append(hand.entry(seq, kind, ref, amount, **data))
        house.books[hand.OUTBOX].append({"seq": seq, "id": f"evt_{seq}", "type": kind})

    return plant


def _data(line: int, **fields: object) -> Plant:
    return lambda house: house.books[hand.PAYMENTS][line - 1]["data"].update(fields)


def _lopsided(house: House) -> None:
    house.books[hand.PAYMENTS][5]["postings"][0]["amount"] = 1100


def _two_currencies(house: House) -> None:
    house.books[hand.PAYMENTS][5]["postings"][1]["currency"] = "EUR"


def _no_event(house: House) -> None:
    house.books[hand.OUTBOX].pop()


def _events_swapped(house: House) -> None:
    events = house.books[hand.OUTBOX]
    events[3], events[4] = events[4], events[3]


def _no_access_line(house: House) -> None:
    del house.books[hand.ACCESS][1]


def _no_attempt(house: House) -> None:
    house.books[hand.PAYMENTS][1].update(type="payment.operation_failed")


CALL = {"provider": "providerA", "reference": "pi_1.3"}

# What is said is wrong, though every hash holds: (damage, check, file, line).
LIES = {
    "a gap in seq": (_change(hand.PAYMENTS, 5, seq=9), "ledger seq", hand.PAYMENTS, 6),
    "an event id twice": (
        _change(hand.PAYMENTS, 5, event_id="evt_4"),
        "ledger seq",
        hand.PAYMENTS,
        5,
    ),
    "postings do not balance": (_lopsided, "postings", hand.PAYMENTS, 6),
    "two currencies balance together only": (_two_currencies, "postings", hand.PAYMENTS, 6),
    "an entry without an event": (_no_event, "outbox", hand.PAYMENTS, 8),
    "events in another order": (_events_swapped, "outbox", hand.OUTBOX, 4),
    "created twice": (_book("payment.created", "pi_1", 1099), "moves", hand.PAYMENTS, 9),
    "two payments of one key": (
        _book("payment.created", "pi_3", 1099, idempotency_key="c1"),
        "once per key",
        hand.PAYMENTS,
        9,
    ),
    "authorized twice": (
        _book("payment.authorized", "pi_1", 1099, **CALL),
        "moves",
        hand.PAYMENTS,
        9,
    ),
    "a declined payment is captured": (
        _book("payment.captured", "pi_2", 700, **CALL),
        "moves",
        hand.PAYMENTS,
        9,
    ),
    "a capture is settled that no statement has": (
        _book("payment.settled", "pi_1", 1099, provider="providerA", capture_id="cap_1"),
        "settled",
        hand.PAYMENTS,
        9,
    ),
    "a break is posted by one person": (
        _book(
            "payment.settled",
            "pi_1",
            0,
            provider="providerA",
            adjusted=True,
            proposed_by="usr_a",
            approved_by="usr_a",
        ),
        "settled",
        hand.PAYMENTS,
        9,
    ),
    "an entry of no payment": (
        _book("payment.declined", "pi_9", 5, **CALL),
        "moves",
        hand.PAYMENTS,
        9,
    ),
    "captured more than held": (
        _book("payment.captured", "pi_1", 1, **CALL),
        "amounts",
        hand.PAYMENTS,
        9,
    ),
    "one capture booked twice": (
        _book("payment.captured", "pi_1", 1, capture_id="cap_1", **CALL),
        "amounts",
        hand.PAYMENTS,
        9,
    ),
    "authorized for less": (_change(hand.PAYMENTS, 3, amount=1098), "amounts", hand.PAYMENTS, 3),
    "approved at both providers": (
        _append(hand.TRUTH_B, hand.truth(1, "pi_1.3", "authorize", 1099)),
        "double charge",
        hand.TRUTH_B,
        1,
    ),
    "one reference approved twice": (
        _append(hand.TRUTH_A, hand.truth(3, "pi_1.1", "authorize", 1099)),
        "truth",
        hand.TRUTH_A,
        3,
    ),
    "one reference captured twice": (
        _append(hand.TRUTH_A, hand.truth(3, "pi_1.2", "capture", 1099)),
        "double charge",
        hand.TRUTH_A,
        3,
    ),
    "a declined payment is still held": (
        _append(hand.TRUTH_A, hand.truth(3, "pi_2.1", "authorize", 700)),
        "double charge",
        hand.TRUTH_A,
        3,
    ),
    "charged without an attempt": (_no_attempt, "truth", hand.TRUTH_A, 1),
    "charged for an unknown payment": (
        _append(hand.TRUTH_A, hand.truth(3, "pi_9.1", "authorize", 1)),
        "truth",
        hand.TRUTH_A,
        3,
    ),
    "captured, and the provider knows nothing": (
        _data(6, reference="pi_1.7"),
        "booked is true",
        hand.PAYMENTS,
        6,
    ),
    "really captured, and not booked": (
        _append(hand.TRUTH_A, hand.truth(3, "pi_1.8", "capture", 1)),
        "booked is true",
        hand.TRUTH_A,
        3,
    ),
    "a card used without a line": (_no_access_line, "access log", hand.TRUTH_A, 1),
    "an access without a purpose": (
        _change(hand.ACCESS, 1, purpose=""),
        "access log",
        hand.ACCESS,
        1,
    ),
    "a new dead letter": (
        _append(hand.DEAD, {"id": "dl_1", "why": "decide_error"}),
        "dead letters",
        hand.DEAD,
        1,
    ),
}


@pytest.mark.parametrize("name", LIES)
def test_what_cannot_be_true_is_found(home: Path, name: str):
    """Books whose chain holds but whose facts contradict each other are named by file and line."""
    plant, check, path, line = LIES[name]
    house = House()
    plant(house)

    assert (check, path, line) in places(audited(home, house))


def _flip(path: str, at: int) -> Callable[[Path], None]:
    def damage(home: Path) -> None:
        data = bytearray((home / path).read_bytes())
        data[at] ^= 1
        (home / path).write_bytes(data)

    return damage


def _lines_of(path: str, change: Callable[[list[bytes]], object]) -> Callable[[Path], None]:
    def damage(home: Path) -> None:
        lines = (home / path).read_bytes().splitlines(keepends=True)
        change(lines)
        (home / path).write_bytes(b"".join(lines))

    return damage


@pytest.mark.parametrize(
    "path",
    [hand.PAYMENTS, hand.OUTBOX, hand.ACCESS, hand.TRUTH_A, hand.GATEWAY, hand.VAULT],
)
def test_one_flipped_bit_is_one_finding_of_the_chain(home: Path, path: str):
    """A changed bit in the first line is found there, and the lines after it are not blamed."""
    house = House()
    house.journaled()

    report = audited(home, house, _flip(path, 12))

    chain = [found for found in report.findings if found.check == "chain"]
    assert [(found.path, found.line) for found in chain] == [(path, 1)]


def test_a_line_taken_out_is_found_where_the_chain_breaks(home: Path):
    """Every line is whole by itself, and the one behind the hole is named."""
    damage = _lines_of(hand.ACCESS, lambda lines: lines.pop(1))

    assert ("chain", hand.ACCESS, 2) in places(audited(home, House(), damage))


def test_a_torn_tail_is_found(home: Path):
    """A last line without its end is named by the number that it would have."""
    damage = _lines_of(hand.TRUTH_A, lambda lines: lines.append(b'{"seq":3'))

    assert places(audited(home, House(), damage)) == {("chain", hand.TRUTH_A, 3)}


def test_a_cut_book_is_behind_its_journal(home: Path):
    """A lost last line leaves a whole chain; the journal that still has it gives it away."""
    house = House()
    house.journaled()
    damage = _lines_of(hand.ACCESS, lambda lines: lines.pop())

    assert ("booked", hand.GATEWAY, 2) in places(audited(home, house, damage))


def test_a_line_that_no_journal_has_is_found(home: Path):
    """A forged line with a good hash stands in no journal."""
    house = House()
    house.journaled()
    house.books[hand.ACCESS].append(hand.access(4, "support.last4", None))

    assert places(audited(home, house)) == {("booked", hand.ACCESS, 4)}


def _journal(path: str, line: int, **fields: object) -> Plant:
    return lambda house: house.journals[path][line - 1].update(fields)


_TAKEN = {"from": "gateway", "id": "gateway>vault:2", "n": 2, "epoch": 1, "step": 2}
_EDGE = {"from": "frontdoor", "id": "frontdoor>vault:1.4", "n": 4, "epoch": 1, "step": 0}

STEPS = {
    "a step left out": (_journal(hand.GATEWAY, 3, s=4), "journal", hand.GATEWAY, 3),
    "an epoch that falls": (_journal(hand.GATEWAY, 2, epoch=0), "journal", hand.GATEWAY, 2),
    "a message number left out": (
        _journal(hand.GATEWAY, 3, out=[{"to": "vault", "n": 3}]),
        "channels",
        hand.GATEWAY,
        3,
    ),
    "a message left out by its reader": (
        _journal(hand.VAULT, 2, **{"in": _TAKEN}),
        "channels",
        hand.VAULT,
        2,
    ),
    "an edge's line taken twice": (
        lambda house: house.journals[hand.VAULT].extend(
            hand.step(s, 1, **{"in": _EDGE}) for s in (3, 4)
        ),
        "channels",
        hand.VAULT,
        4,
    ),
}


@pytest.mark.parametrize("name", STEPS)
def test_a_journal_that_skips_or_repeats_is_found(home: Path, name: str):
    """Steps, epochs and channel numbers that cannot follow each other are named."""
    plant, check, path, line = STEPS[name]
    house = House()
    house.journaled()
    plant(house)

    assert (check, path, line) in places(audited(home, house))


def _answered(line: int, **fields: object) -> Plant:
    return lambda house: house.history[line - 1].update(fields)


ANSWERS = {
    "another body for the same key": (_answered(3, body_sha="x"), "same key same answer", 3),
    "another status for the same key": (_answered(3, status=200), "same key same answer", 3),
    "a created payment is lost": (_answered(6, payment_id="pi_9"), "acknowledged", 6),
    "an authorization is lost": (_answered(4, payment_id="pi_2"), "acknowledged", 4),
    "a capture of another amount": (_answered(5, amount=1000), "acknowledged", 5),
    "a create of another amount": (_answered(6, amount=701), "acknowledged", 6),
    "another currency": (_answered(6, currency="EUR"), "acknowledged", 6),
    "another merchant": (_answered(6, merchant="m_002"), "acknowledged", 6),
    "a decline that is not booked": (_answered(7, payment_id="pi_1"), "acknowledged", 7),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_what_clients_were_told_must_stand_in_the_books(home: Path, name: str):
    """An acknowledged write that the ledger lacks, or has otherwise, is named in the history."""
    plant, check, line = ANSWERS[name]
    house = House()
    plant(house)
    history = str(home.parent / "history.jsonl")

    assert (check, history, line) in places(audited(home, house))


def test_more_captures_than_keys_are_found(home: Path):
    """A payment captured in two parts, when one key asked for one capture, was captured twice."""
    house = House()
    house.books[hand.PAYMENTS][5]["amount"] = 600
    house.books[hand.PAYMENTS][5]["postings"] = []
    _book("payment.captured", "pi_1", 499, capture_id="cap_2", **CALL)(house)

    assert ("acknowledged", hand.PAYMENTS, 9) in places(audited(home, house))


def test_answers_that_are_not_final_may_differ(home: Path):
    """In doubt, in flight and out of order are how things stand, not answers of the key."""
    house = House()
    for status in (202, 409, 503, 504):
        house.history.insert(3, hand.answer("authorize", "a1", "pi_1", status, 1099))

    assert audited(home, house).is_clean


def test_a_refusal_of_the_state_machine_is_final(home: Path):
    """A 409 that no waiting changes is the answer of its key, so another one later is found."""
    house = House()
    refused = {**hand.answer("cancel", "x1", "pi_1", 409, 1099), "retryable": False}
    house.history += [refused, {**refused, "status": 200}]

    assert ("same key same answer", 9) in {
        (found.check, found.line) for found in audited(home, house).findings
    }


def test_a_known_dead_letter_is_no_finding(home: Path):
    """What lay in the dead letters before the run is not blamed on it."""
    house = House()
    _append(hand.DEAD, {"id": "dl_1", "why": "schema"})(house)
    house.write(home)

    assert audit(home, known_dead=["dl_1"]).is_clean


def test_a_head_that_is_no_longer_on_its_chain_is_found(home: Path):
    """A book written anew holds, but not with the head that somebody saw."""
    house = House()
    house.write(home)
    whole = (home / hand.ACCESS).read_bytes().splitlines()
    heads = home.parent / "heads.jsonl"
    seen = {"path": hand.ACCESS, "line": 3, "hash": whole[2][-66:-2].decode()}
    heads.write_text(json.dumps(seen) + "\n")
    assert audit(home, heads=heads).is_clean

    house.books[hand.ACCESS][2]["who"] = "somebody"
    house.write(home)

    assert places(audit(home, heads=heads)) == {("heads", str(heads), 1)}


def _spaced(mark: str) -> str:
    return mark.join(hand.CARD[at : at + 4] for at in range(0, 16, 4))


SPELLED = {
    "plain": hand.CARD,
    "inside a longer number": f"00{hand.CARD}99",
    "spaced": _spaced(" "),
    "dashed": _spaced("-"),
    "hex": hand.CARD.encode().hex(),
    "url-encoded": "".join(f"%{ord(digit):02X}" for digit in hand.CARD),
    "base64": base64.b64encode(hand.CARD.encode()).decode(),
    "base64, one byte on": base64.b64encode(f'"{hand.CARD}"'.encode()).decode(),
    "base64, two bytes on": base64.b64encode(f':"{hand.CARD}"}}'.encode()).decode(),
}


@pytest.mark.parametrize("name", SPELLED)
@pytest.mark.parametrize("path", ["data/logs/vault.jsonl", "mailboxes/vault/old.bin", "core"])
def test_a_card_number_is_found_however_it_is_spelled(home: Path, name: str, path: str):
    """Any file under the home; the finding names the line and never the number."""

    def damage(home: Path) -> None:
        (home / path).parent.mkdir(parents=True, exist_ok=True)
        (home / path).write_text(f"first line\nsays x{SPELLED[name]}x here\n")

    report = audited(home, House(), damage)

    assert places(report) == {("card numbers", path, 2)}
    assert hand.CARD not in report.table()


def test_packed_digits_are_found(home: Path):
    """Two digits a byte is how cards travel on old wires."""
    report = audited(home, House(), lambda home: _put(home / "raw", bytes.fromhex(hand.CARD)))

    assert places(report) == {("card numbers", "raw", 1)}


def _put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


@pytest.mark.parametrize("text", [b'{"cvc":"123"}', b'{"body":"{\\"CVV\\": 1}"}'])
def test_a_field_for_a_cvc_is_found(home: Path, text: bytes):
    """By its name alone, also inside JSON that is text in JSON; the decline code is no field."""
    fine = b'{"decline_code":"incorrect_cvc"}\n'

    report = audited(home, House(), lambda home: _put(home / "data/x.json", fine + text))

    assert places(report) == {("cvc fields", "data/x.json", 2)}


def _run(home: Path, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.auditor", str(home), *more]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_command_says_by_its_exit_code_what_it_found(home: Path):
    """0 and `clean` for a clean home, 1 with the place for a damaged one, JSON on demand."""
    House().write(home)
    clean = _run(home)
    _flip(hand.PAYMENTS, 12)(home)
    damaged = _run(home, "--json")

    assert (clean.returncode, clean.stdout.splitlines()[-1]) == (0, "clean")
    assert damaged.returncode == 1
    found = json.loads(damaged.stdout)["findings"][0]
    assert (found["path"], found["line"]) == (hand.PAYMENTS, 1)


def test_the_auditor_knows_no_code_of_the_product():
    """Only the standard library and itself: a mistake of the product cannot be shared."""
    allowed = sys.stdlib_module_names | {"tests", "pytest"}

    for path in Path(__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert {name.split(".")[0] for name in names} <= allowed, path
