"""The auditor finds damage in the bytes: chains, journals, heads, card numbers; and its command."""

import ast
import base64
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.auditor import handmade as hand
from tests.auditor.audit import audit
from tests.auditor.handmade import House
from tests.auditor.planted import Plant, append, audited, flip, lines_of, places

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "path",
    [hand.PAYMENTS, hand.OUTBOX, hand.ACCESS, hand.TRUTH_A, hand.GATEWAY, hand.VAULT],
)
def test_one_flipped_bit_is_one_finding_of_the_chain(home: Path, path: str):
    """A changed bit in the first line is found there, and the lines after it are not blamed."""
    house = House()
    house.journaled()

    report = audited(home, house, flip(path, 12))

    chain = [found for found in report.findings if found.check == "chain"]
    assert [(found.path, found.line) for found in chain] == [(path, 1)]


def test_a_line_taken_out_is_found_where_the_chain_breaks(home: Path):
    """Every line is whole by itself, and the one behind the hole is named."""
    damage = lines_of(hand.ACCESS, lambda lines: lines.pop(1))

    assert ("chain", hand.ACCESS, 2) in places(audited(home, House(), damage))


def test_a_torn_tail_is_found(home: Path):
    """A last line without its end is named by the number that it would have."""
    damage = lines_of(hand.TRUTH_A, lambda lines: lines.append(b'{"seq":3'))

    assert places(audited(home, House(), damage)) == {("chain", hand.TRUTH_A, 3)}


def test_a_cut_book_is_behind_its_journal(home: Path):
    """A lost last line leaves a whole chain; the journal that still has it gives it away."""
    house = House()
    house.journaled()
    damage = lines_of(hand.ACCESS, lambda lines: lines.pop())

    assert ("booked", hand.VAULT, 2) in places(audited(home, house, damage))


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


def test_a_known_dead_letter_is_no_finding(home: Path):
    """What lay in the dead letters before the run is not blamed on it."""
    house = House()
    append(hand.DEAD, {"id": "dl_1", "why": "schema"})(house)
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
    flip(hand.PAYMENTS, 12)(home)
    damaged = _run(home, "--json")

    assert (clean.returncode, clean.stdout.splitlines()[-1]) == (0, "clean")
    assert damaged.returncode == 1
    found = json.loads(damaged.stdout)["findings"][0]
    assert (found["path"], found["line"]) == (hand.PAYMENTS, 1)


def test_the_auditor_knows_no_code_of_the_product():
    """Only the standard library, the ciphers and itself: a mistake of the product cannot be
    shared."""
    allowed = sys.stdlib_module_names | {"tests", "pytest", "cryptography"}

    for path in Path(__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert {name.split(".")[0] for name in names} <= allowed, path
