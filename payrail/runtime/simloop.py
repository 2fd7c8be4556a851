"""The event loop of one simulated process: real coroutines in virtual time.

    loop = VirtualLoop(clock, is_dead=lambda: fs.is_dead)
    loop.create_task(serve())          # from outside: nothing runs yet
    while loop.run_ready():            # one turn: what is ready now
        ...
    clock.advance_ms(loop.next_due_ms() - clock.monotonic_ms())

No selector, no thread, no socket, and it never waits: whoever owns the clock moves it to the next
timer. A process has a loop of its own, so that stopping it is not turning it, and killing it is
`end`: its coroutines are closed and nothing of it runs again. Errors of tasks lie in `faults`.
"""

import asyncio
import heapq
import math
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import suppress
from contextvars import Context
from itertools import count
from typing import Any, TypeVar
from weakref import ref

from payrail.runtime.ports import Clock
from payrail.runtime.simfaults import SimCrash

T = TypeVar("T")
#: Most of what a loop may be asked for has no place here: sockets, signals, children.
_Base: Any = asyncio.AbstractEventLoop

#: A fraction of a millisecond that floats lose on the way; no timer means it.
_ROUNDING = 1e-6
#: Cancelled timers that may lie about before they are swept out.
_CANCELLED_MAX = 256
#: Ended tasks that may lie about before they are forgotten.
_TASKS_MAX = 64
#: Turns after which a coroutine that still waits is said to wait for nothing.
_TURNS_MAX = 10_000


class VirtualLoop(_Base):  # type: ignore[misc]
    """Runs what is ready when it is told to. Loops may be turned from within another's call."""

    def __init__(
        self,
        clock: Clock,
        is_dead: Callable[[], bool] = lambda: False,
        rouse: Callable[[], object] = lambda: None,
    ) -> None:
        """`is_dead`: whether the process died of what it just did; asked after each call. `rouse`
        is called when there is something to run after there was nothing."""
        self._clock, self._is_dead, self._rouse = clock, is_dead, rouse
        self._ready: deque[asyncio.Handle] = deque()
        self._timers: list[tuple[int, int, asyncio.TimerHandle]] = []
        self._numbers = count()
        self._cancelled = 0
        self._tasks: list[ref[asyncio.Task[Any]]] = []  # weak, as asyncio's own
        self._tasks_max = _TASKS_MAX
        self._is_closed = False
        self._at_end: list[Callable[[], None]] = []
        self.faults: list[BaseException] = []

    # Turning it.

    def run_ready(self) -> bool:
        """Run what is ready now, not what that makes ready. False: there was nothing. Raises
        SimCrash when the process dies of it."""
        if self._timers:
            self._wake_due()
        ready = self._ready
        if not ready:
            return False
        self.call(self._run, ready)
        return True

    def _run(self, ready: deque[asyncio.Handle]) -> None:
        for _ in range(len(ready)):
            handle = ready.popleft()
            if not handle.cancelled():
                handle._run()
            if self._is_dead():
                raise SimCrash
            if self._is_closed:
                break

    def next_due_ms(self) -> int | None:
        """When there is something to run, on the monotonic clock: 0 for now, None for never."""
        if self._ready:
            return 0
        self._drop_cancelled()
        return self._timers[0][0] if self._timers else None

    def call(self, work: Callable[..., T], *args: Any) -> T:
        """Do `work` now, as if the loop had called it: it may start tasks."""
        around = asyncio._get_running_loop()
        asyncio._set_running_loop(self)
        try:
            return work(*args)
        finally:
            asyncio._set_running_loop(around)

    def finish(self, work: Coroutine[Any, Any, T]) -> T:
        """Run until `work`, which waits for no time to pass, is done. Result: its own."""
        task = self.create_task(work)
        for _ in range(_TURNS_MAX):
            if task.done() or not self.run_ready():
                break
        if not task.done():
            raise RuntimeError("it waits for what will not come without time")
        return task.result()

    def at_end(self, told: Callable[[], None]) -> None:
        """`told` is called when the process ends."""
        self._at_end.append(told)

    def end(self) -> None:
        """The process is killed. Its coroutines are closed where they stand; what they still try
        meets a closed loop and dead files."""
        if self._is_closed:
            return
        self._is_closed = True
        for task in self._tasks:
            self.call(_close, task())
        self._tasks.clear()
        self._ready.clear()
        self._timers.clear()
        for told in self._at_end:
            told()

    # What asyncio asks of a loop.

    def time(self) -> float:
        return self._clock.monotonic_ms() / 1000

    def call_soon(
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        if not self._is_closed:
            self._ready.append(handle)
            if len(self._ready) == 1:
                self._rouse()
        return handle

    call_soon_threadsafe = call_soon

    def call_later(
        self,
        delay: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        if not self._is_closed:
            due_ms = math.ceil(when * 1000 - _ROUNDING)
            if when > self.time():  # However little: whoever is called before asks for it again.
                due_ms = max(due_ms, self._clock.monotonic_ms() + 1)
            heapq.heappush(self._timers, (due_ms, next(self._numbers), handle))
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        del handle
        self._cancelled += 1
        if self._cancelled > max(_CANCELLED_MAX, len(self._timers) // 2):
            self._timers = [timer for timer in self._timers if not timer[2].cancelled()]
            heapq.heapify(self._timers)
            self._cancelled = 0

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(
        self, coro: Coroutine[Any, Any, T], *, name: str | None = None, **more: Any
    ) -> asyncio.Task[T]:
        task = asyncio.Task(coro, loop=self, name=name or "simulated", **more)
        if len(self._tasks) >= self._tasks_max:
            self._tasks = [known for known in self._tasks if _is_open(known())]
            self._tasks_max = max(_TASKS_MAX, 2 * len(self._tasks))
        self._tasks.append(ref(task))
        return task

    def run_in_executor(
        self, executor: Any, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        """At once: there are no threads. A thread's work takes no time here."""
        del executor
        done = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:
            done.set_exception(error)
        return done

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, SimCrash):
            return  # Whoever turns us is told by `is_dead`.
        self.faults.append(error or RuntimeError(context["message"]))

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return asyncio._get_running_loop() is self

    def is_closed(self) -> bool:
        return self._is_closed

    def _wake_due(self) -> None:
        timers, now_ms = self._timers, self._clock.monotonic_ms()
        while timers and timers[0][0] <= now_ms:
            handle = heapq.heappop(timers)[2]
            if handle.cancelled():
                self._cancelled -= 1
            else:
                self._ready.append(handle)

    def _drop_cancelled(self) -> None:
        while self._timers and self._timers[0][2].cancelled():
            heapq.heappop(self._timers)
            self._cancelled -= 1


def _is_open(task: asyncio.Task[Any] | None) -> bool:
    return task is not None and not task.done()


def _close(task: asyncio.Task[Any] | None) -> None:
    """End a task where it stands, without a word about it when it is collected."""
    if task is None or task.done():
        return
    task._log_destroy_pending = False  # type: ignore[attr-defined]
    work = task.get_coro()
    with suppress(Exception, SimCrash, asyncio.CancelledError):  # Of a process that is dead.
        if work is not None:
            work.close()
