"""Every fault that a schedule may have, in one table: how it is drawn, and when it fits.

A fault comes at an effect (a crash, a torn write, an error of the disk), or it begins at one and
lasts for a while (a full disk, a slow actor, a drill of a provider). A new fault is a row in
`KINDS`, and for one that lasts a method of `actors.simulation.mischief`.
Never: happens without being counted.
"""

import errno
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from actors.simulation.doubts import DRILL, DRILLED_MAX
from actors.simulation.mail import LETTERS, MAIL, WAYS
from actors.simulation.rot import WAYS as ROTS
from actors.simulation.schedule import Trouble
from payrail.domain.words.kinds import PROVIDERS
from payrail.runtime.sim import Call, Fault

#: The effects of a schedule among which its faults come.
EFFECTS_MAX = 500
ANY, SUPERVISOR = "any", "supervisor"
ACTORS = ("gateway", "vault", *PROVIDERS, "reconciler", "dispatcher", "frontdoor")
#: Who dies more often: more is at stake there.
_VICTIMS = ("gateway", "gateway", "gateway", "vault", "vault", *PROVIDERS, *ACTORS)
_WRITES = frozenset({"append", "pwrite"})
#: Effects that need room on the disk.
GROWTH = frozenset({"append", "pwrite", "create", "mkdir"})

#: What a drill may do beside doubt, for which see `actors.simulation.doubts`.
_DRILLS = (
    *("webhook duplicate_webhook", "webhook early_webhook", "webhook reorder_webhooks"),
    *("webhook late_webhook:2", "webhook late_webhook:90"),
    *("authorize decline:insufficient_funds", "authorize wrong_amount", "authorize wrong_amount"),
    *(f"statement settlement_mismatch:{kind}" for kind in ("amount", "missing_theirs")),
)
#: Of the two providers the first is called by default.
_CALLED = (PROVIDERS[0], PROVIDERS[0], *PROVIDERS)
#: Statuses of a failing sink; 0: it never answers.
_SINKS = ("500", "503", "410", "0", "429")

#: (target, lasts_ms, how)
Drawn = tuple[str, int, str]


@dataclass(frozen=True, slots=True)
class Kind:
    """One row. A fault that `lasts` begins at any effect, unless it has `ops`; others come at one
    of `ops`. `below`: of files in this folder, but for those `outside`."""

    weight: int
    draw: Callable[[Random], Drawn]
    ops: frozenset[str] | None = None
    lasts: bool = False
    below: str = ""
    outside: tuple[str, ...] = ()


def _victim(chance: Random) -> Drawn:
    return chance.choice(_VICTIMS), 0, chance.choice(("before", "after", "after"))


def _torn(chance: Random) -> Drawn:
    return chance.choice(_VICTIMS), 0, f"torn {chance.randint(1, 99)}"


def _everybody(chance: Random) -> Drawn:
    return ANY, 0, chance.choice(("before", "after"))


def _error(chance: Random) -> Drawn:
    number = chance.choice((errno.EIO, errno.ENOSPC))
    return chance.choice(_VICTIMS), 0, f"error {number} {chance.choice((0, 0, 50))}"


def _lost_sync(chance: Random) -> Drawn:
    """The third figure: so many effects later the power goes too, since only that shows what was
    lost; 0: it does not."""
    cut = chance.choice((0, 0, 1, 5, 20, 60, 120))
    return chance.choice(_VICTIMS), 0, f"error {errno.EIO} 0 {cut}"


def _rot(chance: Random) -> Drawn:
    return chance.choice(ACTORS[:6]), chance.randint(500, 8_000), chance.choice(ROTS)


def _mail(chance: Random) -> Drawn:
    return chance.choice(ACTORS), chance.randint(200, 8_000), chance.choice(WAYS)


def _for_a_while(low_ms: int, high_ms: int, targets: tuple[str, ...]) -> Callable[[Random], Drawn]:
    return lambda chance: (chance.choice(targets), chance.randint(low_ms, high_ms), "")


def _drill(chance: Random) -> Drawn:
    return chance.choice(_CALLED), 0, f"{chance.choice(_DRILLS)} {chance.choice((1, 1, 2, 5))}"


def _sink(chance: Random) -> Drawn:
    return ANY, chance.randint(200, 8_000), chance.choice(_SINKS)


def _advance(chance: Random) -> Drawn:
    return ANY, 0, chance.choice(("1m", "1h", "1h", "8h", "1d", "2d"))


def _clock(chance: Random) -> Drawn:
    by_ms = chance.choice((-3_600_000, -5_000, -700, 700, 5_000, 60_000))
    return ANY, chance.randint(100, 5_000), str(by_ms)


KINDS: dict[str, Kind] = {
    "kill": Kind(10, _victim),
    "torn write": Kind(6, _torn, _WRITES),
    "kill all": Kind(4, _everybody),
    "power cut": Kind(8, _everybody),
    "write error": Kind(5, _error, GROWTH | {"rename"}),
    "sync error": Kind(8, _lost_sync, frozenset({"sync"})),
    "folder sync error": Kind(3, _lost_sync, frozenset({"sync_folder"})),
    "mail rot": Kind(6, _mail, _WRITES, lasts=True, below=MAIL, outside=(LETTERS,)),
    "full disk": Kind(4, _for_a_while(100, 4_000, (ANY,)), lasts=True),
    "slow actor": Kind(5, _for_a_while(50, 3_000, ACTORS), lasts=True),
    "stopped actor": Kind(5, _for_a_while(200, 15_000, (*ACTORS, SUPERVISOR)), lasts=True),
    "poison": Kind(5, _for_a_while(0, 0, ("gateway", "vault", *PROVIDERS)), lasts=True),
    "hung rule": Kind(4, _for_a_while(0, 0, ACTORS[:6]), lasts=True),
    "double start": Kind(3, _for_a_while(0, 0, ACTORS), lasts=True),
    "lost bells": Kind(4, _for_a_while(100, 10_000, (ANY,)), lasts=True),
    "bit rot": Kind(8, _rot, lasts=True),
    "clock set": Kind(4, _clock, lasts=True),
    "frozen clock": Kind(3, _for_a_while(500, 8_000, (ANY,)), lasts=True),
    "time passes": Kind(3, _advance, lasts=True),
    "rough net": Kind(6, _for_a_while(100, 4_000, (ANY,)), lasts=True),
    DRILL: Kind(24, _drill, lasts=True),
    "failing sink": Kind(8, _sink, lasts=True),
}
#: What ends one process, and what ends all.
DEATHS = frozenset({"kill", "torn write", "kill all", "power cut"})
#: What changes bytes that are on the disk already.
DAMAGES = frozenset({"bit rot", "mail rot"})
_RESTARTS = ("kill", "kill", "torn write", "power cut", "kill all")


def restart(chance: Random, number: int) -> Trouble:
    """The restart that every schedule has: early, and of somebody who has much to do."""
    return _trouble(chance, number, chance.choice(_RESTARTS), at=chance.randint(1, 250))


def trouble(chance: Random, number: int) -> Trouble:
    """Any fault."""
    kind = chance.choices(list(KINDS), weights=[row.weight for row in KINDS.values()])[0]
    # A drill waits for a call: it is there before most calls are made.
    effects_max = DRILLED_MAX if kind == DRILL else EFFECTS_MAX
    return _trouble(chance, number, kind, at=chance.randint(1, effects_max))


def _trouble(chance: Random, number: int, kind: str, at: int) -> Trouble:
    target, lasts_ms, how = KINDS[kind].draw(chance)
    return Trouble(number, kind, target, at, lasts_ms, how)


def fits(trouble: Trouble, actor: str, call: Call) -> bool:
    """Whether this effect is one at which the fault may come."""
    kind = KINDS[trouble.kind]
    if kind.lasts and kind.ops is None:
        return True
    if not call.path.startswith(kind.below) or call.path.startswith(kind.outside):
        return False
    is_theirs = trouble.target in (actor, ANY)
    return is_theirs and (kind.ops is None or call.op in kind.ops)


def cut_after(trouble: Trouble) -> int:
    """So many effects after this one the power goes; 0: it does not."""
    word, *numbers = trouble.how.split()
    return int(numbers[2]) if word == "error" and len(numbers) > 2 else 0


def fault_at(trouble: Trouble, call: Call) -> Fault:
    """What this fault makes of the effect."""
    word, *numbers = trouble.how.split()
    if word == "torn":
        kept_bytes = max(1, call.size_bytes * int(numbers[0]) // 100)
        return Fault(call.n, "torn", kept_bytes=kept_bytes)
    if word == "error":
        kept_bytes = call.size_bytes * int(numbers[1]) // 100
        return Fault(call.n, "error", errno=int(numbers[0]), kept_bytes=kept_bytes)
    return Fault(call.n, "crash_before" if word == "before" else "crash_after")
