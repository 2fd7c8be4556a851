"""What happens to a payment after it was made: one order of somebody on some day.

An order about a payment that was declined, or whose state does not allow it any more, is left out
by whoever plays the plan: what an issuer says of an invented card is nobody's plan.
"""

from dataclasses import dataclass

CAPTURE, CANCEL, REFUND, APPROVE, REJECT = "capture", "cancel", "refund", "approve", "reject"
DISPUTE, EVIDENCE, SUBMIT, ACCEPT = "dispute", "evidence", "submit", "accept"
RESOLVE, SECOND, DRILL = "resolve", "second_chargeback", "drill"


@dataclass(frozen=True, slots=True)
class Follow:
    """One order. Those of a payment are played in their order, day by day.

    - `capture`: `percent` of the amount; `final` gives the rest back.
    - `cancel`.
    - `refund`: number `nth` of the payment, `percent` of what was captured, `detail` is the reason;
      `approve` and `reject` judge refund `nth`, as another user than who asked for it.
    - `dispute`: number `nth`, `percent` of what was captured, `stage` inquiry | chargeback,
      `detail` is the reason; `evidence` says `detail` (winning_evidence | losing_evidence) as
      `uncategorized_text`; `submit`; `accept`; `resolve` with `detail` won | lost;
      `second_chargeback` about what was won: only the provider's own door opens it.
    - `drill`: a fault rule for the next order about this payment at its provider: `operation`
      and `do` stand in `detail`, parted by a space; it matches this payment, once.
    """

    day: int  # on the plan's calendar, never before the payment's own
    verb: str
    percent: int = 100
    nth: int = 1
    detail: str = ""
    stage: str = ""
    final: bool = True
