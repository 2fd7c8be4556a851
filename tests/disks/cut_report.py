"""What a run of power cuts is to do, and what it has seen."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Order:
    """What to run. Shares are of all cuts: those of a recovery, and of a house in one process."""

    cuts: int = 20
    clients: int = 6
    disk_cuts: int = 25  # before a disk is audited and the next one begins
    recovery_share: float = 0.35
    inline_share: float = 0.8
    seed: int = 42


@dataclass(slots=True)
class Outcome:
    """What was seen. `wrong` must stay empty."""

    cuts: Counter[str] = field(default_factory=Counter)  # while it worked | recovered
    lost_something: int = 0  # cuts after which the disk held less than the kernel had shown
    lost_bytes: int = 0
    answers: int = 0  # final answers before the last cut of their disk, each found in the books
    payments: Counter[str] = field(default_factory=Counter)
    events: int = 0
    looked_at: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)

    def text(self) -> str:
        ends = ", ".join(f"{count} {state}" for state, count in self.payments.most_common())
        how = ", ".join(f"{count} while it {what}" for what, count in self.cuts.items())
        return "\n".join(
            (
                f"power cuts {self.cuts.total()} ({how}) in {self.seconds:.0f} s",
                f"disk       {self.lost_something} cuts lost {self.lost_bytes} bytes that were"
                " written and not fsynced",
                f"answers    {self.answers} final ones looked for in the books after a cut",
                f"payments   {self.payments.total()}: {ends}",
                f"events     {self.events} at the sink",
                f"auditor    {self.looked_at.total()} facts looked at",
                *(f"WRONG      {what}" for what in self.wrong),
                f"{len(self.wrong)} wrong",
            )
        )
