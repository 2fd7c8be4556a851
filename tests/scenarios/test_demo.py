"""The tour: one command, a house, some hundred payments, and lines that work on its files."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from actors.cli.payments import with_documented_cards
from actors.cli.tour import LINES
from payrail.domain.synthetic import demo_plan
from payrail.domain.testcards import TEST_CARDS

pytestmark = pytest.mark.scenario
COMMAND = (sys.executable, "-P", "-m", "actors.cli.main")


def tour(env: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, "demo", "--exit", *words],
        env=env,
        cwd=env["PAYRAIL_HOME"],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def _lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines()


def files_of(home: Path) -> list[Path]:
    return [path for path in home.rglob("*") if path.is_file()]


def test_the_tour_pays_as_planned_and_works_again(env, tmp_path):
    """Two hundred payments end as the plan says, their sums stand in a table, no card number
    reaches a file, the lines that it shows work, and a second tour finds no key in its way."""
    first = tour(env)
    assert first.returncode == 0, first.stderr + first.stdout
    assert "200 payments" in first.stdout
    book = [json.loads(line) for line in _lines(tmp_path / "data/ledger/payments.jsonl")]
    types = Counter(entry["type"] for entry in book)
    assert types["payment.created"] == 200
    assert types["payment.captured"] > 100
    assert types["payment.declined"] > 10
    assert_no_card_number(tmp_path)
    assert_lines_work(tmp_path)

    second = tour(env, "--payments", "20")
    assert second.returncode == 0, second.stderr + second.stdout


def assert_no_card_number(home: Path) -> None:
    numbers = [number.encode() for number in TEST_CARDS]
    for path in files_of(home):
        data = path.read_bytes()
        assert not any(number in data for number in numbers), path


def assert_lines_work(home: Path) -> None:
    if shutil.which("jq") is None:
        pytest.skip("jq is not installed")
    for line in (*LINES, *lines_of_the_readme()):
        once = line.replace("tail -qF", "tail -q")
        done = subprocess.run(once, shell=True, cwd=home, capture_output=True, check=False)
        assert done.returncode == 0, (line, done.stderr)
        assert done.stdout.strip(), line
        assert not done.stderr, (line, done.stderr)


def lines_of_the_readme() -> list[str]:
    text = (Path(__file__).parents[2] / "README.md").read_text()
    found = [line for line in text.splitlines() if line.startswith(("jq -", "tail -"))]
    assert len(found) > 5
    return found


def test_the_house_stays_up_until_it_is_interrupted(env):
    """Without --exit the house serves on after the tour, and Ctrl-C ends it in order."""
    process = subprocess.Popen(
        [*COMMAND, "demo", "--payments", "8"],
        env=env,
        cwd=env["PAYRAIL_HOME"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "stays up" in line:
            break
    assert process.poll() is None
    os.kill(process.pid, signal.SIGINT)
    _, rest = process.communicate(timeout=20)
    assert process.returncode == 0, rest
    assert "down" in rest


def test_the_plan_is_paid_with_cards_whose_end_is_certain():
    """Every card of the tour is documented, and a decline keeps the card it was planned with."""
    plan = demo_plan(42)
    sure = with_documented_cards(plan)
    assert all(one.card.number in TEST_CARDS for one in sure)
    assert [one.decline_code for one in sure] == [one.decline_code for one in plan]
    assert {TEST_CARDS[one.card.number].outcome for one in sure if one.action != "decline"} == {
        "approved"
    }
