"""Child processes as the supervisor sees them: start, tell, kill, and notice the end at once."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from payrail.runtime.complaints import Complaints

#: Where the kernel cannot tell of a death, it is looked for at each turn of the supervisor.
_HAS_PIDFD = hasattr(os, "pidfd_open")


@dataclass(frozen=True, slots=True)
class Calling:
    """What any child of one house can become: `build(name, home, options)` of `build_path`."""

    build_path: str
    home: str
    options: Mapping[str, Any]
    #: By actor, variables of the environment that are for that actor alone.
    private: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)

    def environment(self) -> dict[str, str]:
        """What every child may see. A spare is nobody yet, and whose process this is, and what
        core it leaves, is seen by more people than a secret is for."""
        hidden = {name for own in self.private.values() for name in own}
        return {name: text for name, text in os.environ.items() if name not in hidden}


class ChildProcess:
    """A preloaded process, nobody until it is told to `become` someone; fills `ports.Child`."""

    def __init__(
        self, calling: "Calling", complaints: Complaints, on_exit: Callable[[], None]
    ) -> None:
        self._calling = calling
        handles = () if complaints.handle is None else (complaints.handle,)
        command = [sys.executable, "-P", "-m", "payrail.runtime.child", calling.build_path]
        command += [str(handle) for handle in handles]
        # Nothing of a child belongs on the supervisor's stdout, which is for data; and Ctrl-C is
        # for the supervisor alone, who then stops its children in order.
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=2,
            bufsize=0,
            process_group=0,
            pass_fds=handles,
            env=calling.environment(),
        )
        assert self._process.stdin is not None
        self._stdin = self._process.stdin
        os.set_blocking(self._stdin.fileno(), False)
        self._loop = asyncio.get_running_loop()
        self._on_exit = on_exit
        self._handle = _pidfd(self._process.pid)
        if self._handle is not None:
            self._loop.add_reader(self._handle, self._ended)

    @property
    def pid(self) -> int:
        return self._process.pid

    def code(self) -> int | None:
        """Exit code, or minus the signal; None while it lives."""
        code = self._process.poll()
        if code is not None:
            self._forget()
        return code

    def become(self, actor: str) -> None:
        calling = self._calling
        order = {"become": actor, "home": calling.home, "options": calling.options}
        self.tell(order | {"private": calling.private.get(actor, {})})

    def tell(self, line: Mapping[str, Any]) -> None:
        """Send one line. A child that is gone, or whose pipe is full, is found out elsewhere."""
        if self._stdin.closed:
            return
        try:
            self._stdin.write(msgspec.json.encode(line) + b"\n")
        except OSError:
            pass

    def kill(self) -> None:
        """SIGKILL; harmless when it has ended, since its pid is ours until we ask for its code."""
        self._process.send_signal(signal.SIGKILL)

    def end(self) -> None:
        """Kill and wait: for spares, and for what is left when the house ends."""
        self.kill()
        self._process.wait()
        self._forget()

    def _ended(self) -> None:
        if self._handle is not None:
            self._loop.remove_reader(self._handle)
        self._on_exit()

    def _forget(self) -> None:
        if not self._stdin.closed:
            self._stdin.close()
        if self._handle is not None:
            self._loop.remove_reader(self._handle)
            os.close(self._handle)
            self._handle = None


class Children:
    """The children of one house; fills `ports.Proc`. `on_exit` is called when one has ended."""

    def __init__(self, calling: Calling, on_exit: Callable[[], None]) -> None:
        self._calling, self._on_exit = calling, on_exit
        self._complaints = Complaints.fresh()

    def make(self) -> ChildProcess:
        return ChildProcess(self._calling, self._complaints, self._on_exit)

    def close(self) -> None:
        """No more will be made."""
        self._complaints.close()


def _pidfd(pid: int) -> int | None:
    if not _HAS_PIDFD:
        return None
    try:
        return os.pidfd_open(pid)
    except OSError:
        return None
