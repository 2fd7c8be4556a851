"""The books of a house, checked by hledger and Beancount: programs that we did not write."""

import csv
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from actors.cli.audit import audit
from actors.simulation.settled import SettledHouse
from payrail.audit.export_names import beancount_account, decimal
from tests.actors.doors import book, open_door
from tests.rules.ledger_lines import moved

LEDGER = "data/ledger/payments.jsonl"
HLEDGER, BEAN_CHECK = shutil.which("hledger"), Path(sys.executable).parent / "bean-check"
needs_hledger = pytest.mark.skipif(HLEDGER is None, reason="hledger is not installed")
needs_beancount = pytest.mark.skipif(not BEAN_CHECK.exists(), reason="beancount is not installed")
#: Adds up every account with Beancount's own loader; one JSON object on stdout.
SUM_UP = """
import collections, json, sys
from beancount import loader
from beancount.core.data import Transaction
entries, errors, _ = loader.load_file(sys.argv[1])
sums = collections.defaultdict(collections.Counter)
for entry in entries:
    for posting in entry.postings if isinstance(entry, Transaction) else ():
        sums[posting.account][posting.units.currency] += posting.units.number
print(json.dumps([len(errors), {a: {c: str(n) for c, n in s.items()} for a, s in sums.items()}]))
"""


@pytest.fixture(scope="module")
def house() -> SettledHouse:
    """Captures in currencies with 0, 2 and 3 decimals, some of them settled and paid out."""
    made = SettledHouse()
    made.start()
    token = made.card()
    for number, currency in enumerate(("USD", "JPY", "KWD", "EUR")):
        made.captured(token, f"p{number}", 123_457 + number, currency=currency)
    made.settle()
    made.reconcile()
    made.captured(token, "late", 4999)
    return made


@pytest.fixture
def home(house: SettledHouse, tmp_path: Path) -> Path:
    """The ledger of the house on a real disk."""
    where = tmp_path / "home" / LEDGER
    where.parent.mkdir(parents=True)
    where.write_bytes(house.bytes_of(LEDGER))
    return tmp_path / "home"


def ask(home: Path, *words: str) -> Result:
    return CliRunner().invoke(audit, ["ledger", *words], env={"PAYRAIL_HOME": str(home)})


def balances(home: Path, *more: str) -> dict[str, dict[str, int]]:
    """What `ledger balance` says."""
    found = json.loads(ask(home, "balance", "--json", *more).stdout)
    accounts: dict[str, dict[str, int]] = found["accounts"]
    return accounts


def exported(home: Path, form: str) -> Path:
    out = home.parent / f"books.{form}"
    result = ask(home, "export", "--format", form, "--out", str(out))
    assert result.exit_code == 0, result.output
    return out


def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)


def test_the_house_has_books_worth_checking(home: Path) -> None:
    """Four currencies move, and money is in the bank."""
    assert set(balances(home)["liability:m_001:pending"]) == {"USD", "JPY", "KWD", "EUR"}
    assert balances(home)["asset:bank"]["USD"] > 0


@needs_hledger
def test_hledger_finds_nothing_wrong(home: Path) -> None:
    """Every account and commodity is declared, every transaction balances, days are in order."""
    journal = exported(home, "hledger")
    result = run("hledger", "-f", journal, "check", "--strict", "ordereddates")
    assert (result.returncode, result.stderr) == (0, "")


@needs_hledger
def test_hledger_comes_to_our_balances(home: Path) -> None:
    """Account by account and currency by currency, the sums of hledger are those of `balance`."""
    journal = exported(home, "hledger")
    told = run(
        *("hledger", "-f", journal, "balance", "--flat", "--no-total"),
        *("--layout", "bare", "--output-format", "csv"),
    )
    rows = csv.DictReader(io.StringIO(told.stdout))
    theirs = {(row["account"], row["commodity"], row["balance"]) for row in rows}
    assert theirs == {
        (account, currency, decimal(amount_minor, currency))
        for account, sums in balances(home).items()
        for currency, amount_minor in sums.items()
        if amount_minor  # What comes to nothing is not listed.
    }


@needs_beancount
def test_bean_check_finds_nothing_wrong(home: Path) -> None:
    """Accounts are open in their currencies, transactions balance, and our balances are right."""
    result = run(BEAN_CHECK, exported(home, "beancount"))
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


@needs_beancount
def test_bean_check_finds_a_balance_that_is_off_by_one(home: Path) -> None:
    """The balances at the end are held to the minor unit: one more or less is an error."""
    ledger = exported(home, "beancount")
    text = ledger.read_text()
    bank = decimal(balances(home)["asset:bank"]["KWD"], "KWD")
    wrong = decimal(balances(home)["asset:bank"]["KWD"] + 1, "KWD")
    ledger.write_text(text.replace(f"Assets:Bank  {bank} ~", f"Assets:Bank  {wrong} ~"))

    assert run(BEAN_CHECK, ledger).returncode != 0


@needs_beancount
def test_beancount_comes_to_our_balances(home: Path) -> None:
    """Account by account and currency by currency, the sums of Beancount are those of `balance`."""
    told = run(sys.executable, "-c", SUM_UP, exported(home, "beancount"))
    errors, theirs = json.loads(told.stdout)
    assert errors == 0
    assert theirs == {
        beancount_account(account): {
            currency: decimal(amount_minor, currency) for currency, amount_minor in sums.items()
        }
        for account, sums in balances(home).items()
    }


def test_a_file_is_replaced_only_when_told_to(home: Path) -> None:
    """An export never writes over a file by itself, nor over the books at all."""
    out = exported(home, "csv")
    was = out.read_bytes()
    out.write_text("mine")
    words = ("export", "--format", "csv", "--out")
    refused = ask(home, *words, str(out))
    assert (getattr(refused.exception, "code", 0), out.read_text()) == (64, "mine")
    assert ask(home, *words, str(out), "--force").exit_code == 0
    assert out.read_bytes() == was

    ledger = (home / LEDGER).read_bytes()
    among = ask(home, *words, str(home / LEDGER), "--force")
    assert getattr(among.exception, "code", 0) == 64
    assert (home / LEDGER).read_bytes() == ledger
    assert sorted(path.name for path in home.parent.iterdir()) == ["books.csv", "home"]


def test_a_damaged_ledger_leaves_no_file(home: Path) -> None:
    """An export of damaged books writes nothing, neither to the file nor to stdout."""
    ledger = home / LEDGER
    ledger.write_bytes(ledger.read_bytes().replace(b"123457", b"123458", 1))
    out = home.parent / "books"
    for words in (("--out", str(out)), ()):
        result = ask(home, "export", "--format", "hledger", *words)
        assert (type(result.exception).__name__, result.stdout) == ("Corrupt", "")
    assert not out.exists()


def test_balances_of_a_time_count_entries_up_to_it(home: Path, house: SettledHouse) -> None:
    """`balance --at` is what the books said then; without its zone a time is 64."""
    times = sorted({entry["timestamp"] for entry in house.entries if entry["postings"]})
    assert balances(home, "--at", times[-1]) == balances(home)
    assert balances(home, "--at", "2020-01-01T00:00:00Z") == {}
    refused = ask(home, "balance", "--at", "2026-02-09")
    assert getattr(refused.exception, "code", 0) == 64
    assert str(refused.exception).startswith("--at must be an ISO time")


async def test_balances_over_http_look_back(tmp_path: Path) -> None:
    """`GET /balances?at=` counts entries up to that time over a book of any length, its own time
    included; a bad time is 422 and names the field."""
    count = 3000  # More than one stretch of the book.
    entries = [
        {**moved(0, 1), "timestamp": f"2026-02-09T12:{n // 60:02d}:{n % 60:02d}.000Z"}
        for n in range(count)
    ]
    for one in entries:
        del one["seq"]
    book(tmp_path, LEDGER, entries)
    async with open_door(tmp_path) as door:
        for at, expected in (
            ("2026-02-09T11:59:59.999Z", None),
            ("2026-02-09T12:00:00Z", 1),
            ("2026-02-09T12:20:00.500Z", 1201),
            ("2026-02-09T13:49:59%2B01:00", count),
            ("2099-01-01T00:00:00Z", count),
        ):
            _, _, page = await door.ask("GET", f"/balances?at={at}")
            wanted = [] if expected is None else [expected]
            assert [row["amount"] for row in page["data"]] == wanted, at
        status, _, problem = await door.ask("GET", "/balances?at=2026-02-09")
        assert (status, problem["errors"][0]["field"]) == (422, "at")
