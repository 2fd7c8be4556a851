"""Notice odd uses of cards while they happen: one line in the vault's log for each run of them.

Reads: data/vault/access_log.jsonl, the vault's own book, from its last lines on. What is odd is
said by `payrail.domain.anomalies`; what an earlier incarnation has told is not told again, but for
the last minute, where it may have died before it could.
Never: decides. A watch that ends, for a damaged log, takes nothing from anybody; `payrail vault
audit` finds the same runs, and all of them.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from payrail.domain.anomalies import WINDOW_MS, Anomaly, Watch
from payrail.domain.books import CARD_ACCESS_BOOK
from payrail.domain.card_access import read_access
from payrail.domain.timestamps import parse_iso
from payrail.errors import Damage
from payrail.runtime.ports import Clock, Fs
from payrail.storage.books import Follower, decode_link
from payrail.storage.lines import is_whole

#: How often the log is looked at: well below the minute over which uses are counted.
LOOK_S = 0.5
#: As much of an old log is read at the start: more lines than count towards any run.
TAIL_BYTES = 256 * 1024
#: Lines looked at before others get their turn.
SLICE_LINES = 1_000


class LogWatch:
    """One incarnation's watch. `counts` are the runs it has seen, by kind."""

    def __init__(self, fs: Fs, clock: Clock, log: Any) -> None:
        self._watch, self._log = Watch(), log
        self._follower = _at_the_tail(fs)
        self._since_ms = clock.now().wire_ms - WINDOW_MS
        self.counts: Counter[str] = Counter()

    def look(self) -> bool:
        """Take in a slice of the log; True when there may be more. Raises Damage."""
        for count, (_, line) in enumerate(self._follower.read(), 1):
            for anomaly in self._watch.see(read_access(line)):
                self._tell(anomaly)
            if count == SLICE_LINES:
                return True
        return False

    def _tell(self, anomaly: Anomaly) -> None:
        if parse_iso(anomaly.at) < self._since_ms:
            return
        self.counts[anomaly.kind.value] += 1
        self._log.warning(
            "vault.anomaly",
            kind=anomaly.kind.value,
            who=anomaly.who,
            token=anomaly.token,
            count=anomaly.count,
            line=anomaly.seq,
            at=anomaly.at,
            correlation_id=anomaly.correlation_id,
        )


@asynccontextmanager
async def watching(watch: LogWatch, log: Any) -> AsyncIterator[None]:
    """Look now and then, for as long as this is open."""
    task = asyncio.create_task(_look_on(watch, log))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _look_on(watch: LogWatch, log: Any) -> None:
    try:
        while True:
            more = watch.look()
            await asyncio.sleep(0 if more else LOOK_S)
    except (Damage, OSError) as error:
        log.error("vault.watch_ended", file=CARD_ACCESS_BOOK, error=error)


def _at_the_tail(fs: Fs) -> Follower:
    """A follower of the log's last lines, or of all of it where it is short."""
    begin = max(0, fs.size(CARD_ACCESS_BOOK) - TAIL_BYTES)
    if not begin:
        return Follower(fs, CARD_ACCESS_BOOK)
    file = fs.open(CARD_ACCESS_BOOK)
    try:
        _, _, rest = file.pread(begin, TAIL_BYTES).partition(b"\n")
    finally:
        file.close()
    first, newline, _ = rest.partition(b"\n")
    if not newline or not is_whole(first):
        return Follower(fs, CARD_ACCESS_BOOK)
    offset = begin + TAIL_BYTES - len(rest)
    return Follower(fs, CARD_ACCESS_BOOK, offset, decode_link(first).prev)
