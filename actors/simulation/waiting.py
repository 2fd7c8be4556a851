"""Which timers may stand in a house that has nothing left to do: those for people and for dates."""

#: Timers that always stand: a cut-off and the hourly jobs. Nobody waits for them.
STANDING = ("cut_off", "job:settle", "job:reconcile", "payouts")
#: How timers begin of what waits for people: a refund's second person, a dispute's last day, a
#: cardholder.
FOR_PEOPLE = ("refund:", "dispute:", "challenge:")
#: How the timer of a hold begins that may still be captured.
HOLD = "hold:"
#: How the timer of a payout begins that is on its way to a bank.
ON_ITS_WAY = "payout:"
_OTHERS = (*FOR_PEOPLE, HOLD, ON_ITS_WAY)


def is_waited_for(timer: str) -> bool:
    """Whether this timer means that something is still under way."""
    return timer not in STANDING and not timer.startswith(_OTHERS)
