"""The metrics as a file: a line an actor and window, whatever happens to actors and disks."""

import json
from errno import ENOSPC

import pytest

from actors.frontdoor.metrics_book import PATH, MetricsBook, actors_seen, answers_into
from actors.frontdoor.neighbours import HomeNeighbours
from actors.provider.core import Provider
from payrail.runtime.cells import CellWriter, HomeCells
from payrail.runtime.reports import Reported
from payrail.runtime.sim import SimClock, SimFs
from payrail.web.metrics import ActorSeen, actor_lines
from tests.actors.doors import open_door
from tests.actors.pure import Played
from tests.actors.sealed import DECLINED, GOOD, Drawer, charge, inject

ACTORS = ("gateway", "dispatcher")


class House:
    """Two actors with real cells, and a metrics book on a simulated disk."""

    def __init__(self, home, fs=None, **more):
        self.home, self.fs, self.clock = home, fs or SimFs(), SimClock()
        self.gateway, self.dispatcher = (CellWriter(home, name) for name in ACTORS)
        self.gateway.epoch = self.dispatcher.epoch = 1
        self.book = MetricsBook(HomeCells(home), self.fs, self.clock, ACTORS, **more)

    def live(self, seconds):
        for _ in range(seconds):
            self.clock.advance_ms(1_000)
            self.book.turn()

    def lines(self, path=PATH):
        return [json.loads(line) for line in self.fs.read(path).decode().splitlines()]

    def newest(self, actor):
        return [line for line in self.lines() if line["actor"] == actor][-1]


@pytest.fixture
def house(tmp_path):
    return House(tmp_path)


def test_a_short_run_has_its_lines(house):
    """One line an actor at the start and one at the end, with all fields, in whatever time."""
    house.book.open()
    house.gateway.report.took(2, waited_ms=5)
    house.book.close()

    assert [line["actor"] for line in house.lines()] == [*ACTORS, *ACTORS]
    assert list(house.lines()[2].items())[1:] == [
        ("actor", "gateway"),
        ("latency_ms", 2.5),
        ("retries", 0),
        ("webhook_lag", None),
        ("error_rate", 0.0),
    ]


def test_a_window_tells_what_happened_in_it(house):
    """Means and shares are those of ten seconds; the lag is what it is at their end."""
    house.book.open()
    house.gateway.report.took(100, waited_ms=300)
    house.live(10)
    house.gateway.report.took(4, waited_ms=40)
    house.dispatcher.report.took(4)
    house.dispatcher.report.retried(3)
    house.dispatcher.report.failed()
    house.dispatcher.report.lag_ms = 1_200
    house.live(10)

    assert house.newest("gateway")["latency_ms"] == 10.0
    told = house.newest("dispatcher")
    assert (told["retries"], told["webhook_lag"], told["error_rate"]) == (3, 1_200, 0.25)
    assert len(house.lines()) == 6


def test_an_idle_house_writes_nothing(house):
    """Nothing happened: no line, however long; something did: a line for every actor."""
    house.book.open()
    house.live(60)
    assert len(house.lines()) == 2
    house.dispatcher.report.retried()
    house.live(10)
    assert len(house.lines()) == 4


def test_a_killed_actor_keeps_what_it_had_told(house):
    """Counters that begin anew with an incarnation add to those of the one before."""
    house.book.open()
    house.gateway.report.took(10, waited_ms=100)
    house.live(5)
    reborn = CellWriter(house.home, "gateway")
    house.live(1)
    reborn.epoch = 2
    reborn.report.took(10, waited_ms=300)
    house.live(4)

    assert house.newest("gateway")["latency_ms"] == 20.0


def test_a_torn_line_is_closed_and_stays(tmp_path):
    """What a killed front door left half-written gets its newline; ours begin on their own."""
    fs = SimFs()
    fs.open(PATH, create=True).append(b'{"at":"2026')
    house = House(tmp_path, fs)
    house.book.open()

    torn, *ours = fs.read(PATH).splitlines()
    assert torn == b'{"at":"2026'
    assert [json.loads(line)["actor"] for line in ours] == list(ACTORS)


def test_a_full_disk_hurts_nobody_and_loses_nothing(house, monkeypatch):
    """While nothing can be written nothing is raised; the next line tells of the longer window."""
    house.book.open()
    size = house.fs.size(PATH)
    house.gateway.report.took(10, waited_ms=10)
    with monkeypatch.context() as full:
        full.setattr(house.book._file, "append", _short_write(house.book._file))
        house.live(10)
    assert house.fs.size(PATH) == size
    house.gateway.report.took(10, waited_ms=50)
    house.live(10)

    assert house.newest("gateway")["latency_ms"] == 3.0


def _short_write(file):
    def append(data):
        file.file.pwrite(file.size, data[:7])
        raise OSError(ENOSPC, "no space left")

    return append


def test_the_file_is_bounded(tmp_path):
    """Past its bound the file becomes its older half, in place of the one before."""
    house = House(tmp_path, bytes_max=1_000)
    house.book.open()
    for _ in range(30):
        house.gateway.report.took()
        house.live(10)

    assert len(house.fs.read(PATH)) < 1_500
    assert 1_000 <= len(house.fs.read(f"{PATH}.1")) < 1_500
    assert house.lines(f"{PATH}.1")[-1]["at"] < house.lines()[0]["at"]


def test_watchers_are_no_work_of_the_house(tmp_path):
    """Health and scrapes are not counted among the front door's answers; a 500 is an error."""
    report = CellWriter(tmp_path, "frontdoor").report
    answered = answers_into(report)
    for route, status in (("/metrics", 200), ("/health", 503), ("/events", 200), ("/events", 500)):
        answered(route, status, 4)

    assert actors_seen(HomeNeighbours(str(tmp_path)), ["frontdoor"])[0].reported == Reported(
        2, 8, 0, 1
    )


def test_families_of_the_actors():
    """A family has its type once and a sample an actor; a lag that there is not is left out."""
    seen = [
        ActorSeen("gateway", True, 7, 2, 40, Reported(3, 1_500, 1, 0)),
        ActorSeen("dispatcher", False, 0, 0, 0, Reported(lag_ms=250)),
    ]
    text = list(actor_lines(seen))

    assert 'payrail_actor_up{actor="gateway"} 1' in text
    assert 'payrail_actor_up{actor="dispatcher"} 0' in text
    assert 'payrail_handle_seconds_sum{actor="gateway"} 1.500' in text
    assert [line for line in text if "webhook_lag" in line][-1:] == [
        'payrail_webhook_lag_seconds{actor="dispatcher"} 0.250'
    ]
    types = [line.split()[2] for line in text if line.startswith("# TYPE")]
    assert len(types) == len(set(types)) == 9


async def test_a_scrape_names_every_actor(tmp_path):
    """`/metrics` has the actors of the house, also one that never started."""
    async with open_door(tmp_path) as door:
        _, _, text = await door.ask("GET", "/metrics", key="")
        assert 'payrail_actor_epoch{actor="frontdoor"} 1' in text
        assert 'payrail_actor_up{actor="gateway"} 0' in text
    lines = (tmp_path / PATH).read_text().splitlines()
    assert [json.loads(line)["actor"] for line in lines[-3:]] == [
        "gateway",
        "provider-a",
        "frontdoor",
    ]


@pytest.mark.parametrize(
    ("deed", "errors"),
    [("down", 1), ("http:502", 1), ("hang", 1), ("approve_then_hang", 1), ("slow:10", 0)],
)
def test_a_call_without_a_usable_answer_is_an_error(deed, errors):
    """Refused, broken or silent: an error of the provider. A decline is an answer."""
    drawer = Drawer()
    provider = Played(Provider("provider-a", "providerA", unseal=drawer, seed=42))
    declined = provider.tell("charge", charge(drawer.put(DECLINED), "pi_2.1"), sender="vault")
    inject(provider, operation="authorize", do=deed)
    drilled = provider.tell("charge", charge(drawer.put(GOOD)), sender="vault")

    assert (declined.errors, drilled.errors) == (0, errors)
