"""`payrail events tail`: events as people and pipes read them, with nobody else at home."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from actors.cli.main import app
from actors.simulation.house import authorized, open_house
from actors.simulation.orders import capture

BOOK = "data/outbox/events.jsonl"
WAIT_S = 20


@pytest.fixture(scope="module")
def told() -> list[bytes]:
    """The events of a captured payment, as they lie in the book."""
    made, token = open_house()
    made.say(capture(authorized(made, token)), "capture")
    return made.fs.read(BOOK).splitlines(keepends=True)


def put(home: Path, lines: list[bytes]) -> None:
    (home / BOOK).parent.mkdir(parents=True, exist_ok=True)
    with (home / BOOK).open("ab") as file:
        file.writelines(lines)


def tail(home: Path, *words: str) -> list[str]:
    result = CliRunner().invoke(app, ["events", "tail", *words], env={"PAYRAIL_HOME": str(home)})
    assert result.exit_code == 0, result.output
    return result.stdout.splitlines()


def following(home: Path, *words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "actors.cli.main", "events", "tail", "-f", *words],
        env={**os.environ, "PAYRAIL_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def ended(process: subprocess.Popen[bytes]) -> tuple[int, bytes]:
    """(exit code, what it said on stderr)."""
    assert process.stderr is not None
    with process.stderr as stderr:
        said = stderr.read()
    code = process.wait(WAIT_S)
    if process.stdout is not None:
        process.stdout.close()
    return code, said


def test_json_is_the_event_as_it_goes_over_http(tmp_path: Path, told: list[bytes]):
    """One event a line, without the links of the chain, and the newest come last."""
    put(tmp_path, told)
    shown = [json.loads(line) for line in tail(tmp_path, "--json", "-n", "3")]

    expected = [json.loads(line) for line in told[-3:]]
    for line in expected:
        del line["prev"], line["hash"]
    assert shown == expected


def test_a_line_for_people_says_what_and_whose(tmp_path: Path, told: list[bytes]):
    """Time, type, object, amount with its decimals, state and correlation id; no colour in a
    pipe."""
    put(tmp_path, told)
    (line,) = [row for row in tail(tmp_path) if "payment.captured" in row]

    payment = json.loads(told[0])["data"]["object"]["id"]
    for word in ("2026-02-09 12:00:00.000", payment, "10.99", "USD", "captured", "cor_capture"):
        assert word in line
    assert "\x1b" not in line


def test_a_type_that_no_event_has_is_a_slip(tmp_path: Path):
    """Exit 64 with what it must be, and nothing is waited for."""
    for words in (("--type", "nope"), ("--type", "payment.capture", "-f")):
        code, said = ended(following(tmp_path, *words))
        assert code == 64
        assert b"must be a type such as payment.captured" in said


def test_filters_choose_by_type_family_and_payment(tmp_path: Path, told: list[bytes]):
    """A type, its family, or one payment; `-n` counts what is left."""
    put(tmp_path, told)
    payment = json.loads(told[0])["data"]["object"]["id"]

    assert len(tail(tmp_path, "--type", "payment.captured")) == 1
    assert tail(tmp_path, "--type", "payment") == tail(tmp_path, "--type", "payment.*")
    both = tail(tmp_path, "--type", "fee", "--type", "payment.created")
    assert [row.split()[2] for row in both] == ["payment.created", "fee.charged"]
    assert tail(tmp_path, "--type", "payout") == tail(tmp_path, "--payment", "pi_none") == []
    assert len(tail(tmp_path, "--payment", payment, "-n", "2")) == 2
    assert tail(tmp_path, "-n", "0") == []


def test_no_book_is_no_event(tmp_path: Path):
    """Where no house ever was there is nothing to show, and nothing is made."""
    assert tail(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_it_follows_from_before_the_file_until_it_is_interrupted(tmp_path: Path, told: list[bytes]):
    """Started before the book exists it shows each event as it comes, a torn one when it is
    whole, and SIGINT is a good end."""
    process = following(tmp_path, "--json")
    assert process.stdout is not None
    put(tmp_path, [told[0], told[1][:40]])
    assert json.loads(process.stdout.readline())["seq"] == 1
    put(tmp_path, [told[1][40:]])
    assert json.loads(process.stdout.readline())["seq"] == 2

    process.send_signal(signal.SIGINT)
    assert ended(process) == (0, b"")


def test_it_ends_with_its_reader(tmp_path: Path, told: list[bytes]):
    """A pipe that nobody reads ends it, also when no further event comes."""
    put(tmp_path, told)
    process = following(tmp_path, "-n", "1")
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()

    assert ended(process) == (0, b"")


def test_a_damaged_book_is_named(tmp_path: Path, told: list[bytes]):
    """A line that does not follow ends it with 70, file and line."""
    put(tmp_path, [told[0], told[2]])
    code, said = ended(following(tmp_path))

    assert code == 70
    assert f"{BOOK}:2".encode() in said
