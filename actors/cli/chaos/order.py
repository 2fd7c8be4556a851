"""What to run: everything that the command line says of a chaos run, and nothing that it finds."""

from dataclasses import dataclass

#: A round of settling and of editing rules in so many parts of the run, and at most each 2 s: what
#: they leave behind grows with each round, and an hour's shall be no more than some minutes'.
ROUNDS_MAX, ROUND_S_MIN = 90, 2.0


@dataclass(frozen=True, slots=True)
class Order:
    """`payments`: at least so many, however long it takes. `payments_per_minute`: at most so many,
    0 for as many as come to be. `failing`: the share of deliveries that the sink refuses."""

    minutes: float = 1.0
    kills_per_minute: float = 60.0
    pause: bool = False
    disk_full: bool = False
    clock: bool = False
    in_turn: bool = True
    clients: int = 16
    payments: int = 1
    payments_per_minute: int = 0
    failing: float = 0.1
    seed: int = 42

    @property
    def seconds(self) -> float:
        return self.minutes * 60

    @property
    def round_s(self) -> float:
        return max(ROUND_S_MIN, self.seconds / ROUNDS_MAX)
