"""Every fault that a schedule may have, in one table: how it is drawn, and what it does.

A fault comes at an effect (a crash, a torn write, an error of the disk), or it begins at one and
lasts for a while (a full disk, a slow actor, a drill of a provider). A new fault is a row in
`KINDS`, and for one that lasts a method of the world. Never: happens without being counted.
"""

import errno
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Protocol

from actors.simulation.schedule import Trouble
from payrail.runtime.sim import Call, Fault

#: The effects of a schedule among which its faults come.
EFFECTS_MAX = 700
ANY = "any"
PROVIDERS = ("provider-a", "provider-b")
ACTORS = ("gateway", "vault", *PROVIDERS, "reconciler", "dispatcher")
#: Who dies more often: more is at stake there.
_VICTIMS = ("gateway", "gateway", "gateway", "vault", "vault", *PROVIDERS, *ACTORS)
_WRITES = frozenset({"append", "pwrite"})
#: Effects that need room on the disk.
GROWTH = frozenset({"append", "pwrite", "create", "mkdir"})

_MONEY = ("authorize", "authorize", "capture", "refund", "reverse")
#: What a drill may do, and to what; see the fault rules of a provider.
_DRILLS: tuple[tuple[str, tuple[str, ...]], ...] = (
    *((do, (*_MONEY, "status")) for do in ("down", "error", "reset", "garbage")),
    ("hang", ("status",)),  # of money it would hang for ever: that is what the drill is for
    *((f"http:{status}", (*_MONEY, "status")) for status in (500, 502, 504)),
    *(("approve_then_hang", _MONEY) for _ in range(4)),
    ("slow:3000", _MONEY),
    ("slow:8000", _MONEY),
    ("decline:insufficient_funds", ("authorize",)),
    ("wrong_amount", ("authorize",)),
    ("duplicate_webhook", ("webhook",)),
    ("late_webhook:2", ("webhook",)),
    ("late_webhook:90", ("webhook",)),
    ("early_webhook", ("webhook",)),
    ("reorder_webhooks", ("webhook",)),
    *((f"settlement_mismatch:{kind}", ("statement",)) for kind in ("amount", "missing_theirs")),
)
_SINKS = ("500", "410", "0", "429")


class World(Protocol):
    """What a fault that lasts may do to the world; each ends by itself."""

    def slow(self, actor: str, ms: int) -> None: ...
    def stop(self, actor: str, ms: int) -> None: ...
    def fill_disk(self, ms: int) -> None: ...
    def drill(self, provider: str, rule: str) -> None: ...
    def break_sink(self, status: int, ms: int) -> None: ...
    def pass_time(self, business_ms: int) -> None: ...
    def lose_answers(self, ms: int) -> None: ...


#: (target, lasts_ms, how)
Drawn = tuple[str, int, str]


@dataclass(frozen=True, slots=True)
class Kind:
    """One row. Without `begin` it comes at an effect of one of `ops`."""

    weight: int
    draw: Callable[[Random], Drawn]
    ops: frozenset[str] | None = None
    begin: Callable[[World, Trouble], None] | None = None


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
    return chance.choice(_VICTIMS), 0, f"error {errno.EIO} 0"


def _for_a_while(low_ms: int, high_ms: int, targets: tuple[str, ...]) -> Callable[[Random], Drawn]:
    return lambda chance: (chance.choice(targets), chance.randint(low_ms, high_ms), "")


def _drill(chance: Random) -> Drawn:
    do, operations = chance.choice(_DRILLS)
    count = chance.choice((1, 1, 1, 2, 5))
    return chance.choice(PROVIDERS), 0, f"{chance.choice(operations)} {do} {count}"


def _sink(chance: Random) -> Drawn:
    return ANY, chance.randint(200, 8_000), chance.choice(_SINKS)


def _hop(chance: Random) -> Drawn:
    return ANY, chance.choice((60_000, 3_600_000, 86_400_000)), ""


KINDS: dict[str, Kind] = {
    "kill": Kind(10, _victim),
    "torn write": Kind(6, _torn, _WRITES),
    "kill all": Kind(4, _everybody),
    "power cut": Kind(8, _everybody),
    "write error": Kind(5, _error, GROWTH | {"rename"}),
    "sync error": Kind(5, _lost_sync, frozenset({"sync"})),
    "folder sync error": Kind(2, _lost_sync, frozenset({"sync_folder"})),
    "full disk": Kind(
        4, _for_a_while(100, 4_000, (ANY,)), begin=lambda w, t: w.fill_disk(t.lasts_ms)
    ),
    "slow actor": Kind(
        5, _for_a_while(50, 3_000, ACTORS), begin=lambda w, t: w.slow(t.target, t.lasts_ms)
    ),
    "stopped actor": Kind(
        5, _for_a_while(1_000, 20_000, ACTORS), begin=lambda w, t: w.stop(t.target, t.lasts_ms)
    ),
    "provider drill": Kind(24, _drill, begin=lambda w, t: w.drill(t.target, t.how)),
    "failing sink": Kind(5, _sink, begin=lambda w, t: w.break_sink(int(t.how), t.lasts_ms)),
    "time passes": Kind(3, _hop, begin=lambda w, t: w.pass_time(t.lasts_ms)),
    "lost answers": Kind(
        5, _for_a_while(50, 2_000, (ANY,)), begin=lambda w, t: w.lose_answers(t.lasts_ms)
    ),
}
#: What ends one process, and what ends all.
DEATHS = frozenset({"kill", "torn write", "kill all", "power cut"})
_RESTARTS = ("kill", "kill", "torn write", "power cut")


def restart(chance: Random, number: int) -> Trouble:
    """The restart that every schedule has: early, and of somebody who has much to do."""
    return _trouble(chance, number, chance.choice(_RESTARTS), at=chance.randint(1, 250))


def trouble(chance: Random, number: int) -> Trouble:
    """Any fault."""
    kind = chance.choices(list(KINDS), weights=[row.weight for row in KINDS.values()])[0]
    return _trouble(chance, number, kind, at=chance.randint(1, EFFECTS_MAX))


def _trouble(chance: Random, number: int, kind: str, at: int) -> Trouble:
    target, lasts_ms, how = KINDS[kind].draw(chance)
    return Trouble(number, kind, target, at, lasts_ms, how)


def fits(trouble: Trouble, actor: str, call: Call) -> bool:
    """Whether this effect is one at which the fault may come."""
    kind = KINDS[trouble.kind]
    if kind.begin is not None:
        return True
    return trouble.target in (actor, ANY) and (kind.ops is None or call.op in kind.ops)


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
