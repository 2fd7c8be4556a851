"""Errands: an actor's work on the world, done beside its loop by the works that it was given.

A work is told the errand's body and says what came of it: a kind and its body, which the actor
gets as a message. A work that raises has no outcome: it is told in the log and tried again, later
each time, as it would be after a crash; so a work must bear being done twice.
Never: decides anything, or ends without an outcome while its actor lives.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from payrail.logs import told
from payrail.runtime.actor import Errand
from payrail.runtime.admission import DoneItem
from payrail.storage.lines import encode

#: What a work says: the kind of the message to its actor, and the message's body.
Outcome = tuple[str, Struct]
Work = Callable[[Any], Awaitable[Outcome]]

#: A work that failed is tried again after this long, doubling up to the second figure.
AGAIN_S, AGAIN_S_MAX = 0.5, 30.0
#: Errands that run at once; the others wait in their order.
AT_ONCE_MAX = 256
#: Outcomes of so long share one wake-up, and so one fsync: nobody waits for them but their actor.
GATHER_S = 0.003


class NoErrands:
    """For an actor that never leaves its loop."""

    def start(self, errand: Errand) -> None:
        raise LookupError(f"nobody here does {errand.work!r}")

    def finished(self, at_most: int) -> Sequence[DoneItem]:
        del at_most
        return ()


class Workshop:
    """The real filling: each errand is a task of the process's own event loop."""

    def __init__(self, works: Mapping[str, Work], wake: Callable[[], None], log: Any) -> None:
        self._works, self._wake, self._log = works, wake, log
        self._running: dict[str, asyncio.Task[None]] = {}
        self._watching: set[str] = set()
        self._done: deque[DoneItem] = deque()
        self._places = asyncio.Semaphore(AT_ONCE_MAX)
        self._waking: asyncio.TimerHandle | None = None

    def start(self, errand: Errand) -> None:
        """See `ports.Errands`. Raises LookupError for a work that nobody does."""
        work = self._works.get(errand.work)
        if work is None:
            raise LookupError(f"nobody here does {errand.work!r}")
        if errand.id not in self._running:
            if errand.watches:
                self._watching.add(errand.id)
            self._running[errand.id] = asyncio.create_task(self._run(errand, work))

    def finished(self, at_most: int) -> Sequence[DoneItem]:
        return [self._done.popleft() for _ in range(min(at_most, len(self._done)))]

    @property
    def running(self) -> int:
        """Errands without an outcome, those that wait for a place included."""
        return len(self._running)

    @property
    def open(self) -> int:
        """Errands whose outcome their actor has not taken yet, but for those that watch."""
        return len(self._running) + len(self._done) - len(self._watching)

    async def close(self) -> None:
        """Stop whatever runs: what has no outcome is started again by the next incarnation."""
        tasks = list(self._running.values())
        if self._waking is not None:
            self._waking.cancel()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, errand: Errand, work: Work) -> None:
        async with self._places:
            kind, body = await self._outcome(errand, work)
        self._done.append(DoneItem(errand.id, kind, encode(body), errand.correlation_id))
        del self._running[errand.id]
        self._watching.discard(errand.id)
        if self._waking is None:
            self._waking = asyncio.get_running_loop().call_later(GATHER_S, self._rouse)

    def _rouse(self) -> None:
        self._waking = None
        self._wake()

    async def _outcome(self, errand: Errand, work: Work) -> Outcome:
        wait_s = AGAIN_S
        while True:
            try:
                return await work(errand.body)
            except Exception as error:
                self._log.error(
                    "errand.failed", errand=errand.id, again_s=wait_s, error=told(error)
                )
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, AGAIN_S_MAX)


class SimErrands:
    """The simulated filling: works without waiting, done in the order of their start when the
    loop asks for outcomes. A work that raises takes its process down, as a crash would."""

    def __init__(self, works: Mapping[str, Callable[[Any], Outcome]]) -> None:
        self._works = works
        self._waiting: dict[str, Errand] = {}

    def start(self, errand: Errand) -> None:
        if errand.work not in self._works:
            raise LookupError(f"nobody here does {errand.work!r}")
        self._waiting.setdefault(errand.id, errand)

    def finished(self, at_most: int) -> Sequence[DoneItem]:
        done = []
        for errand in list(self._waiting.values())[:at_most]:
            kind, body = self._works[errand.work](errand.body)
            del self._waiting[errand.id]
            done.append(DoneItem(errand.id, kind, encode(body), errand.correlation_id))
        return done
