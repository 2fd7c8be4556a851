"""The ways in which an effect can go wrong, by name: one table, nothing sampled.

    before after      the process dies with the effect undone or done: one actor's, or everybody's
    torn              a write stops after one byte, half-way, or one byte short of its end
    power             everything dies, and what was not synced is dropped, kept, or lost in part
    error full        the call fails once, as a bad disk does (EIO), or a full one (ENOSPC)
    forever           it fails until people mend the disk: this file's writer alone, or everybody

A break is written `effect/way`, and what follows from it `effect/way+effect/way`: the effects of
the second are counted from the first.
"""

import errno
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from payrail.runtime.sim import Call, Dropped, Fault, Kept, Lost, Survival

WRITES = frozenset({"append", "pwrite"})
#: What a full disk refuses: everything that needs room.
NEEDS_ROOM = WRITES | {"create", "mkdir", "rename"}
EVERY_OP = NEEDS_ROOM | {"truncate", "sync", "sync_folder", "unlink"}

#: How many of the bytes of a write arrive.
_PARTS: dict[str, Callable[[int], int]] = {
    "none": lambda _size: 0,
    "first": lambda _size: 1,
    "half": lambda size: size // 2,
    "last": lambda size: size - 1,
}


@dataclass(frozen=True, slots=True)
class Way:
    """One way to go wrong. `dies`: one, all, power, or nobody. `lasts`: once, file or disk."""

    family: str
    fault: str  # crash_before | crash_after | torn | error
    dies: str = "nobody"
    survival: Survival | None = None
    part: str = "none"
    errno: int = errno.EIO
    lasts: str = "once"
    ops: frozenset[str] = EVERY_OP

    def of(self, call: Call) -> Fault:
        """What happens to this call."""
        kept = _PARTS[self.part](call.size_bytes)
        return Fault(call.n, self.fault, kept_bytes=kept, errno=self.errno)  # type: ignore[arg-type]

    def suits(self, call: Call) -> bool:
        """Whether this call can go wrong so, and not just as in another way."""
        if call.op not in self.ops:
            return False
        kept = _PARTS[self.part](call.size_bytes)
        return self.part in ("none", "first") or kept > (1 if self.fault == "torn" else 0)


def _torn() -> Iterator[tuple[str, Way]]:
    for part in ("first", "half", "last"):
        for dies in ("one", "all"):
            yield f"torn-{part}-{dies}", Way("torn", "torn", dies, part=part, ops=WRITES)
        way = Way("torn", "torn", "power", Kept(), part=part, ops=WRITES)
        yield f"torn-{part}-power", way


WAYS: dict[str, Way] = {
    "before-one": Way("before", "crash_before", "one"),
    "before-all": Way("before", "crash_before", "all"),
    "after-one": Way("after", "crash_after", "one"),
    "after-all": Way("after", "crash_after", "all"),
    "power-dropped": Way("power", "crash_after", "power", Dropped()),
    "power-kept": Way("power", "crash_after", "power", Kept()),
    "power-lost": Way("power", "crash_after", "power", Lost()),
    **dict(_torn()),
    "error": Way("error", "error"),
    "error-half": Way("error", "error", part="half", ops=WRITES),
    "full": Way("full", "error", errno=errno.ENOSPC, ops=NEEDS_ROOM),
    "full-half": Way("full", "error", errno=errno.ENOSPC, part="half", ops=WRITES),
    "forever-file": Way("forever", "error", lasts="file"),
    "forever-disk": Way("forever", "error", lasts="disk"),
    "forever-full": Way("forever", "error", errno=errno.ENOSPC, lasts="disk", ops=NEEDS_ROOM),
}
FAMILIES = tuple(dict.fromkeys(way.family for way in WAYS.values()))
#: What can happen once more while the house recovers from it.
PASSING = tuple(name for name, way in WAYS.items() if way.lasts == "once")


@dataclass(frozen=True, slots=True)
class Break:
    """Effect number `n`, from 1, goes wrong in the named way."""

    n: int
    way_name: str

    @property
    def way(self) -> Way:
        return WAYS[self.way_name]

    def __str__(self) -> str:
        return f"{self.n}/{self.way_name}"


def read_breaks(text: str) -> tuple[Break, ...]:
    """What `str` of breaks, joined with `+`, says. Raises ValueError."""
    found = []
    for part in text.split("+"):
        number, _, name = part.partition("/")
        if not number.isdecimal() or int(number) < 1:
            raise ValueError(f"{part!r} is no break: effect/way, the effect a number from 1")
        if name not in WAYS:
            raise ValueError(f"{part!r} is no break: effect/way, of {', '.join(WAYS)}")
        found.append(Break(int(number), name))
    return tuple(found)


def breaks(calls: Sequence[tuple[str, Call]]) -> Iterator[Break]:
    """Every way to break each effect."""
    for n, (_, call) in enumerate(calls, 1):
        yield from (Break(n, name) for name in ways_of(call))


def ways_of(call: Call) -> list[str]:
    """Names of the ways in which this call can go wrong."""
    return [name for name, way in WAYS.items() if way.suits(call)]
