"""What the gateway is told when it is built."""

from dataclasses import dataclass, field

from payrail.domain import fees, refund_approval
from payrail.domain.declines import Declines, default_declines
from payrail.domain.fees import FeeTable
from payrail.domain.refund_approval import RefundTiers
from payrail.domain.routing import BY_DEFAULT, RoutingTable

#: How long a hold lasts, in business time; card schemes give about a week.
HOLD_MS = 7 * 24 * 3_600_000

#: Waits between asks about one reference, in wire time; the last one repeats.
ASK_AFTER_MS = (5_000, 30_000, 300_000, 3_600_000, 86_400_000)

#: What to do about a rule file that cannot be used.
REMEDY = (
    "mend it: the gateway takes it within two seconds; one that is held needs "
    "`payrail release gateway`, one without the file makes the default again"
)


#: Asks before people are told: the first at once, then one after each of these waits.
ASKS_MAX = len(ASK_AFTER_MS) + 1


def ask_wait_ms(number: int) -> int:
    """How long to wait for an outcome after ask `number` (from 1) before the next one."""
    return ASK_AFTER_MS[min(number, len(ASK_AFTER_MS)) - 1]


@dataclass(frozen=True, slots=True)
class Rules:
    """Settings and choices. `providers` in order of preference, by their public names."""

    provider_timeout_ms: int = 5_000
    providers: tuple[str, ...] = ("providerA", "providerB")
    demo: bool = False
    seed: int = 42
    routing: RoutingTable = BY_DEFAULT
    refunds: RefundTiers = refund_approval.BY_DEFAULT
    fees: FeeTable = fees.STANDARD
    declines: Declines = field(default_factory=default_declines)
    challenge_key: bytes = field(default=b"", repr=False)  # names challenges; who acts has one
