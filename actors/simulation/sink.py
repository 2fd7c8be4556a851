"""The merchants' endpoints: what came there, and what was answered."""

from collections.abc import Callable

from actors.simulation.evidence import Heard
from payrail.runtime.simmachine import SimMachine
from payrail.runtime.simtime import NOON_MS
from payrail.web.simnet import Asked


class Sink:
    """Of one run. `status` says what is answered now; None: nothing."""

    def __init__(self, machine: SimMachine, status: Callable[[], int | None]) -> None:
        self._machine, self._status = machine, status
        self.heard: list[Heard] = []

    def take(self, asked: Asked) -> int | None:
        """A webhook has come."""
        status = self._status()
        self.heard.append(
            Heard(
                endpoint_id=asked.path,  # until it is known whose that is
                webhook_id=asked.headers["webhook-id"],
                body=asked.body,
                at_ms=NOON_MS + self._machine.now_ms,
                status=status,
                headers={name.lower(): value for name, value in asked.headers.items()},
            )
        )
        return status
