"""Cells: one small shared page per actor, `data/actors/<name>/cell`. A hint, never fsynced.

What it promises: a store is visible to every process of the machine at once and survives SIGKILL of
its writer, so the next incarnation learns which message its predecessor died of. What it never is:
truth. A power cut may take it, a reader may catch two words of different moments, and nothing but
waits, `ps` and the count of deaths rests on it.

    0     16 words of 8 bytes, as this machine stores them: see the numbers below
    128   inflight, up to 200 bytes of UTF-8; its length, a word, is stored last
    328   suspect, likewise
    576   24 rows of 64 bytes, one a sender: name (48, ended by zeros), n, offset
    2112  the report: 5 words, see `payrail.runtime.reports`
    2152  the rest: 6 words, see `payrail.runtime.rests`

Each word is stored by one instruction, so a reader never sees half of it. Only the incarnation that
holds the actor's writer lock opens a `CellWriter`.
"""

import mmap
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from payrail.runtime.reports import REPORT_WORDS, Report, Reported, read_report
from payrail.runtime.rests import REST_WORDS, Rest, Rested, read_rest

CELL_BYTES: Final = 4096
MAGIC: Final = int.from_bytes(b"payrail1", "little")
STATES: Final = ("down", "starting", "serving", "paused", "blocked", "stopping", "held")
SENDERS_MAX: Final = 24
ID_BYTES_MAX: Final = 200

_MAGIC, _PID, _EPOCH, _BEAT, _SERVED, _STATE, _SLEEPING, _STEPS = range(8)
_BACKLOG, _DEATHS, _INFLIGHT_LEN, _SUSPECT_LEN = range(8, 12)
_INFLIGHT, _SUSPECT = 128, 328
_TABLE, _ROW_BYTES, _NAME_BYTES = 576, 64, 48
_REPORT = (_TABLE + SENDERS_MAX * _ROW_BYTES) // 8
_REST = _REPORT + REPORT_WORDS


def monotonic_ms() -> int:
    """The machine's clock for beats and waits; the same in all its processes."""
    return time.monotonic_ns() // 1_000_000


def cell_path(home: str | Path, actor: str) -> Path:
    """Where an actor's cell lies."""
    return Path(home) / "data" / "actors" / actor / "cell"


@dataclass(frozen=True, slots=True)
class CellView:
    """A cell as somebody else sees it."""

    pid: int
    epoch: int
    beat_ms: int  # monotonic, as `served_ms`
    served_ms: int  # when this incarnation began to serve; 0: not yet
    state: str
    sleeping: bool
    steps: int  # messages taken by this incarnation
    backlog_bytes: int
    inflight: str | None
    suspect: str | None
    deaths: int
    consumed: Mapping[str, tuple[int, int]]  # sender: n, offset
    reported: Reported
    rested: Rested

    @classmethod
    def read(cls, home: str | Path, actor: str) -> "CellView | None":
        """The cell of `actor`; None when there is none, or what lies there is not one."""
        try:
            page = cell_path(home, actor).read_bytes()
        except OSError:
            return None
        if len(page) < CELL_BYTES:
            return None
        return _view(memoryview(page))


class CellWriter:
    """An actor's own cell; fills `ports.Cell`. Opening it begins an incarnation.

    `adopt` tells what the previous one died of; `acquit` drops the suspicion once the journal
    shows that the message was consumed. `report` is where its work is counted for the metrics,
    `rest` tells when it had none.
    """

    def __init__(self, home: str | Path, actor: str) -> None:
        path = cell_path(home, actor)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._page = _map_file(path)
        self._words = memoryview(self._page).cast("Q")
        self._rows: dict[str, int] = {}
        if self._words[_MAGIC] != MAGIC:
            self._page[:] = bytes(CELL_BYTES)
            self._words[_MAGIC] = MAGIC
        self._find_rows()
        self._charge()
        for word in (_SERVED, _SLEEPING, _STEPS, _BACKLOG):
            self._words[word] = 0
        self.report = Report(self._words[_REPORT : _REPORT + REPORT_WORDS])
        self.rest = Rest(self._words[_REST : _REST + REST_WORDS])
        self.state = "starting"
        self.beat()
        self._words[_PID] = os.getpid()

    def mark(self, message_id: str | None) -> None:
        """Name the message that is being decided. Its length is stored last: never half a name."""
        words = self._words
        words[_INFLIGHT_LEN] = 0
        if message_id is not None:
            name = message_id.encode()[:ID_BYTES_MAX]
            size = len(name)
            self._page[_INFLIGHT : _INFLIGHT + size] = name
            words[_INFLIGHT_LEN] = size

    def consumed(self, sender: str, n: int, offset: int) -> None:
        """Tell how far the spool of `sender` was read. Senders past the table's end go untold."""
        word = self._rows.get(sender) or self._new_row(sender)
        if word:
            self._words[word] = n
            self._words[word + 1] = offset

    def adopt(self) -> tuple[str | None, int]:
        """The message that is suspected of killing its readers, and how many it killed so far."""
        return _text(self._page, _SUSPECT, self._words[_SUSPECT_LEN]), self._words[_DEATHS]

    def acquit(self) -> None:
        """The suspect was consumed: forget it and its deaths."""
        self._words[_SUSPECT_LEN] = 0
        self._words[_DEATHS] = 0

    def beat(self) -> None:
        """Show that the loop turns. Long work, such as a recovery, may call it from inside."""
        self._words[_BEAT] = monotonic_ms()

    def serve(self) -> None:
        """This incarnation has recovered and takes messages. It beats at once: from here on the
        supervisor is impatient, and a long recovery may not have let the loop turn."""
        self.beat()
        self._words[_SERVED] = monotonic_ms()
        self.state = "serving"

    @property
    def epoch(self) -> int:
        return self._words[_EPOCH]

    @epoch.setter
    def epoch(self, epoch: int) -> None:
        self._words[_EPOCH] = epoch

    @property
    def state(self) -> str:
        return STATES[self._words[_STATE]]

    @state.setter
    def state(self, state: str) -> None:
        self._words[_STATE] = STATES.index(state)

    @property
    def sleeping(self) -> bool:
        return bool(self._words[_SLEEPING])

    @sleeping.setter
    def sleeping(self, sleeping: bool) -> None:
        self._words[_SLEEPING] = sleeping

    @property
    def steps(self) -> int:
        return self._words[_STEPS]

    @steps.setter
    def steps(self, steps: int) -> None:
        self._words[_STEPS] = steps

    @property
    def backlog_bytes(self) -> int:
        return self._words[_BACKLOG]

    @backlog_bytes.setter
    def backlog_bytes(self, backlog_bytes: int) -> None:
        self._words[_BACKLOG] = backlog_bytes

    def close(self) -> None:
        """Let go of the page. What stands in it stays."""
        self.report.release()
        self.rest.release()
        self._words.release()
        self._page.close()

    def _charge(self) -> None:
        """The previous incarnation died in the middle of a message: that one is the suspect now."""
        words = self._words
        died_of = _text(self._page, _INFLIGHT, words[_INFLIGHT_LEN])
        if died_of is None:
            return
        if died_of != self.adopt()[0]:
            name = self._page[_INFLIGHT : _INFLIGHT + words[_INFLIGHT_LEN]]
            words[_SUSPECT_LEN] = words[_DEATHS] = 0
            self._page[_SUSPECT : _SUSPECT + len(name)] = name
            words[_SUSPECT_LEN] = len(name)
        words[_DEATHS] += 1
        words[_INFLIGHT_LEN] = 0

    def _find_rows(self) -> None:
        for row in range(SENDERS_MAX):
            start = _TABLE + row * _ROW_BYTES
            if name := bytes(self._page[start : start + _NAME_BYTES]).rstrip(b"\0"):
                self._rows[name.decode("utf-8", "replace")] = (start + _NAME_BYTES) // 8

    def _new_row(self, sender: str) -> int:
        name = sender.encode()
        if len(self._rows) >= SENDERS_MAX or len(name) >= _NAME_BYTES:
            return 0
        start = _TABLE + len(self._rows) * _ROW_BYTES
        self._page[start : start + len(name)] = name
        self._rows[sender] = (start + _NAME_BYTES) // 8
        return self._rows[sender]


class SleepWatch:
    """Whether an actor sleeps, at the price of one load; for those who ring its bell."""

    #: How long a replaced file may go unnoticed; meanwhile polling carries the messages.
    RECHECK_MS = 1_000

    def __init__(self, home: str | Path, actor: str) -> None:
        self._path = cell_path(home, actor)
        self._page: mmap.mmap | None = None
        self._identity = 0
        self._checked_ms = -self.RECHECK_MS

    def sleeps(self) -> bool:
        now_ms = monotonic_ms()
        if now_ms - self._checked_ms >= self.RECHECK_MS:
            self._checked_ms = now_ms
            self._recheck()
        return self._page is not None and self._page[_SLEEPING * 8] != 0

    def close(self) -> None:
        if self._page is not None:
            self._page.close()
        self._page, self._identity = None, 0

    def _recheck(self) -> None:
        try:
            found = self._path.stat()
            if found.st_ino == self._identity:
                return
            self.close()
            if found.st_size >= CELL_BYTES:
                with self._path.open("rb") as file:
                    self._page = mmap.mmap(file.fileno(), CELL_BYTES, access=mmap.ACCESS_READ)
                self._identity = found.st_ino
        except OSError:
            self.close()


def _map_file(path: Path) -> mmap.mmap:
    """Map the cell for writing. It only ever grows: a page cut under a reader would kill it."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
    try:
        if os.fstat(handle).st_size < CELL_BYTES:
            os.ftruncate(handle, CELL_BYTES)
        return mmap.mmap(handle, CELL_BYTES)
    finally:
        os.close(handle)


def _view(page: memoryview) -> CellView | None:
    words = page[:CELL_BYTES].cast("Q")
    if words[_MAGIC] != MAGIC:
        return None
    state = words[_STATE]
    return CellView(
        pid=words[_PID],
        epoch=words[_EPOCH],
        beat_ms=words[_BEAT],
        served_ms=words[_SERVED],
        state=STATES[state] if state < len(STATES) else "down",
        sleeping=bool(words[_SLEEPING]),
        steps=words[_STEPS],
        backlog_bytes=words[_BACKLOG],
        inflight=_text(page, _INFLIGHT, words[_INFLIGHT_LEN]),
        suspect=_text(page, _SUSPECT, words[_SUSPECT_LEN]),
        deaths=words[_DEATHS],
        consumed=_consumed(page, words),
        reported=read_report(words[_REPORT : _REPORT + REPORT_WORDS]),
        rested=read_rest(words[_REST : _REST + REST_WORDS]),
    )


def _consumed(page: memoryview, words: memoryview) -> dict[str, tuple[int, int]]:
    table = {}
    for row in range(SENDERS_MAX):
        start = _TABLE + row * _ROW_BYTES
        if name := bytes(page[start : start + _NAME_BYTES]).rstrip(b"\0"):
            word = (start + _NAME_BYTES) // 8
            table[name.decode("utf-8", "replace")] = (words[word], words[word + 1])
    return table


def _text(page: mmap.mmap | memoryview, start: int, size: int) -> str | None:
    """The text of `size` bytes; None when empty. A size that cannot be is read as none."""
    if not 0 < size <= ID_BYTES_MAX:
        return None
    return bytes(page[start : start + size]).decode("utf-8", "replace")
