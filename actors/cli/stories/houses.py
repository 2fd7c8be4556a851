"""A house for one story: temporary home, free ports, its own process; gone afterwards.

The house is what people start, `payrail up --demo`, and is spoken to over HTTP, by the command
line, by signals and through its files; nothing is reached into.
"""

import asyncio
import itertools
import json
import os
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from actors.cli.doors import is_ready
from actors.cli.keys import demo_keys
from actors.cli.shop import Shop
from payrail.runtime.cells import CellView
from payrail.runtime.house import status
from payrail.settings import Settings

READY_S_MAX = 60.0
END_S_MAX = 12.0
FACT_S_MAX = 20.0
_LOOK_AGAIN_S = 0.02
_COMMAND = (sys.executable, "-P", "-m", "actors.cli.main")
#: Below the ports that systems lend to clients (Linux: from 32768), where a free one stays free.
_PORT_FIRST, _PORT_SPAN = 20_000, 12_000
#: Processes with neighbouring numbers begin hundreds of ports apart: a port that is free now is
#: bound seconds later, so nobody else may come by meanwhile.
_PORTS_APART = 7_417
_ports_tried = itertools.count()
Seen = TypeVar("Seen")
_PORTS = ("API", "CONSOLE", "VAULT", "PROVIDER")


class House:
    """A running house, as somebody outside of it sees it."""

    def __init__(self, home: Path, env: Mapping[str, str], settings: Settings) -> None:
        self.home, self.env, self.settings = home, dict(env), settings

    def shop(self, role: str = "admin") -> Shop:
        """A client with the demo merchants' keys."""
        return Shop(
            self.settings.api_url, self.settings.vault_url, demo_keys(self.settings), role=role
        )

    async def payrail(self, *words: str, told: bool = False) -> tuple[int, str]:
        """Run a verb of the command line; result: exit code and stdout, or stderr if `told`."""
        process = await asyncio.create_subprocess_exec(
            *_COMMAND,
            *words,
            env=self.env,
            cwd=self.home,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        return process.returncode or 0, (err if told else out).decode()

    def lines(self, path: str) -> list[dict[str, Any]]:
        """The whole lines of a file of the house; none when it is not there."""
        try:
            data = (self.home / path).read_bytes()
        except FileNotFoundError:
            return []
        return [json.loads(line) for line in data.split(b"\n")[:-1]]

    def row(self, actor: str) -> dict[str, Any]:
        """The actor's row of `ps`."""
        return next((row for row in status(self.home) if row["name"] == actor), {})

    def kill(self, actor: str) -> bool:
        """SIGKILL from outside; False when it is dead already."""
        cell = CellView.read(self.home, actor)
        if cell is None or self.row(actor).get("pid") != cell.pid:
            return False
        try:
            os.kill(cell.pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True

    async def serves_again(self, actor: str, epoch: int) -> bool:
        """Wait until `actor` serves in a later epoch than that one."""

        def again() -> bool:
            row = self.row(actor)
            return row.get("state") == "serving" and row["epoch"] > epoch

        return await until(again)


async def until(fact: Callable[[], object], limit_s: float = FACT_S_MAX) -> bool:
    """Wait for a fact about files; False when it did not come true in time."""
    ends = asyncio.get_running_loop().time() + limit_s
    while not fact():
        if asyncio.get_running_loop().time() > ends:
            return False
        await asyncio.sleep(_LOOK_AGAIN_S)
    return True


async def until_seen(
    look: Callable[[], Awaitable[Seen | None]], limit_s: float = FACT_S_MAX
) -> Seen | None:
    """Look again until there is something to see; None when there was nothing in time."""
    ends = asyncio.get_running_loop().time() + limit_s
    while (seen := await look()) is None and asyncio.get_running_loop().time() <= ends:
        await asyncio.sleep(_LOOK_AGAIN_S)
    return seen


def free_ports(count: int) -> list[int]:
    """Ports of this machine that nobody listens at now, and that no client is given by chance."""
    found: list[int] = []
    while len(found) < count:
        port = _PORT_FIRST + (os.getpid() * _PORTS_APART + next(_ports_tried)) % _PORT_SPAN
        if _is_free(port):
            found.append(port)
    return found


def _is_free(port: int) -> bool:
    try:
        with socket.create_server(("127.0.0.1", port)):
            return True
    except OSError:
        return False


def environment(home: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment with the settings of a house of its own, and none of ours."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("PAYRAIL_")}
    ports = zip(_PORTS, free_ports(len(_PORTS)), strict=True)
    own = {f"PAYRAIL_{name}_PORT": str(port) for name, port in ports}
    return {**kept, **own, "PAYRAIL_HOME": str(home), **(extra or {})}


def settings_in(env: Mapping[str, str]) -> Settings:
    """The settings that a process with this environment would find."""
    given = {
        name.removeprefix("PAYRAIL_").lower(): text
        for name, text in env.items()
        if name.startswith("PAYRAIL_") and name.removeprefix("PAYRAIL_").endswith(("PORT", "HOME"))
    }
    return Settings(_env_file=None, api_url="", vault_url="", provider_url="", **given)  # type: ignore[arg-type]


@asynccontextmanager
async def own_house(
    extra: Mapping[str, str] | None = None, *, home: Path | None = None
) -> AsyncIterator[House]:
    """A ready house with the demo merchants; it ends, and a temporary home goes, afterwards."""
    with tempfile.TemporaryDirectory(prefix="payrail-") as made:
        where = home or Path(made)
        where.mkdir(exist_ok=True)
        env = environment(where, extra)
        house = House(where, env, settings_in(env))
        log = await asyncio.to_thread((where / "up.log").open, "wb")
        with log:
            process = await asyncio.create_subprocess_exec(
                *_COMMAND, "up", "--demo", env=env, cwd=where, stderr=log
            )
        try:
            await _until_ready(house, process)
            yield house
        finally:
            await _end(process)


async def _until_ready(house: House, process: asyncio.subprocess.Process) -> None:
    ends = asyncio.get_running_loop().time() + READY_S_MAX
    while not await asyncio.to_thread(is_ready, house.settings.api_url):
        if process.returncode is not None or asyncio.get_running_loop().time() > ends:
            told = (house.home / "up.log").read_text(errors="replace")[-2000:]
            raise RuntimeError(f"the house did not become ready:\n{told}")
        await asyncio.sleep(_LOOK_AGAIN_S)


async def _end(process: asyncio.subprocess.Process) -> None:
    """SIGTERM ends a house within 10 s; whatever is left then is killed."""
    if process.returncode is None:
        process.terminate()
    try:
        async with asyncio.timeout(END_S_MAX):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
