"""A house of real processes in a folder of its own, as a person would start it.

Started by `python -m actors.cli.main up --demo` on free ports; steered by signals and the CLI.
"""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from actors.cli.stories.houses import free_ports
from payrail.runtime.bells import leave_folder
from payrail.runtime.house import status

ROOT = Path(__file__).parents[3]
#: From `up` to the first 200 of /ready, on a machine that is busy with other things.
READY_S_MAX = 300.0
#: SIGTERM ends a house within 10 s; the rest is this machine's slowness.
STOP_S_MAX = 60.0
#: How long children may outlive a supervisor that was killed.
ORPHAN_S_MAX = 30.0
_LOOK_S = 0.05
_PORTS = ("API", "VAULT", "PROVIDER", "CONSOLE")


class HouseFailed(Exception):
    """The house did not start, answer or end in time; the text has the end of its log."""


class House:
    """One home and the supervisor that runs on it. `command` is what starts it, after `python`."""

    command: Sequence[str] = ("-m", "actors.cli.main", "up", "--demo")

    def __init__(
        self, folder: Path, settings: Mapping[str, str] | None = None, *, home: Path | None = None
    ) -> None:
        """`home`: elsewhere than in `folder`, which has the log."""
        self.folder, self.home, self.log = folder, home or folder / "home", folder / "house.log"
        self.home.mkdir(parents=True, exist_ok=True)
        self.ports = dict(zip(_PORTS, free_ports(len(_PORTS)), strict=True))
        self.env = {name: value for name, value in os.environ.items() if "PAYRAIL_" not in name}
        self.env |= {f"PAYRAIL_{name}_PORT": str(port) for name, port in self.ports.items()}
        self.env |= {"PAYRAIL_HOME": str(self.home), "PYTHONPATH": str(ROOT), **(settings or {})}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.ports['API']}"

    @property
    def vault(self) -> str:
        return f"http://127.0.0.1:{self.ports['VAULT']}"

    @property
    def console(self) -> str:
        return f"http://127.0.0.1:{self.ports['CONSOLE']}"

    @property
    def is_up(self) -> bool:
        """Whether its supervisor runs."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> float:
        """Start it and wait until every actor serves. Result: seconds. Raises HouseFailed."""
        began = time.monotonic()
        command = [sys.executable, *self.command]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=self.folder, env=self.env, stdout=log, stderr=log, process_group=0
            )
        while not self._is_ready():
            if self._process.poll() is not None:
                raise HouseFailed(f"ended with {self._process.returncode}: {self._last_words()}")
            if time.monotonic() - began > READY_S_MAX:
                self.kill_supervisor()
                raise HouseFailed(f"not ready in {READY_S_MAX} s: {self._last_words()}")
            time.sleep(_LOOK_S)
        return time.monotonic() - began

    def _is_ready(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.ports["API"], timeout=2)
        try:
            connection.request("GET", "/ready")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def stop(self) -> float:
        """SIGTERM, and wait for the end. Result: seconds. Raises HouseFailed after STOP_S_MAX."""
        if self._process is None or not self.is_up:
            self._leave_sockets()
            return 0.0
        began = time.monotonic()
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_S_MAX)
        except subprocess.TimeoutExpired as slow:
            self.kill_supervisor()
            self._leave_sockets()
            raise HouseFailed(f"SIGTERM did not end it: {self._last_words()}") from slow
        self._leave_sockets()
        return time.monotonic() - began

    def _leave_sockets(self) -> None:
        """What a killed supervisor left beside the home; a living one does it by itself."""
        with suppress(OSError):  # A home whose disk has gone says nothing any more.
            rows = self.rows()
            if not any(row["pid"] for row in rows):
                leave_folder(self.home, [row["name"] for row in rows])

    def kill_supervisor(self) -> None:
        """SIGKILL to the supervisor. Raises HouseFailed when its children do not end with it."""
        if self._process is None or not self.is_up:
            return
        self._process.kill()
        self._process.wait()
        until = time.monotonic() + ORPHAN_S_MAX
        while orphans := [row["name"] for row in self.rows() if row["pid"]]:
            if time.monotonic() > until:
                raise HouseFailed(f"outlived their supervisor: {orphans}")
            time.sleep(_LOOK_S)

    def rows(self) -> list[dict[str, Any]]:
        """What `ps --json` prints, from the same files, without a process for each look."""
        return status(self.home)

    def row(self, actor: str) -> dict[str, Any] | None:
        return next((row for row in self.rows() if row["name"] == actor), None)

    def cli(self, *arguments: str, seconds_max: float = 120) -> subprocess.CompletedProcess[str]:
        """Run one command of `payrail` on this home."""
        return subprocess.run(
            [sys.executable, "-m", "actors.cli.main", *arguments],
            cwd=self.folder,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=seconds_max,
            check=False,
        )

    def keys(self) -> dict[str, dict[str, str]]:
        """The demo merchants' keys, by role. Raises HouseFailed."""
        ran = self.cli("keys", "demo", "--json")
        if ran.returncode:
            raise HouseFailed(f"keys demo ended with {ran.returncode}: {ran.stderr[-500:]}")
        keys: dict[str, dict[str, str]] = json.loads(ran.stdout)
        return keys

    def _last_words(self) -> str:
        return self.log.read_text(errors="replace")[-2000:]
