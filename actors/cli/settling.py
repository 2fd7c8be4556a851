"""Settle and reconcile what was captured, at a house that can.

Never: settles when nothing is left to settle, or fails for a house that has no such routes.
"""

from dataclasses import dataclass

from actors.cli.seeding.ends import Ends
from actors.cli.seeding.happenings import Happenings
from actors.cli.seeding.tally import Tally

_NO_SUCH_ROUTE = (404, 405)
_FAILURES = 400


@dataclass(frozen=True, slots=True)
class Settling:
    """`status`: done, not_due (nothing was left to settle), not_yet (the house has no such route)
    or failed; `told` says it for people."""

    status: str
    told: str


async def settle(happenings: Happenings, due: int) -> Settling:
    """Close an extra batch and reconcile it, if `due` captured payments wait for that."""
    if not due:
        return Settling("not_due", "nothing was left to settle")
    for run, path in (
        (happenings.settle, "/settlements"),
        (happenings.reconcile, "/reconciliations"),
    ):
        answer = await run()
        if answer.status in _NO_SUCH_ROUTE:
            return Settling("not_yet", f"this house has no POST {path} yet")
        if answer.status >= _FAILURES:
            return Settling(
                "failed", f"POST {path} answered {answer.status} {answer.code}".rstrip()
            )
    return Settling("done", "")


def judged(settling: Settling, tally: Tally, ends: Ends) -> Settling:
    """The same once it was looked at: what no statement matches is not called settled."""
    if settling.status != "done":
        return settling
    told = f"{min(ends.settled, tally.due)} of {tally.due} payments settled"
    return Settling("done" if ends.settled >= tally.due else "failed", told)
