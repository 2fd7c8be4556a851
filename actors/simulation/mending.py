"""What people do once the faults are over: they look at each dead letter, and close it.

    rest ──▶ mend: replay or drop, by lines in hand.jsonl ──▶ rest ──▶ … until none is open

Never: closes one that was not looked at, or writes anything but what `payrail dlq` writes.
"""

from collections import Counter
from collections.abc import Sequence

import msgspec

from actors.simulation.schedule import chance
from payrail.runtime.simfs import SimFs
from payrail.runtime.simmachine import SimMachine

#: A letter that is still open after so many replays is dropped.
REPLAYS_MAX = 1
#: Of so many letters about one is dropped at once.
_DROPPED = 4


class People:
    """One run's."""

    def __init__(self, seed: int, machine: SimMachine, actors: Sequence[str]) -> None:
        self._seed, self._machine, self._actors = seed, machine, actors
        self._looked: Counter[str] = Counter()

    def mend(self) -> bool:
        """Look at every dead letter that is open. False: there is none."""
        found = [
            (actor, letter)
            for actor in self._actors
            for letter in self._machine.driver(actor).loop.head.dead
        ]
        for actor, letter in found:
            self._close(actor, letter)
        return bool(found)

    def _close(self, actor: str, letter: str) -> None:
        own = chance(self._seed, "letter", actor, self._looked[actor])
        self._looked[actor] += 1
        self._looked[letter] += 1
        drops = self._looked[letter] > REPLAYS_MAX or not own.randrange(_DROPPED)
        verb = "drop" if drops else "replay"
        line = msgspec.json.encode({"kind": f"dlq.{verb}", "body": {"id": letter}})
        file = SimFs(self._machine.disk).open(f"mailboxes/{actor}/hand.jsonl", create=True)
        file.append(line + b"\n")
        file.sync()
        file.close()
        self._machine.bell.ring(actor)
