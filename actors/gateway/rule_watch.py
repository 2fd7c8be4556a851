"""Watch people's rule files beside the loop, and tell the gateway of one that changed.

A file is told of once it was the same at two looks, so that half of a file that an editor is
still writing is never taken. Never: judges for the gateway; what it will refuse is told in the log.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from actors.gateway.rule_files import FILES, judge, look
from actors.gateway.rules_taken import WATCH
from actors.gateway.settings import Rules
from payrail.domain.words.rules import RulesFound, WatchRules
from payrail.runtime.errands import Outcome, Work
from payrail.runtime.ports import Fs

#: Two looks and a turn of the loop are well below the two seconds that people are promised.
LOOK_S = 0.5


def changed(fs: Fs, order: WatchRules) -> RulesFound | None:
    """The first file that is not what it was."""
    for name in FILES:
        found = look(fs, name)
        if found is not None and order.known.get(name) != found.sha256:
            return found
    return None


@asynccontextmanager
async def rule_works(fs: Fs, log: Any, rules: Rules) -> AsyncIterator[Mapping[str, Work]]:
    """The work `rules`: it ends when there is news."""

    async def watch(order: WatchRules) -> Outcome:
        seen: RulesFound | None = None
        while True:
            before, seen = seen, changed(fs, order)
            if seen is not None and seen == before:
                tell(log, seen, rules)
                return "rules.found", seen
            await asyncio.sleep(LOOK_S)

    yield {WATCH: watch}


def tell(log: Any, found: RulesFound, rules: Rules) -> None:
    """One line for people: which file, and what is wrong with it."""
    bad = judge(found, rules)
    path = FILES[found.file].path
    if bad is None:
        log.info("rules.changed", file=path, sha256=found.sha256)
        return
    for fault in bad.faults:
        log.error(
            "rules.refused", file=path, line=fault.line, field=fault.field, error=fault.message
        )
