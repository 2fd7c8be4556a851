"""What the dispatcher is told when it is built."""

from dataclasses import dataclass

from payrail.domain.webhooks import SCHEDULES, Schedule

#: An endpoint that nothing reached for so long is disabled. Source: what Svix does.
FAILING_MS_MAX = 5 * 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class Policy:
    """`flying_max`: attempts under way to one endpoint at once, so that one that is slow keeps
    its own events waiting and nobody else's."""

    schedule: Schedule = SCHEDULES["standard"]
    flying_max: int = 16
