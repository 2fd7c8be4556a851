"""A house seeded on one day: every state, every request to be found, and nothing twice."""

import json
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from actors.cli import settling
from actors.cli.chaos.house import House
from actors.cli.seeding.ends import Ends
from actors.cli.seeding.happenings import Happenings
from actors.cli.seeding.report import REQUESTS
from actors.cli.seeding.tally import Tally
from actors.cli.shop import Answer, Shop
from payrail.domain.synthetic import Plan, seed_plan, world
from tests.scenarios.living import files, lines, logged, sizes, until

pytestmark = pytest.mark.scenario
#: What a doubtful payment waits for; the rest of the house is not made faster by it.
SETTINGS = {"PAYRAIL_PROVIDER_TIMEOUT": "2s"}
BOOKS = ("data/ledger", "data/outbox", "data/providers", "data/vault", "data/settlement")
TWICE = (
    *("created", "requires_action", "authorized", "captured"),
    *("declined", "reversed", "unknown"),
)


@pytest.fixture(scope="module")
def summary(house: House) -> dict[str, Any]:
    """What the first seeding of the house said; the house is seeded from here on."""
    return seeded(house)


def seeded(house: House, *words: str) -> dict[str, Any]:
    ran = house.cli("seed", "--days", "0", "--json", *words)
    assert ran.returncode == 0, ran.stderr + ran.stdout
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def entries(house: House) -> list[dict[str, Any]]:
    return lines(house.home / "data" / "ledger" / "payments.jsonl")


def created(house: House) -> list[dict[str, Any]]:
    return [entry for entry in entries(house) if entry["type"] == "payment.created"]


def test_every_state_is_there_at_least_twice(house: House, summary: dict[str, Any]):
    """Fifty payments end as planned, at both providers, for both merchants, in currencies of every
    exponent; a house that can settle has settled ones among them."""
    assert summary["not_as_planned"] == []
    assert (summary["payments"], summary["new"]) == (50, 50)
    counts = {state: one["count"] for state, one in summary["states"].items()}
    assert {state for state in TWICE if counts.get(state, 0) < 2} == set()
    assert counts.get("settled", 0) >= 2 or summary["settlement"]["status"] == "not_yet"
    assert summary["passed_through"]["processing"] >= 40
    assert {"providerA", "providerB"} <= set(summary["providers"])
    booked = created(house)
    assert {entry["merchant_id"] for entry in booked} == {"m_001", "m_002"}
    assert {entry["currency"] for entry in booked} == {"USD", "EUR", "JPY", "KWD"}


def test_the_breakers_stay_closed(house: House, summary: dict[str, Any]):
    """The refusals that move a charge to the second provider are too few to shut the first."""
    moves = {"provider.breaker_opened", "provider.half_opened", "provider.closed"}
    assert not [entry for entry in entries(house) if entry["type"] in moves]
    rows = json.loads(house.cli("providers", "ls", "--json").stdout)
    assert [(row["breaker"], row["faults"]) for row in rows] == [("CLOSED", [])] * 2


def test_every_payment_has_its_request_in_the_log(house: House, summary: dict[str, Any]):
    """The correlation id of each `payment.created` is that of a POST which was answered."""
    booked = created(house)
    asked = {
        line["correlation_id"]: line
        for line in until(lambda: requests_of(house, booked), "every request is logged")
    }
    for entry in booked:
        line = asked[entry["correlation_id"]]
        assert (line["method"], line["path"]) == ("POST", "/payment-intents")
        assert line["status"] in (201, 202, 402)


def requests_of(house: House, booked: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The front door's lines of these payments' creation, once all of them are written."""
    wanted = {entry["correlation_id"] for entry in booked}
    found = [
        line
        for line in logged(house.home, "frontdoor")
        if line.get("path") == "/payment-intents" and line["correlation_id"] in wanted
    ]
    return found if {line["correlation_id"] for line in found} == wanted else []


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")
def test_the_line_that_joins_payments_to_requests_works(house: House, summary: dict[str, Any]):
    """`seed` shows a jq line; each payment comes out of it with the request that made it."""
    until(lambda: requests_of(house, created(house)), "every request is logged")
    ran = subprocess.run(
        REQUESTS, shell=True, cwd=house.home, capture_output=True, text=True, check=True
    )
    rows = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [row[0] for row in rows] == [entry["ref"] for entry in created(house)]
    assert {tuple(row[1:3]) for row in rows} == {("POST", "/payment-intents")}


def test_the_same_seed_once_more_changes_nothing(house: House, summary: dict[str, Any]):
    """Every key is known: no payment, no charge and no card is added, and the answers agree."""
    before = sizes(house.home, *BOOKS)
    again = seeded(house)
    assert (again["new"], again["not_as_planned"]) == (0, [])
    assert again["states"] == summary["states"]
    assert sizes(house.home, *BOOKS) == before


def test_a_longer_plan_goes_on_where_the_shorter_ended(house: House, summary: dict[str, Any]):
    """Sixty payments at a house that has fifty of them are ten more."""
    assert seeded(house, "--payments", "60")["new"] == 10


def test_another_seed_is_other_payments(house: House, summary: dict[str, Any]):
    """Keys, customers and cards of another seed are others."""
    counted = len(created(house))
    other = seeded(house, "--seed", "7", "--payments", "5")
    assert (other["new"], other["not_as_planned"]) == (5, [])
    assert len(created(house)) == counted + 5


def test_people_and_orders_of_a_seed_stand_in_the_book(house: House, summary: dict[str, Any]):
    """Who paid how much is what the seed says, whoever runs it."""
    expected = Counter(
        (one.key, one.customer.email, one.amount_minor, one.currency) for one in seed_plan(42)
    )
    booked = Counter(
        (
            entry["data"]["metadata"]["order"],
            entry["data"]["customer"]["email"],
            entry["amount"],
            entry["currency"],
        )
        for entry in created(house)
    )
    assert expected <= booked


def test_no_card_of_the_world_reaches_a_file(house: House, summary: dict[str, Any]):
    """Neither invented nor documented numbers stand in clear, in books, mailboxes or logs."""
    cards = [*world(42).cards, *(one.card for one in seed_plan(42))]
    numbers = {card.number.encode() for card in cards}
    for path in files(house.home):
        data = path.read_bytes()
        assert not any(number in data for number in numbers), path


def test_verify_finds_a_seeded_house_whole(house: House, summary: dict[str, Any]):
    """Doubt, drills and replays leave books that agree with their journals."""
    ran = house.cli("verify")
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_pages_that_it_names_open(house: House, summary: dict[str, Any]):
    """Whoever follows a link of the summary has no key in hand, and needs none."""
    for url in summary["where"]["urls"]:
        with urlopen(url, timeout=20) as answer:
            assert answer.status == 200, url


def test_urls_lead_to_a_house_elsewhere(house: House, summary: dict[str, Any]):
    """With URLs of API and vault set, as between containers, the ports of this machine are not
    asked; the keys still come from the shared home."""
    given = {"PAYRAIL_API_URL": house.api, "PAYRAIL_VAULT_URL": house.vault}
    ran = with_settings(house, {**given, "PAYRAIL_API_PORT": "1", "PAYRAIL_VAULT_PORT": "2"})
    assert ran.returncode == 0, ran.stderr


def test_a_home_without_the_secret_is_refused_and_gets_none(
    house: House, summary: dict[str, Any], tmp_path: Path
):
    """A secret made beside the running house would be another one: 78, and nothing is written."""
    ran = with_settings(house, {"PAYRAIL_HOME": str(tmp_path)})
    assert ran.returncode == 78
    assert "Set PAYRAIL_HOME" in ran.stderr
    assert files(tmp_path) == []


def test_a_vault_that_nobody_answers_for_is_69(house: House, summary: dict[str, Any]):
    """Before anything is asked for, and with the setting to mend."""
    ran = with_settings(house, {"PAYRAIL_VAULT_URL": "http://127.0.0.1:1"})
    assert ran.returncode == 69
    assert "PAYRAIL_VAULT_URL" in ran.stderr


def with_settings(house: House, settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    kept, house.env = house.env, {**house.env, **settings}
    try:
        return house.cli("seed", "--days", "0", "--payments", "3")
    finally:
        house.env = kept


class Scripted(Shop):
    """A house that answers POST as it is told."""

    def __init__(self, statuses: dict[str, int]) -> None:
        super().__init__("", "", {})
        self.statuses = statuses
        self.asked: list[str] = []

    async def keep_posting(
        self,
        operation: str,
        merchant_id: str,
        path: str,
        body: Any,
        key: str | None,
        *,
        role: str = "",
    ) -> Answer:
        self.asked.append(path)
        return Answer(self.statuses[path])

    @property
    def happenings(self) -> Happenings:
        return Happenings(self, Plan(42), {}, ("", ""), Tally())


RUNS = ("/settlements", "/reconciliations")


async def test_a_house_that_settles_settles_what_is_due():
    """Files first, then the comparison that settles what they match."""
    shop = Scripted(dict.fromkeys(RUNS, 200))
    assert (await settling.settle(shop.happenings, due=20)).status == "done"
    assert shop.asked == [*RUNS]


async def test_what_is_settled_is_not_settled_again():
    """A second run of the same seed closes no batch."""
    shop = Scripted({})
    came = await settling.settle(shop.happenings, due=0)
    assert (came.status, shop.asked) == ("not_due", [])


@pytest.mark.parametrize(("status", "came"), [(404, "not_yet"), (405, "not_yet"), (500, "failed")])
async def test_a_house_that_cannot_settle_is_told_apart_from_one_that_fails(status, came):
    """A missing route is no failure, a refusal is."""
    found = await settling.settle(Scripted({"/settlements": status}).happenings, due=20)
    assert found.status == came


@pytest.mark.parametrize(("settled", "came"), [(20, "done"), (19, "failed")])
def test_a_payment_that_no_statement_matches_is_not_called_settled(settled, came):
    """A break stays `captured`, and seeding says that it failed."""
    ends = Ends(counts=Counter({("settled", "EUR"): settled, ("captured", "EUR"): 4}))
    found = settling.judged(settling.Settling("done", ""), Tally(due=20), ends)
    assert (found.status, found.told) == (came, f"{settled} of 20 payments settled")
