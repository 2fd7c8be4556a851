"""A small month at a house of real processes: played, killed, played on, and whole afterwards."""

import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.request import Request, urlopen

import pytest

from actors.cli.chaos.house import House
from actors.cli.seeding.month import spread
from payrail.domain.synthetic import Plan
from payrail.domain.testcards import outcome_for
from tests.auditor.audit import audit
from tests.scenarios.living import lines, living, sizes, until

pytestmark = pytest.mark.scenario
SETTINGS = {"PAYRAIL_PROVIDER_TIMEOUT": "2s"}
PAYMENTS, DAYS = 12, 6
WORDS = ("seed", "--payments", str(PAYMENTS), "--days", str(DAYS), "--json")
PLAN = Plan(42, PAYMENTS, days=DAYS)
FILES = ("data/vault", "data/settlement", "data/reconciliation")
LEDGERS = ("payments", "refunds", "disputes")
#: How often a driver is killed before one is let through.
KILLS = 5


@pytest.fixture(scope="module")
def summary(house: House) -> dict[str, Any]:
    """What the month said at its end, played without a disturbance."""
    return played(house)


def played(house: House) -> dict[str, Any]:
    ran = house.cli(*WORDS)
    assert ran.returncode == 0, ran.stderr + ran.stdout
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def ends(house: House) -> dict[str, dict[str, Any]]:
    """Each order of the plan with its end, where no issuer's chance is in it."""
    sure = {one.key for one in PLAN.stream() if outcome_for(one.card.number) is not None}
    found: dict[str, dict[str, Any]] = {}
    cursor = ""
    while True:
        page = asked(house, f"/payment-intents?q=seed-42-&limit=100{cursor}")
        for row in page["data"]:
            key = row["metadata"]["order"]
            assert key not in found, f"{key} was created twice"
            found[key] = {name: row[name] for name in ("state", *AMOUNTS)}
            found[key]["captures"] = [one["amount"] for one in row["captures"]]
        if not page["has_more"]:
            assert set(found) == {one.key for one in PLAN.stream()}
            return {key: found[key] for key in sure}
        cursor = f"&cursor={page['next_cursor']}"


AMOUNTS = ("amount", "amount_captured", "amount_refunded", "amount_disputed", "amount_charged_back")


def asked(house: House, path: str) -> dict[str, Any]:
    """Both demo merchants' part of a list, joined."""
    key = (house.home / "data" / "secrets" / "service").read_text().strip()
    with urlopen(Request(f"{house.api}{path}", headers={"Authorization": f"Bearer {key}"})) as it:
        found: dict[str, Any] = json.load(it)
        return found


def booked(house: House) -> list[dict[str, Any]]:
    """All entries, but for what a provider says again and again of a payment that is in doubt."""
    books = [house.home / "data" / "ledger" / f"{name}.jsonl" for name in LEDGERS]
    return [row for path in books for row in lines(path) if row["type"] != "payment.unknown"]


def moved_days(house: House) -> float:
    clock = json.loads((house.home / "data" / "clock.json").read_bytes())
    return float(clock["ahead_ms"]) / 86_400_000


def must_be_whole(house: House) -> None:
    """`verify` finds nothing, nor does the auditor who knows no code of the product."""
    ran = house.cli("verify")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    house.stop()
    report = audit(house.home)
    assert report.findings == [], report.findings[:5]
    house.start()


def test_all_ends_as_planned(summary: dict[str, Any]):
    """Every payment is there, and nothing went otherwise."""
    assert (summary["payments"], summary["new"]) == (PAYMENTS, PAYMENTS)
    assert (summary["not_as_planned"], summary["settlement"]["status"]) == ([], "done")


def test_the_clock_moved_once_for_each_day(house: House, summary: dict[str, Any]):
    """The last day stands: there are five nights between six days."""
    assert moved_days(house) == pytest.approx(DAYS - 1, abs=0.01)


def test_every_planned_break_is_found_and_no_other(summary: dict[str, Any]):
    """What a provider was told to spoil is named by its class, and nothing else is."""
    planned = [one.kind for found in spread(PLAN).values() for one in found]
    assert {name: row["planned"] for name, row in summary["breaks"].items()} == Counter(planned)
    assert {name: row["found"] for name, row in summary["breaks"].items()} == Counter(planned)


def test_the_same_month_once_more_changes_nothing(house: House, summary: dict[str, Any]):
    """No payment, refund, dispute or card is added, and no clock is moved."""
    before, moved = (booked(house), sizes(house.home, *FILES)), moved_days(house)
    again = played(house)
    assert (again["new"], again["not_as_planned"]) == (0, [])
    assert again["breaks"] == summary["breaks"]
    assert again["states"] == summary["states"]
    assert (booked(house), sizes(house.home, *FILES)) == before
    assert moved_days(house) == moved


def test_whoever_ends_it_is_told_what_was_done(house: House, summary: dict[str, Any]):
    """Ctrl-C is 130, with the sums so far and the way to go on; the same command then does."""
    words = ("seed", "--seed", "8", "--payments", "30", "--days", "0")
    driver = started(house, words, subprocess.PIPE)
    before = len(booked(house))
    until(lambda: len(booked(house)) > before + 5, "some payments are made")
    driver.send_signal(signal.SIGINT)
    _, told = driver.communicate(timeout=60)
    assert driver.returncode == 130
    assert "payments were created" in told.decode()
    assert "goes on from here" in told.decode()
    assert house.cli(*words).returncode == 0


def test_a_frozen_clock_is_moved_and_stays_frozen(house: House, summary: dict[str, Any]):
    """Days pass under whoever froze them, and they are told so."""
    house.cli("clock", "freeze")
    try:
        ran = house.cli("seed", "--seed", "9", "--payments", "2", "--days", "2")
        mode = json.loads(house.cli("clock", "show", "--json").stdout)["mode"]
    finally:
        house.cli("clock", "follow")
    assert ran.returncode == 0, ran.stderr
    assert "frozen" in ran.stderr
    assert mode == "freeze"


def test_a_seeded_month_is_whole(house: House, summary: dict[str, Any]):
    """Days, breaks, refunds and disputes leave books that agree with their journals."""
    must_be_whole(house)


@pytest.fixture(scope="module")
def disturbed(
    house: House, summary: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """Another house, whose driver is killed again and again."""
    house.stop()
    with living(tmp_path_factory.mktemp("disturbed"), SETTINGS) as other:
        yield other


def test_a_driver_killed_anywhere_goes_on_where_it_was(
    house: House, disturbed: House, summary: dict[str, Any]
):
    """Its end is that of a run that nobody disturbed: each order once, each day once."""
    draws = random.Random(7)
    for _ in range(KILLS):
        driver = started(disturbed, WORDS, subprocess.DEVNULL)
        time.sleep(1 + draws.random() * 3)  # Anywhere: there is nothing to wait for.
        driver.send_signal(signal.SIGKILL)
        driver.wait()
    last = played(disturbed)
    assert last["not_as_planned"] == []
    after = ends(disturbed)
    assert moved_days(disturbed) == pytest.approx(DAYS - 1, abs=0.01)
    must_be_whole(disturbed)
    disturbed.stop()
    house.start()
    assert after == ends(house)


def started(house: House, words: tuple[str, ...], told: int) -> "subprocess.Popen[bytes]":
    """A driver in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "actors.cli.main", *words],
        cwd=house.folder,
        env=house.env,
        stdout=subprocess.DEVNULL,
        stderr=told,
    )
