"""The verb `vault audit`: who touched a card, what is odd, and whether the log is whole."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from actors.cli.vault import vault
from actors.simulation.house import SimHouse, authorized, open_house
from actors.simulation.orders import capture
from payrail.domain.books import CARD_ACCESS_BOOK

KEPT_OUT = ("data/secrets", "data/vault/keys.json")


@pytest.fixture
def house() -> SimHouse:
    made, token = open_house()
    made.say(capture(authorized(made, token)), "capture")
    authorized(made, token, "q")
    return made


@pytest.fixture
def home(house: SimHouse, tmp_path: Path) -> Path:
    """The files of a house on a real disk, as an auditor is given them: without secrets."""
    for path, node in house.disk.names.items():
        if not node.is_folder and not path.startswith(KEPT_OUT):
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_bytes(bytes(node.content))
    return tmp_path


def ask(home: Path, *words: str) -> Result:
    return CliRunner().invoke(vault, ["audit", *words], env={"PAYRAIL_HOME": str(home)})


def told(home: Path, *words: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(ask(home, "--json", *words).stdout)
    return found


def test_the_history_of_a_token_is_tokenize_then_its_charge(home: Path):
    """Each line says who, why, for which payment and by whose request; the chain is whole."""
    whole = told(home)
    stored, charged, again = whole["data"]

    assert again["payment_id"] != charged["payment_id"]
    assert (stored["purpose"], stored["outcome"]) == ("tokenize", "allowed")
    assert (charged["purpose"], charged["provider"]) == ("charge.authorize", "providerA")
    assert charged["payment_id"].startswith("pi_")
    assert charged["correlation_id"].startswith("cor_")
    assert (whole["chain"], whole["lines"], whole["anomalies"]) == ("ok", 3, [])
    assert told(home, "--token", stored["token"])["data"] == whole["data"]


def test_the_table_ends_with_chain_ok_and_nothing_is_written(home: Path):
    """People read the same; looking at a home makes no file in it."""
    before = sorted(home.rglob("*"))
    result = ask(home)

    assert result.exit_code == 0
    assert result.stdout.splitlines()[0].split()[:4] == ["AT", "WHO", "TOKEN", "PURPOSE"]
    assert result.stdout.splitlines()[-1] == "chain ok (3 lines)"
    assert sorted(home.rglob("*")) == before


def test_a_token_that_nobody_used_is_66(home: Path):
    """The log knows no such token, which is not the same as an empty history."""
    nobody = ask(home, "--token", "tok_none")
    assert (getattr(nobody.exception, "code", None), nobody.stdout) == (66, "")
    assert ask(home).exit_code == 0


def _flip(data: bytes) -> bytes:
    at = data.index(b"\n") + 30
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


@pytest.mark.parametrize(
    ("damage", "line"),
    [
        (_flip, 2),
        (lambda data: data[: data.index(b"\n") + 1], 2),
        (lambda _: b"", 1),
        (lambda data: b"".join(reversed(data.splitlines(keepends=True))), 1),
    ],
    ids=["one bit", "last line cut off", "emptied", "swapped"],
)
def test_a_damaged_log_is_65_with_file_and_line(home: Path, damage: Any, line: int):
    """The journal of the vault knows every line, so that no history is quietly another one."""
    log = home / CARD_ACCESS_BOOK
    log.write_bytes(damage(log.read_bytes()))
    result = ask(home)

    assert result.exit_code == 65
    assert f"{CARD_ACCESS_BOOK}:{line}: " in result.stderr
    assert "chain ok" not in result.output
    found = told(home)
    assert found["chain"] == "damaged"
    assert (CARD_ACCESS_BOOK, line) in [(f["path"], f["line"]) for f in found["findings"]]


def test_a_home_without_a_log_has_nothing_to_tell(tmp_path: Path):
    """Where no card ever was, the chain of no lines is whole."""
    result = ask(tmp_path)
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "chain ok (0 lines)")
