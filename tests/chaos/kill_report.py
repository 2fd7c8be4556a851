"""What a kill run showed: all that must not be so, and the report for people."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.auditor.report import Report
from tests.chaos.client import REFUSED, Tally
from tests.chaos.killer import Killer

if TYPE_CHECKING:
    from tests.chaos.kill_run import Cast, Order

#: How long a house that nobody kills any more may take until nothing is left unread.
QUIET_S_MAX = 60.0
#: How many payments may be refused in doubt: calls that a kill kept from their provider for longer
#: than an attempt may take. On a quiet machine hardly one is.
REFUSED_SHARE_MAX = 0.1
#: Payments of which `payrail why` must be able to tell the story.
WHY_SAMPLE = 6


@dataclass(slots=True)
class Outcome:
    """What a run showed."""

    order: "Order"
    cast: "Cast"
    seconds: float
    restarted_s: float
    calm_s: float  # from the last kill until all was settled and had arrived
    quiet: bool
    settled: bool
    given_up: int
    verify_code: int
    verify_said: str
    unexplained: list[str]  # payments that `why` could not tell of
    report: Report
    charges: Mapping[str, int]  # by provider, and what the drills brought about

    @property
    def tally(self) -> Tally:
        return self.cast.tally

    @property
    def killer(self) -> Killer:
        return self.cast.killer

    def wrong(self) -> list[str]:
        """Everything that must not be so; nothing for a good run."""
        found = self.cast.failures()
        if self.tally.states.total() < self.order.payments:
            found.append(f"{self.tally.states.total()} of {self.order.payments} payments are final")
        if self.tally.states[REFUSED] > self.order.payments * REFUSED_SHARE_MAX:
            found.append(f"{self.tally.states[REFUSED]} payments were refused in doubt")
        if not self.quiet:
            found.append(f"something is still unread after {QUIET_S_MAX} s of peace")
        if not self.settled:
            found.append("no settlement and reconciliation came to their end in peace")
        if self.verify_code:
            found.append(f"verify ended with {self.verify_code}: {self.verify_said}")
        found += [f"why {what}" for what in self.unexplained]
        if not (self.charges.get("providerB") and self.charges.get("failovers")):
            found.append("no charge went to the second provider")
        if not self.cast.visitor.read_while_dead:
            found.append("no payment was read while the gateway was dead")
        if not self.report.is_clean:
            found.append(f"the auditor found {len(self.report.findings)} things")
        return found

    def text(self) -> str:
        """The report for people."""
        kills = self.killer.kills
        rate = len(kills) / max(self.seconds - self.restarted_s, 1)
        inside = sum(kill.busy_inside for kill in kills)
        outside = sum(kill.busy_outside for kill in kills)
        lines = [
            f"payments   {self.tally.states.total()} final, {self.order.payments} wanted:"
            f" {counts(self.tally.states)}",
            f"clients    {self.order.clients}, {self.tally.tries} tries,"
            f" {self.tally.dropped} dropped",
            f"answers    {counts(self.tally.statuses)}",
            f"kills      {len(kills)} ({rate:.2f} a second): {counts(self.killer.by_actor())};"
            f" the supervisor once, ready again after {self.restarted_s:.1f} s",
            f"charges    {counts(self.charges)}",
            *self.cast.text(),
            f"given up   {self.given_up} deliveries, each replayed by hand",
            f"busy       {self.killer.busy_share:.0%} (by its cell {inside},"
            f" requests on their way {outside})",
            f"time       {self.seconds:.1f} s, and {self.calm_s:.1f} s of calm,"
            f" seed {self.order.seed}",
            f"verify     {self.verify_code}",
            f"why        {WHY_SAMPLE - len(self.unexplained)} of {WHY_SAMPLE} payments told",
            "",
            self.report.table(),
            *(f"WRONG: {what}" for what in self.wrong()),
        ]
        return "\n".join(lines)


def counts(counter: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counter.items())) or "none"


def by_status(counter: Mapping[int, int]) -> str:
    return counts({str(status or "dropped"): count for status, count in counter.items()})
