"""A cell's page: what stands where in it, its writing end and its reading end.

    0     16 words of 8 bytes, as this machine stores them: see the numbers below
    128   inflight, up to 200 bytes of UTF-8; its length, a word, is stored last
    328   suspect, likewise
    576   24 rows of 64 bytes, one a sender: name (48, ended by zeros), epoch and n, offset
    2112  the report: 5 words, see `payrail.runtime.reports`
    2152  the rest: 6 words, see `payrail.runtime.rests`

Each word is stored by one instruction, so a reader never sees half of it. The writer is given its
page: a mapped file in life (`payrail.runtime.cells`), plain memory in simulation.
"""

import mmap
from collections.abc import Callable, Mapping
from pathlib import Path
from struct import Struct as Layout
from typing import Final, Protocol

from msgspec import Struct

from payrail.runtime.reports import REPORT_WORDS, Report, Reported, read_report
from payrail.runtime.rests import REST_WORDS, Rest, Rested, read_rest
from payrail.storage.spool import N_BITS, NOT_READ, ReadSoFar

CELL_BYTES: Final = 4096
MAGIC: Final = int.from_bytes(b"payrail1", "little")
STATES: Final = ("down", "starting", "serving", "paused", "blocked", "stopping", "held", "sealed")
SENDERS_MAX: Final = 24
ID_BYTES_MAX: Final = 200

_MAGIC, _PID, _EPOCH, _BEAT, _SERVED, _STATE, _SLEEPING, _STEPS = range(8)
_BACKLOG, _DEATHS, _INFLIGHT_LEN, _SUSPECT_LEN, _SERVED_BOOT, _BOOT = range(8, 14)
_INFLIGHT, _SUSPECT = 128, 328
_TABLE, _ROW_BYTES, _NAME_BYTES = 576, 64, 48
#: Epoch and `n` share a word, for neither says anything without the other.
_EPOCH_BITS = 64 - N_BITS
_REPORT = (_TABLE + SENDERS_MAX * _ROW_BYTES) // 8
_REST = _REPORT + REPORT_WORDS
_ROWS = Layout(f"@{_NAME_BYTES}sQQ")  # "@" reads each word at once, as it is stored
#: The word that says whether the actor sleeps, for those who look at nothing else.
SLEEPING_BYTE: Final = _SLEEPING * 8


def cell_path(home: str | Path, actor: str) -> Path:
    """Where an actor's cell lies."""
    return Path(home) / "data" / "actors" / actor / "cell"


class CellView(Struct, frozen=True):
    """A cell as somebody else sees it."""

    pid: int
    boot: int  # names the boot in which this incarnation opened it; 0: unknown
    epoch: int
    beat_ms: int  # monotonic, as `served_ms`
    served_ms: int  # when this incarnation began to serve; 0: not yet
    served_boot: int  # names the boot in which any incarnation last began to serve; 0: unknown
    state: str
    sleeping: bool
    steps: int  # messages taken by this incarnation
    backlog_bytes: int
    inflight: str | None
    suspect: str | None
    deaths: int
    consumed: Mapping[str, ReadSoFar]  # by sender
    reported: Reported
    rested: Rested

    @classmethod
    def of(cls, page: bytes | bytearray) -> "CellView | None":
        """What stands in this page; None when it is none."""
        return _view(memoryview(page)) if len(page) >= CELL_BYTES else None

    @classmethod
    def read(cls, home: str | Path, actor: str) -> "CellView | None":
        """The cell of `actor`; None when there is none, or what lies there is not one."""
        try:
            return cls.of(cell_path(home, actor).read_bytes())
        except OSError:
            return None


class Cells(Protocol):
    """The cells of a machine, as everybody may read them."""

    @property
    def boot(self) -> int:
        """Names this boot of the machine; 0 where nobody can tell."""

    def read(self, actor: str) -> CellView | None:
        """The cell of `actor`; None when there is none, or what lies there is not one."""


def read_to(cells: Cells, receiver: str, sender: str) -> ReadSoFar:
    """How far `receiver` has read the spool of `sender`, see `storage.spool.ReadTo`."""
    cell = cells.read(receiver)
    return cell.consumed.get(sender, NOT_READ) if cell else NOT_READ


class CellPage:
    """An actor's own cell; fills `ports.Cell`. Opening it begins an incarnation, of process `pid`.

    `adopt` tells what the previous one died of; `acquit` drops the suspicion once the journal
    shows that the message was consumed. `report` is where its work is counted for the metrics,
    `rest` tells when it had none.
    """

    def __init__(
        self,
        page: mmap.mmap | bytearray,
        pid: int,
        clock_ms: Callable[[], int],
        boot: int = 0,
    ) -> None:
        """`clock_ms`: the machine's clock for beats, see `ports.Clock.monotonic_ms`; `boot`: see
        `Cells.boot`."""
        self._page, self._clock_ms, self._boot = page, clock_ms, boot
        self._words = memoryview(page).cast("Q")
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
        self._words[_BOOT] = boot
        self.beat()
        self._words[_PID] = pid  # last: whoever finds it finds the rest

    def mark(self, message_id: str | None) -> None:
        """Name the message that is being decided. Its length is stored last: never half a name."""
        words = self._words
        words[_INFLIGHT_LEN] = 0
        if message_id is not None:
            name = message_id.encode()[:ID_BYTES_MAX]
            size = len(name)
            self._page[_INFLIGHT : _INFLIGHT + size] = name
            words[_INFLIGHT_LEN] = size

    def consumed(self, sender: str, n: int, offset: int, epoch: int = 0) -> None:
        """Tell how far the spool of `sender` was read, see `storage.spool.ReadSoFar`. Senders past
        the table's end go untold."""
        word = self._rows.get(sender) or self._new_row(sender)
        if word:
            self._words[word] = epoch % (1 << _EPOCH_BITS) << N_BITS | n % (1 << N_BITS)
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
        self._words[_BEAT] = self._clock_ms()

    def serve(self) -> None:
        """This incarnation has recovered and takes messages. It beats at once: from here on the
        supervisor is impatient, and a long recovery may not have let the loop turn."""
        self.beat()
        self._words[_SERVED] = self._clock_ms()
        self._words[_SERVED_BOOT] = self._boot
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


def _view(page: memoryview) -> CellView | None:
    words = page[:CELL_BYTES].cast("Q")
    if words[_MAGIC] != MAGIC:
        return None
    state = words[_STATE]
    return CellView(
        pid=words[_PID],
        boot=words[_BOOT],
        epoch=words[_EPOCH],
        beat_ms=words[_BEAT],
        served_ms=words[_SERVED],
        served_boot=words[_SERVED_BOOT],
        state=STATES[state] if state < len(STATES) else "down",
        sleeping=bool(words[_SLEEPING]),
        steps=words[_STEPS],
        backlog_bytes=words[_BACKLOG],
        inflight=_text(page, _INFLIGHT, words[_INFLIGHT_LEN]),
        suspect=_text(page, _SUSPECT, words[_SUSPECT_LEN]),
        deaths=words[_DEATHS],
        consumed=_consumed(page),
        reported=read_report(words[_REPORT : _REPORT + REPORT_WORDS]),
        rested=read_rest(words[_REST : _REST + REST_WORDS]),
    )


def _consumed(page: memoryview) -> dict[str, ReadSoFar]:
    table = {}
    for name, place, offset in _ROWS.iter_unpack(page[_TABLE : _TABLE + SENDERS_MAX * _ROW_BYTES]):
        if not name[0]:
            break  # Rows are filled from the first on.
        epoch, n = divmod(place, 1 << N_BITS)
        table[name.rstrip(b"\0").decode("utf-8", "replace")] = ReadSoFar(n, offset, epoch)
    return table


def _text(page: mmap.mmap | bytearray | memoryview, start: int, size: int) -> str | None:
    """The text of `size` bytes; None when empty. A size that cannot be is read as none."""
    if not 0 < size <= ID_BYTES_MAX:
        return None
    return bytes(page[start : start + size]).decode("utf-8", "replace")
