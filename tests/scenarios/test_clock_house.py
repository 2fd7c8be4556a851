"""The clock in real houses: every process follows it, at once or when it is there again."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.cli.chaos.house import House
from tests.scenarios.living import until
from tests.scenarios.shop import Shop

pytestmark = pytest.mark.scenario

DOWN = '{"operation":"*","do":"down"}'
CLOCK, ROUTING = "data/clock.json", "data/rules/routing.toml"


class Inline(House):
    """All actors in one process."""

    command = (*House.command, "--inline")


@pytest.fixture(params=[House, Inline], ids=["processes", "inline"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    house = request.param(tmp_path)
    house.start()
    try:
        yield house
    finally:
        house.kill_supervisor()


def breaker(house: House) -> str:
    view = json.loads((house.home / "data/providers/providerA_state.json").read_bytes())
    return str(view["breaker"]["state"])


def shown(house: House, *words: str) -> dict:
    ran = house.cli("clock", *words, "--json")
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def test_a_pause_ends_by_the_clock_after_a_restart_too(either: House):
    """The breaker opens, the clock is frozen, the whole house is killed: both are as they were. An
    advance of 30 s ends the pause; wire time did not notice any of it."""
    shop = Shop(either)
    assert either.cli("providers", "inject", "provider-a", DOWN).returncode == 0
    token = shop.tokenize()
    for _ in range(5):
        assert shop.create(token, confirm=True).status == 201
    assert breaker(either) == "OPEN"
    frozen = shown(either, "freeze")
    either.kill_supervisor()
    either.start()
    again = shown(either, "show")
    assert (again["mode"], again["business_time"]) == ("freeze", frozen["business_time"])
    assert breaker(either) == "OPEN"

    moved = shown(either, "advance", "30s")
    until(lambda: breaker(either) == "HALF_OPEN", "the pause is over")

    assert moved["mode"] == "freeze"
    lines = (either.home / "data/actors/gateway/journal.jsonl").read_bytes().split(b"\n")[:-1]
    times = [json.loads(line)["at"] for line in lines]
    assert times == sorted(times)
    assert times[-1] < moved["business_time"]
    assert either.cli("verify").returncode == 0


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("advance", "soon"), 64, "DURATION must be a duration from 1s to 400d"),
        (("advance", "-5s"), 64, ""),
        (("advance", "5s"), 69, "payrail up"),
        (("show",), 69, "payrail up"),
    ],
)
def test_the_clocks_verbs_end_as_all_verbs_do(tmp_path: Path, words, code: int, told: str):
    """64 for a slip, 69 where nobody runs; nothing moves."""
    house = House(tmp_path)
    ran = house.cli("clock", *words)

    assert (ran.returncode, ran.stdout) == (code, "")
    assert told in ran.stderr
    assert not (house.home / CLOCK).exists()


@pytest.mark.parametrize(
    ("path", "text", "told"),
    [
        (CLOCK, '{"mode":"back"}', "is not the setting of a clock"),
        (ROUTING, 'order = ["providerC"]', "order[1]: must name a provider"),
    ],
)
def test_the_doctor_names_a_file_on_which_nobody_starts(tmp_path: Path, path, text, told: str):
    """78, with the file and the remedy, before the house is started."""
    house = House(tmp_path)
    assert house.cli("doctor").returncode == 0
    where = house.home / path
    where.parent.mkdir(parents=True)
    where.write_text(text)
    ran = house.cli("doctor")

    assert ran.returncode == 78
    assert path in ran.stdout
    assert told in ran.stdout
    assert where.read_text() == text


@pytest.mark.parametrize("path", [CLOCK, ROUTING])
def test_the_doctor_names_what_stands_where_a_file_should(tmp_path: Path, path):
    """A folder or a link there ends in a finding beside all others, not in the doctor's own end."""
    house = House(tmp_path)
    where = house.home / path
    where.mkdir(parents=True)
    ran = house.cli("doctor", "--json")

    found = [row for row in json.loads(ran.stdout) if row["verdict"] == "mend"]
    assert ran.returncode == 78
    assert [row["seen"].partition(":")[0] for row in found] == [path]
