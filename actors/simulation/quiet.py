"""Whether everybody in a simulated house is there and has nothing left to do, and who has.

Never: moves anything.
"""

from actors.simulation.clients import Clients
from actors.simulation.residents import FRONT, NAMES, Household
from actors.simulation.waiting import is_waited_for
from payrail.runtime.simmachine import SUPERVISOR, SimMachine
from payrail.web.simnet import SimNet

#: Those with a journal of their own steps.
_CORES = NAMES[:-1]


class Quiet:
    """One house's."""

    def __init__(
        self, machine: SimMachine, net: SimNet, household: Household, clients: Clients
    ) -> None:
        self._machine, self._net = machine, net
        self._household, self._clients = household, clients

    def lives(self, name: str) -> bool:
        """Whether it has recovered, and nothing has ended it since."""
        process = self._machine.writer(name)
        return process is not None and process.life is not None

    @property
    def all_serve(self) -> bool:
        return all(self.lives(name) for name in NAMES)

    @property
    def is_at_rest(self) -> bool:
        """Everybody serves; no message, timer, errand, request or half snapshot is left."""
        if not self._clients.are_over or not self.all_serve:
            return False
        if [one for one in self._machine.runnable() if one != SUPERVISOR]:
            return False
        if self._net.next_due_ms() is not None or any(map(self._waits, _CORES)):
            return False
        # What a crash has left half done is done again by the next snapshot, and that comes soon.
        return not any(path.endswith(".tmp") for path in self._machine.disk.names)

    def who_waits(self) -> str:
        """For people: who is not at rest, and for what."""
        found = [
            f"wish {one.wish.number} {one.last and one.last.path}" for one in self._clients.open
        ]
        for name in NAMES:
            if not self.lives(name):
                noted = self._machine.notes.get(name)
                found.append(f"{name} is {noted.state if noted else 'down'}")
            elif name != FRONT and (waits := self._waits(name)):
                found.append(f"{name}: {', '.join(waits)}")
        return "; ".join(found)

    def _waits(self, name: str) -> list[str]:
        driver, beside = self._machine.driver(name), self._household.beside[name]
        found = [timer for timer in driver.loop.head.timers if is_waited_for(timer)]
        if driver.blocked or not driver.is_at_rest:
            found.append("blocked")
        if driver.intake.anything_new():
            found.append("unread lines")
        if beside.open:
            found.append(f"{beside.open} errands")
        taken = driver.loop.head.inner
        for peer in filter(self.lives, _CORES):
            sent = self._machine.driver(peer).loop.head.sent.get(name, 0)
            if sent > taken.get(peer, 0):
                found.append(f"mail from {peer}")
        return found
