"""A house with a planted weakness: some messages kill, hang or slow the gateway that reads them.

`python -m tests.scenarios.poisoned` runs it like `payrail up --demo`. Only the wiring differs: the
actor is the real one behind a wrapper, so that supervisor, cell and journal meet a real death.
"""

import asyncio
import os
import sys
import time
from typing import Any

from actors import wiring
from payrail.domain.messages import CancelPayment, CreatePayment
from payrail.runtime.actor import Actor, Message, Moment, Step
from payrail.runtime.control import Resident
from payrail.runtime.resident import ActorResident
from payrail.runtime.supervisor import Supervisor

preload = wiring.preload


class Fragile:
    """The gateway, but a create with metadata `{"poison": "kill"}` ends the process, and a cancel
    by hand of `pi_poison` does too."""

    def __init__(self, inner: Actor[Any]) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def decide(self, state: Any, message: Message, moment: Moment) -> Step:
        body = message.body
        if isinstance(body, CreatePayment) and "poison" in body.metadata:
            self._poison(body.metadata["poison"])
        if isinstance(body, CancelPayment) and body.id == "pi_poison":
            self._poison("kill")
        return self._inner.decide(state, message, moment)

    def _poison(self, how: str) -> None:
        if how == "kill":
            os._exit(137)
        if how == "raise":
            raise ZeroDivisionError("a rule that fails")
        time.sleep(60)  # a hang: the supervisor ends it


def build(name: str, home: str, options: dict[str, Any]) -> Resident:
    """As `actors.wiring.build`, with a fragile gateway."""
    resident = wiring.build(name, home, options)
    if name == "gateway" and isinstance(resident, ActorResident):
        make = resident.make_actor
        resident.make_actor = lambda: Fragile(make())
    return resident


if __name__ == "__main__":
    house = Supervisor(
        os.environ["PAYRAIL_HOME"],
        wiring.NAMES,
        build_path="tests.scenarios.poisoned:build",
        options={"demo": True},
    )
    sys.exit(asyncio.run(house.run()))
