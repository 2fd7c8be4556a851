"""Both fillings of `ports.Proc` keep the same promises: real processes and simulated ones."""

import asyncio
import signal
from pathlib import Path

import pytest

from payrail.runtime.ports import Child, Proc
from payrail.runtime.processes import Calling, Children
from payrail.runtime.simlife import actor_life
from payrail.runtime.simmachine import SimMachine
from tests.runtime.machines import TOY, work
from tests.runtime.toy import Toy

ROOT = Path(__file__).parents[2]


class Real:
    """Children of this very process."""

    def __init__(self, home: Path) -> None:
        self.ended = asyncio.Event()
        calling = Calling("tests.runtime.toys:build", str(home), {})
        self.proc: Proc = Children(calling, self.ended.set)

    async def until_ended(self, child: Child) -> int | None:
        await asyncio.wait_for(self.ended.wait(), 10)
        return child.code()


class Simulated:
    """Those of a machine without a supervisor."""

    def __init__(self) -> None:
        self._machine = SimMachine()
        self._machine.add(TOY, actor_life(lambda _process: Toy()))
        self.proc: Proc = self._machine

    async def until_ended(self, child: Child) -> int | None:
        work(self._machine)
        return child.code()


@pytest.fixture(params=["real", "simulated"])
async def world(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch) -> Real | Simulated:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return Real(tmp_path / "home") if request.param == "real" else Simulated()


async def test_a_spare_lives_and_does_nothing_until_it_is_killed(world: Real | Simulated):
    """It has a number and no code; SIGKILL is its code then, and whatever is said to the dead does
    no harm."""
    child = world.proc.make()
    assert child.pid > 0
    assert child.code() is None
    child.kill()

    assert await world.until_ended(child) == -signal.SIGKILL
    child.become(TOY)
    child.tell({"stop": True})
    child.kill()
    child.end()
    assert child.code() == -signal.SIGKILL


async def test_who_is_told_to_stop_ends_in_order(world: Real | Simulated):
    """Also one that was told before it had recovered."""
    child = world.proc.make()
    child.become(TOY)
    child.tell({"stop": True})

    assert await world.until_ended(child) == 0
    child.end()


async def test_two_children_have_numbers_of_their_own(world: Real | Simulated):
    """A death is told of the right one."""
    first, second = world.proc.make(), world.proc.make()
    second.kill()
    await world.until_ended(second)

    assert first.pid != second.pid
    assert first.code() is None
    first.end()
    assert first.code() == -signal.SIGKILL
