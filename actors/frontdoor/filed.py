"""Files of settlement that are shown as they lie there: people may have edited them.

Never: repeats what stands in a file that cannot be read, or lets it look like a fault of ours.
"""

import asyncio
import csv
from collections.abc import Callable
from typing import TypeVar

import msgspec

from payrail.errors import RequestError

T = TypeVar("T")

# What reading a file says that is not as it was written. A StopIteration must not reach a thread's
# future: whoever waits for it would wait for ever.
_UNREADABLE = (
    OSError,
    ValueError,
    LookupError,
    TypeError,
    StopIteration,
    csv.Error,
    msgspec.MsgspecError,
)


async def understood(path: str, remedy: str, reading: Callable[[], T]) -> T:
    """What `reading` makes of the file, beside the loop. Raises RequestError 503, with the file and
    the remedy, for one that was spoilt."""

    def read() -> T:
        try:
            return reading()
        except _UNREADABLE:
            detail = f"{path} is not as it was written; {remedy}."
            raise RequestError(503, "file-damaged", detail) from None

    return await asyncio.to_thread(read)
