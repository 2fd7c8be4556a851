"""The verbs `verify`, `why` and `ledger`: exit codes, JSON on stdout, and nothing written."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from actors.cli.audit import audit
from actors.simulation.house import SimHouse, authorized, open_house
from actors.simulation.orders import capture

LEDGER = "data/ledger/payments.jsonl"


@pytest.fixture
def house() -> SimHouse:
    made, token = open_house()
    made.say(capture(authorized(made, token)), "capture")
    return made


@pytest.fixture
def home(house: SimHouse, tmp_path: Path) -> Path:
    """The files of a house on a real disk, as an auditor is given them: without secrets."""
    for path, node in house.disk.names.items():
        if not node.is_folder and not path.startswith("data/secrets"):
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_bytes(bytes(node.content))
    return tmp_path


def ask(home: Path, *words: str) -> Result:
    return CliRunner().invoke(audit, words, env={"PAYRAIL_HOME": str(home)})


def names(home: Path) -> list[Path]:
    return sorted(home.rglob("*"))


def test_whole_home_is_0_and_nothing_is_written(home: Path):
    """A whole home is an empty list and 0; secrets are not needed, and none are made."""
    before = names(home)
    result = ask(home, "verify", "--json")

    assert (result.exit_code, json.loads(result.stdout)) == (0, [])
    assert ask(home, "ledger", "verify").exit_code == 0
    assert names(home) == before


def test_empty_home_is_whole(tmp_path: Path):
    """Where no house ever was, nothing is damaged, and nothing is made."""
    assert ask(tmp_path, "verify").exit_code == 0
    assert names(tmp_path) == []


@pytest.mark.parametrize("verb", [("verify",), ("ledger", "verify")])
def test_damage_is_65_with_file_and_line(home: Path, verb: tuple[str, ...]):
    """One flipped bit in the ledger: 65, and the row says where."""
    data = bytearray((home / LEDGER).read_bytes())
    data[data.index(b"\n") + 30] ^= 1
    (home / LEDGER).write_bytes(bytes(data))

    assert f"{LEDGER}:2" in ask(home, *verb).stdout
    found = ask(home, *verb, "--json")
    assert found.exit_code == 65
    assert (LEDGER, 2) in [(f["path"], f["line"]) for f in json.loads(found.stdout)]


def test_why_prints_the_tree_and_knows_what_it_does_not_know(home: Path, house: SimHouse):
    """A payment's tree is 0, as text and as JSON; a broken link is 65."""
    payment = house.entries[0]["ref"]
    tree = ask(home, "why", payment)
    assert tree.exit_code == 0
    assert f"[{LEDGER}:1]" in tree.stdout
    nodes = json.loads(ask(home, "why", payment, "--json").stdout)
    assert set(nodes[0]) == {"id", "cause", "at", "actor", "kind", "file", "line", "what"}

    spool = home / "mailboxes/vault/gateway.jsonl"
    spool.write_bytes(spool.read_bytes().replace(b'"amount":1099', b'"amount":1098'))
    assert ask(home, "why", payment).exit_code == 65


def test_balance_and_statement(home: Path, house: SimHouse):
    """Balances and statements are read from the files alone."""
    balance = json.loads(ask(home, "ledger", "balance", "--json").stdout)
    assert balance["trial_balance"] == {"USD": 0}
    payment = house.entries[0]["ref"]
    rows = json.loads(ask(home, "ledger", "show", payment, "--json").stdout)
    assert [row["seq"] for row in rows] == sorted(row["seq"] for row in rows)
    assert "trial balance" in ask(home, "ledger", "balance").stdout
    assert "payment.captured" in ask(home, "ledger", "show", "--all").stdout


def test_a_folder_that_is_no_home_is_told_as_such(tmp_path: Path):
    """Whole is what nothing is, too: whoever stands in the wrong folder has to see it."""
    told = ask(tmp_path, "verify")
    assert told.exit_code == 0
    assert "no house was ever started in" in told.stderr
    assert names(tmp_path) == []
