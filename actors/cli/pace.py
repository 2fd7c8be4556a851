"""How fast a verb asks: at most so many a second, evenly, or as fast as it is answered."""

import asyncio


class Pace:
    """One pace for all lanes of a run."""

    def __init__(self, per_s: float | None = None) -> None:
        self._apart_s = 1 / per_s if per_s else 0.0
        self._next_s = 0.0

    async def turn(self) -> None:
        """Wait until it is the caller's turn. Turns that nobody took are not made up for."""
        if not self._apart_s:
            return
        now_s = asyncio.get_running_loop().time()
        mine_s = max(now_s, self._next_s)
        self._next_s = mine_s + self._apart_s
        await asyncio.sleep(mine_s - now_s)


AT_ONCE = Pace()
