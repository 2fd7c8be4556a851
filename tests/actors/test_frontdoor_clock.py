"""The house's clock over HTTP: moved forward by admins, durable before the answer, never back."""

import json
import time
from pathlib import Path

import pytest

from actors.cli.clock import clock as verbs
from actors.frontdoor.clock_hand import ClockHand
from payrail.domain.books import ACCESS_BOOK
from payrail.domain.durations import SPELLING
from payrail.domain.timestamps import iso, parse_iso
from payrail.runtime import clocks
from payrail.runtime.clocks import SystemClock
from payrail.storage.fs import RealFs
from tests.actors.doors import open_door

FILE = "data/clock.json"


def ahead_of(home):
    return json.loads((Path(home) / FILE).read_bytes())["ahead_ms"]


async def test_an_advance_is_in_the_file_before_it_is_answered(tmp_path):
    """And is what the next question is answered with."""
    async with open_door(tmp_path) as door:
        status, _, shown = await door.ask("POST", "/clock", {"advance": "1h30m"})
        assert (status, shown["object"], shown["mode"]) == (200, "clock", "follow")
        assert ahead_of(tmp_path) == shown["ahead_ms"] == 5_400_000
        assert parse_iso(shown["business_time"]) - parse_iso(shown["wire_time"]) == 5_400_000
        assert shown["changed_by"].startswith("usr_")
        _, _, again = await door.ask("GET", "/clock", key=door.key("viewer"))

    assert (again["ahead_ms"], again["business_time"] >= shown["business_time"]) == (
        5_400_000,
        True,
    )


async def test_advances_add_up_however_fast_they_come(tmp_path):
    """Each begins where the last one ended, also within one look of the clock."""
    async with open_door(tmp_path) as door:
        for _ in range(5):
            await door.ask("POST", "/clock", {"advance": "1m"}, key=door.service)
        _, _, shown = await door.ask("GET", "/clock")

    assert shown["ahead_ms"] == 300_000


async def test_a_clock_stands_while_it_is_frozen_and_goes_on_from_there(tmp_path):
    """It can be advanced meanwhile, and stands again."""
    async with open_door(tmp_path) as door:
        _, _, frozen = await door.ask("POST", "/clock", {"mode": "freeze"})
        _, _, moved = await door.ask("POST", "/clock", {"advance": "1d"})
        _, _, seen = await door.ask("GET", "/clock")
        _, _, going = await door.ask("POST", "/clock", {"mode": "follow"})

    times = [parse_iso(one["business_time"]) for one in (frozen, moved, seen, going)]
    assert [one["mode"] for one in (frozen, moved, seen, going)] == [*["freeze"] * 3, "follow"]
    assert [time - times[0] for time in times[:3]] == [0, 86_400_000, 86_400_000]
    assert times == sorted(times)


class SlowDisk(RealFs):
    """A disk on which time passes while a file is written."""

    def replace(self, path: str, data: bytes) -> None:
        super().replace(path, data)
        until = time.monotonic() + 0.005
        while time.monotonic() < until:
            pass


def test_what_is_told_after_a_freeze_is_the_time_of_the_freeze(tmp_path, monkeypatch):
    """However long the disk took, and although the clock's next look at its file is not yet due."""
    monkeypatch.setattr(clocks, "LOOK_MS", 60_000)
    disk = SlowDisk(tmp_path)
    hand = ClockHand(disk, SystemClock(disk), None)

    frozen = hand.move("usr_1", mode="freeze")

    assert frozen.frozen_at == iso(hand.business_ms())


async def test_the_clock_stands_where_it_stood_after_a_restart(tmp_path):
    """The setting is in the house, not in the process."""
    async with open_door(tmp_path) as door:
        _, _, before = await door.ask("POST", "/clock", {"advance": "3d"})
    (tmp_path / ACCESS_BOOK).unlink()  # the next door brings its own
    async with open_door(tmp_path) as door:
        _, _, after = await door.ask("GET", "/clock")

    assert after["ahead_ms"] == before["ahead_ms"]
    assert after["business_time"] > before["business_time"]


async def test_a_damaged_file_does_not_thaw_a_frozen_clock(tmp_path):
    """What was read last counts, and the next move writes the file whole again."""
    async with open_door(tmp_path) as door:
        _, _, frozen = await door.ask("POST", "/clock", {"mode": "freeze"})
        (tmp_path / FILE).write_text("{")
        _, _, seen = await door.ask("GET", "/clock")
        _, _, moved = await door.ask("POST", "/clock", {"advance": "1s"})

    assert (seen["mode"], seen["changed_at"]) == ("freeze", frozen["changed_at"])
    assert (moved["mode"], moved["changed_by"]) == ("freeze", frozen["changed_by"])
    assert json.loads((tmp_path / FILE).read_bytes())["mode"] == "freeze"


@pytest.mark.parametrize(("method", "body"), [("GET", None), ("POST", {"advance": "1s"})])
async def test_a_file_that_cannot_be_used_is_named_and_nothing_moves(tmp_path, method, body):
    """503, to be tried again: it is no fault of whoever asked."""
    async with open_door(tmp_path) as door:
        (tmp_path / FILE).mkdir(parents=True)
        status, headers, problem = await door.ask(method, "/clock", body)
        (tmp_path / FILE).rmdir()
        _, _, shown = await door.ask("GET", "/clock")

    assert (status, problem["code"], problem["retryable"]) == (503, "clock-unavailable", True)
    assert FILE in problem["detail"]
    assert headers["Retry-After"] == "1"
    assert shown["ahead_ms"] == 0


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, ""),
        ({"advance": "1h", "mode": "follow"}, ""),
        ({"mode": "back"}, "mode"),
        ({"advance": "-1h"}, "advance"),
        ({"advance": 3600}, "advance"),
        ({"advance": "1h", "by": "me"}, "by"),
    ],
)
async def test_an_order_that_cannot_be_used_names_its_field(tmp_path, body, field):
    """And moves nothing."""
    async with open_door(tmp_path) as door:
        status, _, problem = await door.ask("POST", "/clock", body)

    assert (status, problem["code"]) == (422, "validation-error")
    assert problem["errors"][0]["field"] == field
    if body.get("advance") == "-1h":
        assert problem["errors"][0]["message"] == SPELLING
    assert not (tmp_path / FILE).exists()


async def test_only_admins_and_the_house_itself_may_move_it(tmp_path):
    """Whoever may read may look."""
    async with open_door(tmp_path) as door:
        for role in ("operator", "approver", "viewer", "auditor", "publishable"):
            body = {"advance": "1s"}
            status, _, problem = await door.ask("POST", "/clock", body, key=door.key(role))
            assert (status, problem["code"]) == (403, "forbidden"), role
        assert (await door.ask("GET", "/clock", key=""))[0] == 401
        assert (await door.ask("POST", "/clock", {"advance": "1s"}, key=door.service))[0] == 200


async def test_nobody_moves_it_out_of_the_calendar(tmp_path):
    """There is an end to how far ahead it goes."""
    async with open_door(tmp_path) as door:
        for _ in range(100):
            status, _, problem = await door.ask("POST", "/clock", {"advance": "400d"})
            if status != 200:
                break

    assert (status, problem["errors"][0]["field"]) == (422, "advance")


def test_the_command_line_has_a_verb_for_each_order():
    """And one to look."""
    names = [command.name for command in verbs.registered_commands]

    assert names == ["show", "advance", "freeze", "follow"]
