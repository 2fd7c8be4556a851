"""Power cuts: a whole house under load loses its power again and again; nothing it said is lost.

    python -m tests.disks.cuts --cuts 200

Clients pay at a house whose home is an ext4 disk that only keeps what was fsynced. At a drawn
moment the power goes: while it works or rests, or while it still recovers from the cut before.
When it is back every answer that a client had is in the ledger, and every line of a book that
anybody read stands where it stood. After the last cut of a disk everything is settled and
delivered, `verify` is clean and an auditor reads it all. Needs Linux and root; exit code 0 says
that all of it held.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from actors.cli.chaos.house import HouseFailed
from tests.disks.chain import Chain
from tests.disks.cut_report import Order, Outcome
from tests.disks.volumes import must_be_possible


async def run(
    order: Order, folder: Path, say: Callable[[str], None] = lambda _line: None
) -> Outcome:
    """Run it in `folder`, which keeps the witness files; `say` is told of each disk."""
    outcome, began = Outcome(), time.monotonic()
    left, number = order.cuts, 0
    while left > 0:
        chain_folder = folder / f"disk{number}"
        chain_folder.mkdir(parents=True)
        try:
            await Chain(order, number, chain_folder, outcome).run(min(left, order.disk_cuts))
        except HouseFailed as error:
            outcome.wrong.append(f"{chain_folder}: the house {error}")
            break
        say(f"disk {number}: {outcome.cuts.total()} cuts, {len(outcome.wrong)} wrong")
        left, number = order.cuts - outcome.cuts.total(), number + 1
    outcome.seconds = time.monotonic() - began
    return outcome


def main(given: list[str]) -> int:
    """Run, print the report, and say by the exit code whether all is well."""
    parser = argparse.ArgumentParser(prog="python -m tests.disks.cuts")
    parser.add_argument("--cuts", type=int, default=Order.cuts)
    parser.add_argument("--clients", type=int, default=Order.clients)
    parser.add_argument("--disk-cuts", type=int, default=Order.disk_cuts)
    parser.add_argument("--inline-share", type=float, default=Order.inline_share)
    parser.add_argument("--recovery-share", type=float, default=Order.recovery_share)
    parser.add_argument("--seed", type=int, default=Order.seed)
    parser.add_argument("--folder", type=Path, help="keep the witness files here")
    asked = vars(parser.parse_args(given))
    folder = asked.pop("folder") or Path(tempfile.mkdtemp(prefix="payrail-cuts-"))
    must_be_possible()
    outcome = asyncio.run(run(Order(**asked), folder, lambda line: print(line, file=sys.stderr)))
    print(outcome.text())
    print(f"files      {folder}", file=sys.stderr)
    return 1 if outcome.wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
