"""A home belongs to one house at a time; a second one leaves without a trace."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from actors.cli.chaos.house import House
from tests.scenarios.living import listing, until
from tests.scenarios.shop import Shop

pytestmark = pytest.mark.scenario
HELD = 73


@contextmanager
def standing_still(house: House) -> Iterator[psutil.Process]:
    """The house with all its processes stopped, so that whatever changes is another's doing."""
    row = house.row("supervisor")
    assert row is not None
    supervisor = psutil.Process(row["pid"])
    stopped = [supervisor, *supervisor.children(recursive=True)]
    for process in stopped:
        process.send_signal(signal.SIGSTOP)
    try:
        yield supervisor
    finally:
        for process in stopped:
            process.send_signal(signal.SIGCONT)


@pytest.mark.parametrize(
    "how", [(), ("--inline",), ("--only", "gateway"), ("--durability", "process")], ids=" ".join
)
def test_a_second_house_exits_73_names_the_holder_and_writes_nothing(
    house: House, shop: Shop, how: tuple[str, ...]
):
    """Not a byte, a file, a folder or a time differs; the message has process and beginning."""
    assert shop.create(shop.tokenize()).status == 201
    with standing_still(house) as holder:
        before = listing(house.home)
        second = house.cli("up", "--demo", *how)
        after = listing(house.home)

    assert second.returncode == HELD
    assert f"process {holder.pid} since 20" in second.stderr
    assert "Traceback" not in second.stderr
    assert second.stdout == ""
    assert after == before


def test_the_first_house_goes_on_as_if_nobody_had_come(house: House, shop: Shop):
    """It serves, no actor was restarted, and `verify` finds it whole."""
    assert house.cli("up").returncode == HELD
    assert shop.create(shop.tokenize()).status == 201
    assert {row["name"]: row["restarts"] for row in house.rows()}["gateway"] == 0
    assert house.cli("verify").returncode == 0


def test_of_two_houses_started_at_once_on_an_empty_home_one_lives(tmp_path: Path):
    """The other exits 73, whoever was first, and the secrets are those of the one that lives."""
    first, second = House(tmp_path), House(tmp_path)
    command = [sys.executable, *House.command]
    racers = [
        subprocess.Popen(
            command, cwd=tmp_path, env=one.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        for one in (first, second)
    ]
    try:
        ended, living = _first_to_end(racers)
        lived = (first, second)[racers.index(living)]
        assert ended.returncode == HELD, (ended.stdout or sys.stdin).read()
        _wait_ready(lived)
        assert Shop(lived).create(Shop(lived).tokenize()).status == 201
    finally:
        for racer in racers:
            racer.terminate()
        for racer in racers:
            racer.communicate(timeout=20)


def _first_to_end(
    racers: list[subprocess.Popen[bytes]],
) -> tuple[subprocess.Popen[bytes], subprocess.Popen[bytes]]:
    ended = until(lambda: [one for one in racers if one.poll() is not None], "one gives way", 40)
    assert len(ended) == 1
    (living,) = [one for one in racers if one is not ended[0]]
    return ended[0], living


def _wait_ready(house: House) -> None:
    until(house._is_ready, "the one that lives is ready", 60)
