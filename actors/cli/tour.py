"""The tour: a house with demo merchants, some hundred payments over HTTP, and where to look.

Never: ends a house that it did not start.
"""

import asyncio
import os
import shlex
import shutil
import sys
import time
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from rich.console import Console

from actors.cli.common import DEMO_SEED, put, say
from actors.cli.exits import CORRUPT, INTERRUPTED, NOT_RUNNING, Stop
from actors.cli.house import make_secrets, may_start, options_of, prepare
from actors.cli.keys import demo_keys
from actors.cli.payments import Done, pay_all, with_documented_cards
from actors.cli.progress import progress_bar
from actors.cli.running import run_supervisor, supervisor_of, until_ready
from actors.cli.shop import Shop
from actors.cli.summary import print_summary
from payrail.domain.synthetic import PlannedPayment, demo_plan
from payrail.runtime.house import holders, status
from payrail.settings import Settings

T = TypeVar("T")

#: A house that is not ready by then will not be: `doctor` tells why.
READY_S_MAX = 60
_LOOK_AGAIN_S = 0.1


async def tour(payments: int, *, leave: bool) -> bool:
    """Pay and show; result: whether every payment ended as planned. Stays until Ctrl-C unless
    `leave`, or the house is another's."""
    chosen = prepare()
    async with _house(chosen) as own:
        await _before_the_end(own, _ready(chosen))
        plan = with_documented_cards(demo_plan(DEMO_SEED, payments))
        good = await _before_the_end(own, _pay(chosen, plan))
        put(where_to_look(chosen))
        if own and not leave:
            say("the house stays up; Ctrl-C ends it")
            await own
    return good


async def _pay(chosen: Settings, plan: Sequence[PlannedPayment]) -> bool:
    """Pay the plan under keys of its own; result: whether all ended as planned."""
    run = f"run-{time.time_ns() // 1_000_000}"
    with progress_bar("paying", len(plan)) as advance:

        def told(_: Done) -> None:
            advance()

        async with Shop(chosen.api_url, chosen.vault_url, demo_keys(chosen)) as shop:
            done = await pay_all(shop, plan, run, told)
    print_summary(Console(), done, shop.latency_ms)
    return not any(one.wrong for one in done)


#: Lines that people can paste; each works on the files as they are.
LINES = (
    """tail -qF mailboxes/gateway/*.jsonl | jq -cR 'fromjson? | [.sent_at, .from, .kind, .key]'""",
    """jq -c '[.seq, .type, .ref, .amount, .currency]' data/ledger/payments.jsonl | tail""",
    """jq -c '.postings[] | [.account, .amount, .currency]' data/ledger/payments.jsonl | tail""",
    "jq -sc '[.[].postings[]] | group_by(.currency)[] | {(.[0].currency): map(.amount) | add}'"
    " data/ledger/payments.jsonl",
    """jq -c '[.operation, .reference, .outcome]' data/providers/providerA_truth.jsonl | tail""",
    """jq -c '[.at, .purpose, .outcome, .payment_id]' data/vault/access_log.jsonl | tail""",
)

VERBS = ("ps", "tail gateway -f", "keys demo", "kill gateway", "demo all")


def where_to_look(chosen: Settings) -> str:
    """What to do next, in the folder of the house."""
    home = os.path.relpath(chosen.home)
    lines = [f"  cd {shlex.quote(home)}"] if home != "." else []
    lines += [f"  {line}" for line in LINES]
    lines += [f"  {_program()} {verb}" for verb in VERBS]
    pages = [f"  {chosen.api_url}/{page}" for page in ("docs", "health", "ready")]
    return "\n".join(["", "Where to look:", *lines, *pages, f"  {chosen.console_url}", ""])


def _program() -> str:
    """How this command line is called: by name where the shell finds it, else by its path."""
    return "payrail" if shutil.which("payrail") else os.path.relpath(sys.argv[0])


@asynccontextmanager
async def _house(chosen: Settings) -> AsyncIterator[asyncio.Task[None] | None]:
    """A house run by this process; None when one runs on this home already."""
    from actors.wiring import NAMES

    if holders(chosen.home):
        say("a house runs on this home already: the tour goes there")
        yield None
        return
    may_start(chosen, list(NAMES))
    make_secrets(chosen)
    supervisor = supervisor_of(chosen, NAMES, options_of(chosen, demo=True))
    own = asyncio.create_task(run_supervisor(supervisor, chosen, NAMES))
    await asyncio.sleep(0)
    try:
        yield own
    finally:
        if not own.done():
            supervisor.stop()
        await own


async def _ready(chosen: Settings) -> None:
    """Wait for /ready. Raises Stop when it takes too long, or never will be."""
    from actors.wiring import NAMES

    ready = asyncio.create_task(until_ready(chosen, NAMES))
    try:
        async with asyncio.timeout(READY_S_MAX):
            while not ready.done():
                await asyncio.wait({ready}, timeout=_LOOK_AGAIN_S)
                _none_may_be_held(chosen)
    except TimeoutError:
        raise Stop(NOT_RUNNING, "the house is not ready", "See `payrail doctor`.") from None
    finally:
        ready.cancel()


def _none_may_be_held(chosen: Settings) -> None:
    """Raise Stop for an actor that its supervisor does not start again."""
    for row in status(chosen.home):
        if row["state"] == "held":
            remedy = "Its reason stands above; mend it, then `payrail release` it."
            raise Stop(CORRUPT, f"{row['name']} is held", remedy)


async def _before_the_end(own: asyncio.Task[None] | None, work: Coroutine[Any, Any, T]) -> T:
    """The work's result. Raises Stop when our house ends first, as after Ctrl-C."""
    task = asyncio.create_task(work)
    await asyncio.wait({task, own} if own else {task}, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        return await task
    task.cancel()
    if own:
        await own
    raise Stop(INTERRUPTED, "the house ended before the tour did")
