"""Whether a passphrase is the operator's, and how often it may be guessed.

After ten wrong ones in a row an operator's are refused for half an hour of wire time (PCI DSS
8.3.4). That is counted in memory: whoever can restart the vault can read its files as well.
One is tried at a time, beside the loop. Never: says which part of a guess was wrong.
"""

import asyncio
from typing import Any

from actors.vault.operators import Operator, Protection, share_of
from payrail.errors import RequestError
from payrail.runtime.ports import Clock

WRONG_MAX = 10
LOCKED_MS = 30 * 60_000


class Guard:
    """Tries the passphrases of one protection."""

    def __init__(self, protection: Protection, clock: Clock, log: Any) -> None:
        self.protection, self._clock, self._log = protection, clock, log
        self._wrong: dict[str, int] = {}
        self._locked_until_ms: dict[str, int] = {}
        self._one_at_a_time = asyncio.Lock()

    async def share(self, name: str, passphrase: str, field: str = "operator") -> bytes:
        """The operator's share. Raises RequestError 422 for a name that is none, 403 for a wrong
        passphrase, 429 after too many."""
        operator = self.protection.operator(name)
        if operator is None:
            raise unknown_operator(field, self.protection.names)
        async with self._one_at_a_time:
            self._must_not_be_locked(name)
            found = await asyncio.to_thread(share_of, self.protection, operator, passphrase)
            self._count(operator, right=found is not None)
        if found is None:
            self._log.warning("vault.passphrase_wrong", operator=name)
            raise RequestError(403, "passphrase-wrong", f"This is not the passphrase of {name}.")
        return found

    def _count(self, operator: Operator, *, right: bool) -> None:
        name = operator.name
        self._wrong[name] = 0 if right else self._wrong.get(name, 0) + 1
        if self._wrong[name] >= WRONG_MAX:
            self._wrong[name] = 0
            self._log.error("vault.operator_locked", operator=name, wrong=WRONG_MAX)
            self._locked_until_ms[name] = self._clock.now().wire_ms + LOCKED_MS

    def _must_not_be_locked(self, name: str) -> None:
        wait_ms = self._locked_until_ms.get(name, 0) - self._clock.now().wire_ms
        if wait_ms > 0:
            raise RequestError(
                429,
                "rate-limited",
                f"{WRONG_MAX} wrong passphrases of {name} in a row: none is tried for a while.",
                retryable=True,
                headers={"Retry-After": str(-(-wait_ms // 1000))},
            )


def unknown_operator(field: str, names: list[str]) -> RequestError:
    told = f"must be one of {', '.join(names)}"
    return RequestError(
        422,
        "validation-error",
        "The vault's keys are not held by this operator.",
        errors=[{"field": field, "message": told}],
    )
