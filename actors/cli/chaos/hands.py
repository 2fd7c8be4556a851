"""People beside the kills: they edit a rule file, rotate a key of their own and move the clock a
little, again and again; and in the calm they let a week of holds run out.

A rule file is good, then broken, then good again: a broken one must change nothing. The key is
nobody else's, so that the payments go on. Never: moves the clock so far that a cardholder who is
being asked comes too late.
"""

import asyncio
import json
from collections import Counter
from contextlib import suppress
from itertools import count
from typing import Any

import aiohttp

from actors.cli.chaos.house import House

EVERY_S = 2.0
#: The clock's steps: two at first, then, where it is asked for, one in so many seconds. They stay
#: below the quarter of an hour that a cardholder has, also for one who is asked under kills.
STEP, STEPS_MAX, STEP_EVERY_S = "5m", 2, 60.0
#: Longer than the seven days of a hold.
WEEK = "8d"
WEEK_S_MAX = 600.0
#: Holds that nobody captures.
HOLDS = 3
_BROKEN = "order = ["
_PAUSE_S, _LOOKS_MAX = 0.2, 300


class Hands:
    """Counts what was done. `failures` are what no kill explains."""

    def __init__(
        self,
        house: House,
        admin_key: str,
        session: aiohttp.ClientSession,
        *,
        every_s: float = EVERY_S,
        moves_clock: bool = False,
    ) -> None:
        """One round in `every_s`. `moves_clock`: not at first only, but all the time."""
        self._house, self._key, self._session = house, admin_key, session
        self._every_s = every_s
        self._steps_every = max(1, round(STEP_EVERY_S / every_s)) if moves_clock else 0
        self._own_key: str | None = None
        self.done: Counter[str] = Counter()
        self.failures: list[str] = []

    async def run(self) -> None:
        """One edit, one new version of the key and, at first, one step of the clock a round."""
        for number in count():
            await asyncio.sleep(self._every_s)
            with suppress(OSError):  # On a full disk, the next round does it.
                self._edit(number)
            await self._rotate(number)
            is_due = number < STEPS_MAX or (self._steps_every and not number % self._steps_every)
            if is_due and await self._told("/clock", {"advance": STEP}, f"c{number}"):
                self.done["clock steps"] += 1

    def _edit(self, number: int) -> None:
        """Put a new file into the place of the old one, which a full disk leaves as it was."""
        path = self._house.home / "data/rules/routing.toml"
        whole = path.read_text().replace(_BROKEN + "\n#\n", "")
        is_broken = number % 2 == 1
        new = path.with_suffix(".edited")
        new.write_text(_BROKEN + "\n#\n" + whole if is_broken else whole)
        new.replace(path)
        self.done["broken rule files" if is_broken else "good rule files"] += 1

    async def _rotate(self, number: int) -> None:
        if self._own_key is None:
            order = {"user": "usr_m001_viewer", "role": "viewer"}
            made = await self._told("/keys", order, "own-key")
            self._own_key = made["id"] if made else None
        elif await self._told(f"/keys/{self._own_key}/rotate", {}, f"r{number}"):
            self.done["rotations"] += 1

    async def a_week_passes(self, token: str) -> None:
        """Hold money, capture nothing, and let eight days go by: every hold is given back."""
        self._edit(0)
        held = [await self._held(token, number) for number in range(HOLDS)]
        moved = await asyncio.to_thread(
            self._house.cli, "clock", "advance", WEEK, seconds_max=WEEK_S_MAX
        )
        if moved.returncode:
            self.failures.append(f"clock advance {WEEK} ended with {moved.returncode}")
        for payment_id in held:
            state = await self._ended(payment_id)
            self.done[f"holds {state}"] += 1
            if state != "reversed expired":
                self.failures.append(f"{payment_id} is {state or 'gone'} after {WEEK}")

    async def _held(self, token: str, number: int) -> str:
        order = {"amount": 1_000, "currency": "USD", "payment_method": token, "confirm": True}
        for _ in range(_LOOKS_MAX):
            made = await self._told("/payment-intents", order, f"hold{number}")
            if made is not None and made["state"] == "authorized":
                return str(made["id"])
            if self.failures:
                break
            await asyncio.sleep(_PAUSE_S)
        return ""

    async def _ended(self, payment_id: str) -> str:
        state = ""
        for _ in range(_LOOKS_MAX):
            shown = await self._asked("GET", f"/payment-intents/{payment_id}", None, "")
            if shown is not None:
                state = f"{shown.get('state')} {shown.get('reversal_reason') or ''}".strip()
            if state.startswith("reversed"):
                break
            await asyncio.sleep(_PAUSE_S)
        return state

    async def _told(self, path: str, body: dict[str, Any], name: str) -> dict[str, Any] | None:
        return await self._asked("POST", path, body, f"hands-{name}")

    async def _asked(
        self, method: str, path: str, body: dict[str, Any] | None, key: str
    ) -> dict[str, Any] | None:
        """The answer, None when it was not taken: the next round tries anew."""
        headers = {"Authorization": f"Bearer {self._key}"}
        if key:
            headers["Idempotency-Key"] = key
        url = f"{self._house.api}{path}"
        with suppress(aiohttp.ClientError, OSError, TimeoutError):
            async with self._session.request(method, url, json=body, headers=headers) as answer:
                if answer.status < 300:
                    found: dict[str, Any] = json.loads(await answer.read())
                    return found
                if answer.status not in (409, 429, 503, 504):
                    self.failures.append(f"{method} {path}: {answer.status}")
        return None
