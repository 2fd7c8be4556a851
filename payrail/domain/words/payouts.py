"""Payouts to merchants: what people ask for, the gateway's timers, and the file of a day.

gateway ── payouts.changed ──▶ reconciler ── payouts_DATE.csv
"""

from msgspec import Struct

from payrail.domain.words.kinds import ERRAND, GATEWAY, TIMER, Kind, asked, kind
from payrail.domain.words.payments import Command


class CreatePayout(Command, kw_only=True):
    """Pay out now what is payable in one currency."""

    currency: str


class ResolvePayout(Command, kw_only=True):
    """A drill: the bank says that it was paid, or sends it back."""

    id: str
    outcome: str  # paid | failed
    code: str | None = None  # why it failed


class PayoutsDue(Struct):
    """The gateway's timer: the daily run. `after`: the account that the run has come to."""

    after: str = ""


class PayoutPaidDue(Struct):
    """The gateway's timer: our bank tells that the payout has arrived."""

    payout_id: str


class PayoutsChanged(Struct, forbid_unknown_fields=True):
    """Gateway to reconciler: payouts of this day were made or have moved."""

    date: str


class PayoutsWritten(Struct):
    """The reconciler's errand: the file of a day is in place. `mark` tells which order it was."""

    date: str
    mark: int
    lines: int
    sha256: str


KINDS: tuple[Kind, ...] = (
    asked("payout.create", "frontdoor", CreatePayout),
    asked("payout.resolve", "frontdoor", ResolvePayout),
    kind("payout.run", TIMER, PayoutsDue),
    kind("payout.paid_due", TIMER, PayoutPaidDue),
    kind("payouts.changed", GATEWAY, PayoutsChanged),
    kind("payouts.written", ERRAND, PayoutsWritten),
)
