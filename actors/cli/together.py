"""Work side by side, whose end is that of the first who stops."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any

from payrail.errors import PayRailError


async def together(works: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Do all of it at once. An error of ours ends the rest, and is raised as it is: what people
    are told is one thing, not a group of them."""
    try:
        async with asyncio.TaskGroup() as tasks:
            for work in works:
                tasks.create_task(work)
    except BaseExceptionGroup as group:
        ours = [one for one in group.exceptions if isinstance(one, PayRailError)]
        if ours:
            raise ours[0] from None
        raise
