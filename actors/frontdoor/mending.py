"""Read on in a book of the gateway's that a power cut may have torn.

Its owner mends it before it serves; until then nobody is to blame, and whoever asks again is
answered. Damage that is there while its owner serves is nobody's to mend but people's.
"""

from collections.abc import Callable
from typing import Protocol

from payrail.domain.words.kinds import GATEWAY
from payrail.errors import Damage, RequestError
from payrail.runtime.cellpage import Cells


class View(Protocol):
    """A fold of a book."""

    def catch_up_some(self) -> bool: ...


def read_on(view: View, mends: Callable[[], bool]) -> None:
    """Fold what was booked since. Raises Damage; RequestError 503 while the book `mends`."""
    try:
        while view.catch_up_some():
            pass
    except Damage as damage:
        if not mends():
            raise
        raise RequestError(
            503,
            "actor-restarting",
            "The gateway is starting and mends its books; try again.",
            retryable=True,
            headers={"Retry-After": "1"},
        ) from damage


def is_starting(cells: Cells) -> bool:
    """Whether the gateway has not served since the machine was started, or since it died."""
    cell = cells.read(GATEWAY)
    return cell is None or cell.state == "starting"
