"""What a run showed, and all of it that must not be so."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from actors.cli.chaos.auditor import Verdict
from actors.cli.chaos.cast import Cast
from actors.cli.chaos.client import REFUSED, Tally
from actors.cli.chaos.killer import Killer
from actors.cli.chaos.order import Order

#: How long a house that nobody breaks any more may take until nothing is left unread.
QUIET_S_MAX = 300.0
#: How many payments may be refused in doubt: calls that a kill kept from their provider for longer
#: than an attempt may take. On a quiet machine hardly one is.
REFUSED_SHARE_MAX = 0.1
#: Likewise where actors are stopped for seconds and disks are full: each such fault is longer than
#: an attempt may take. An hour of all faults on a machine with ten times its load had 30 %.
REFUSED_SHARE_MAX_PAUSED = 0.5
#: Payments of which `payrail why` must be able to tell the story.
WHY_SAMPLE = 6
#: A shorter run need not have seen every fault.
DRILLED_S_MIN = 120.0


@dataclass(slots=True)
class Outcome:
    """Filled while the run goes on."""

    order: Order
    cast: Cast
    seconds: float = 0.0
    calm_s: float = 0.0  # from the last fault until all was settled and had arrived
    quiet: bool = False
    settled: bool = False
    given_up: int = 0
    events: int = 0
    verify_code: int = -1
    verify_said: str = ""
    unexplained: list[str] = field(default_factory=list)  # payments that `why` could not tell of
    audit: Verdict = field(default_factory=Verdict)
    charges: Mapping[str, int] = field(default_factory=dict)  # by provider, and what drills did

    @property
    def tally(self) -> Tally:
        return self.cast.tally

    @property
    def killer(self) -> Killer:
        return self.cast.killer

    def wrong(self) -> list[str]:
        """Everything that must not be so; nothing for a good run."""
        return [*self.cast.failures(), *self._unfinished(), *self._unjudged(), *self._unproved()]

    def _unfinished(self) -> list[str]:
        found, states = [], self.tally.states
        if states.total() < self.order.payments:
            found.append(f"{states.total()} of {self.order.payments} payments are final")
        is_slow = self.order.pause or self.cast.full_disk is not None
        share = REFUSED_SHARE_MAX_PAUSED if is_slow else REFUSED_SHARE_MAX
        if states[REFUSED] > max(1, states.total() * share):
            found.append(f"{states[REFUSED]} payments were refused in doubt")
        if not self.quiet:
            found.append(f"something is still unread after {QUIET_S_MAX} s of peace")
        if not self.settled:
            found.append("no settlement and reconciliation came to their end in peace")
        return found

    def _unjudged(self) -> list[str]:
        found = [f"why {what}" for what in self.unexplained]
        if self.verify_code:
            found.append(f"verify ended with {self.verify_code}: {self.verify_said}")
        if not self.audit.is_clean:
            found.append(f"the auditor found {len(self.audit.findings)} things")
        return found

    def _unproved(self) -> list[str]:
        """Faults that never came prove nothing."""
        if self.order.seconds < DRILLED_S_MIN:
            return []
        cast = self.cast
        came = {
            "no actor was killed": not self.order.kills_per_minute or cast.killer.kills,
            "the supervisor was never killed": cast.restarter.ready_s,
            "no charge went to the second provider": self.charges.get("failovers"),
            "no payment was read while the gateway was dead": cast.visitor.read_while_dead,
            "no actor was stopped": cast.pauser is None or cast.pauser.stops,
            "the disk was never full": cast.full_disk is None or cast.full_disk.done["refused"],
            "the clock was never set": cast.wall_clock is None or cast.wall_clock.jumps,
        }
        return [what for what, holds in came.items() if not holds]

    @property
    def faults(self) -> dict[str, Counter[str]]:
        """What was done to the house, by kind."""
        cast = self.cast
        kills = self.killer.by_actor() + Counter(supervisor=len(cast.restarter.ready_s))
        found = {"kills": kills}
        if cast.pauser:
            found["pauses"] = cast.pauser.stops
        if cast.full_disk:
            found["disk_full"] = cast.full_disk.done
        if cast.wall_clock:
            steps = Counter({"business time": cast.hands.done["clock steps"]})
            found["clock"] = cast.wall_clock.jumps + steps
        return found
