"""Bits flip and files end early, in every file of a house: named, refused or mended, never wrong.

    python -m tests.scenarios.rot --every 1

A small house on a simulated disk, at rest with its snapshots. Each harm is one flipped bit or one
length of one file. Either `verify` names a file, or whoever starts refuses it, or the house mends
it: then its books are byte for byte the same, so is what the gateway knows, and a held payment is
captured and a new one made with the stored card. Everything else is a wrong answer.
"""

import sys
from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from random import Random
from typing import Any

from actors.simulation.house import ACTORS, SimHouse, authorized, open_house
from actors.simulation.orders import capture
from payrail.audit.findings import damaged
from payrail.audit.house import verify
from payrail.errors import PayRailError
from payrail.runtime.sim import SimDisk, SimFs
from tests.commands import Words, at_least

Files = dict[str, bytes]
#: What is not kept for ever, or says nothing about money: made anew, or read by people alone.
_NO_TRUTH = ("data/logs/", "data/rules/")


@dataclass(frozen=True, slots=True)
class Harm:
    """`bit` is flipped, or the file ends before byte `length`."""

    path: str
    bit: int | None = None
    length: int | None = None

    def done_to(self, data: bytes) -> bytes:
        if self.bit is None:
            return data[: self.length]
        at, mask = self.bit // 8, 1 << (self.bit % 8)
        return data[:at] + bytes([data[at] ^ mask]) + data[at + 1 :]


class Specimen:
    """The house that is harmed, and how it looks when nothing is wrong."""

    def __init__(self) -> None:
        house, self._token = open_house()
        taken = authorized(house, self._token, "taken")
        house.say(capture(taken), "capture")
        self._held = authorized(house, self._token, "held")
        for driver in house.drivers.values():
            driver.write_documents()
        house.run()
        self._house = house
        self._cores: dict[str, Any] = {name: house.core(name) for name in ACTORS}
        self._books = [path for driver in house.drivers.values() for path in _books_of(driver)]
        self.files: Files = dict(_files(house.fs))

    def harms(self, path: str, every: int, seed: int) -> Iterator[Harm]:
        """Each `every`-th bit of a file and each `every`-th of its lengths, from a drawn one on."""
        size, chance = len(self.files[path]), Random(f"{seed}/{path}")
        for bit in range(chance.randrange(every), size * 8, every):
            yield Harm(path, bit=bit)
        for length in range(chance.randrange(every), size, every):
            yield Harm(path, length=length)

    def outcome(self, harm: Harm) -> str:
        """`named`, `refused` or `mended`; everything else is what is wrong."""
        files = {**self.files, harm.path: harm.done_to(self.files[harm.path])}
        fs = _fs_of(files)
        if found := damaged(verify(fs, self._cores)):
            return "named" if any(one.path == harm.path for one in found) else "named elsewhere"
        try:
            return self._goes_on(fs)
        except PayRailError:
            return "refused"
        except Exception as error:
            return f"wrong: {type(error).__name__}: {error}"

    def _goes_on(self, fs: SimFs) -> str:
        witness = deepcopy(self._house.witness)
        witness.reborn()
        house = SimHouse(fs.disk, self._house.clock, witness=witness).start()
        house.run()
        for path in self._books:
            if house.bytes_of(path) != self.files.get(path, b""):
                return f"wrong: {path} is another one"
        if house.state != self._house.state:
            return "wrong: the gateway knows something else"
        status, _ = house.say(capture(self._held, "k_rot"), "rot_capture")
        if status != 200:
            return f"wrong: a held payment cannot be captured: {status}"
        authorized(house, self._token, "rot")
        if found := damaged(verify(house.fs, self._cores)):
            return f"wrong: afterwards {found[0]}"
        return "mended"


def _books_of(driver: Any) -> list[str]:
    return [spec.path for spec in driver.actor.books.values()]


def _files(fs: SimFs, folder: str = "") -> Iterator[tuple[str, bytes]]:
    for name in fs.listdir(folder):
        path = f"{folder}/{name}" if folder else name
        inside = list(_files(fs, path))
        if inside or fs.listdir(path):
            yield from inside
        elif not path.startswith(_NO_TRUTH) and (data := fs.read(path)):
            yield path, data


def _fs_of(files: Files) -> SimFs:
    fs = SimFs(SimDisk())
    for path, data in files.items():
        fs.replace(path, data)
    return fs


def main(given: list[str]) -> int:
    """Harm every file, print what came of it, and say by the exit code whether all is well."""
    parser = Words("python -m tests.scenarios.rot", __doc__)
    what = "each so many-th bit and length of each file; 1: all of them (97)"
    parser.add_argument("--every", type=at_least(1), default=97, help=what)
    what = "draws which bit and length of a file is the first (42)"
    parser.add_argument("--seed", type=int, default=42, help=what)
    asked = parser.parse_args(given)
    specimen, total, wrong = Specimen(), Counter[str](), 0
    for path, data in specimen.files.items():
        seen = Counter[str]()
        for harm in specimen.harms(path, asked.every, asked.seed):
            came = specimen.outcome(harm)
            seen[came.partition(":")[0]] += 1
            if came.startswith("wrong"):
                print(harm, came)
                wrong += 1
        total += seen
        print(f"{path:<48} {len(data):>6} bytes  {dict(seen)}", flush=True)
    print(f"{total.total()} harms: {dict(total)}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
