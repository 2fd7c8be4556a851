"""Power cuts: a whole house under load loses its power again and again; nothing it said is lost.

    python -m tests.disks.cuts --cuts 200

Clients pay at a house whose home is an ext4 disk that only keeps what was fsynced. At a drawn
moment the power goes: while it works or rests, or while it still recovers from the cut before.
When it is back every answer that a client had is in the ledger, and every line of a book that
anybody read stands where it stood. After the last cut of a disk everything is settled and
delivered, `verify` is clean and an auditor reads it all. Needs Linux and root; exit code 0 says
that all of it held.
"""

import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path

from actors.cli.chaos.house import HouseFailed
from tests.commands import Words, at_least, share, working_in
from tests.disks.chain import Chain
from tests.disks.cut_report import Order, Outcome
from tests.disks.volumes import end_unless_possible


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
    asked = vars(_parser().parse_args(given))
    folder = asked.pop("folder")
    end_unless_possible()
    with working_in(folder, "payrail-cuts-") as place:
        running = run(Order(**asked), place.folder, lambda line: print(line, file=sys.stderr))
        outcome = asyncio.run(running)
        print(outcome.text())
        place.is_good = not outcome.wrong
    return 1 if outcome.wrong else 0


def _parser() -> Words:
    parser, one = Words("python -m tests.disks.cuts", __doc__), at_least(1)
    for name, read, what in (
        ("cuts", one, "how often the power goes, over all disks"),
        ("clients", one, "how many pay at once"),
        ("disk-cuts", one, "cuts of one disk, before it is audited and the next one begins"),
        ("inline-share", share, "of the cuts, how many hit a house in one process"),
        ("recovery-share", share, "of the cuts, how many come while the house still recovers"),
        ("seed", int, "draws payments and moments"),
    ):
        usual = getattr(Order, name.replace("-", "_"))
        parser.add_argument(f"--{name}", type=read, default=usual, help=f"{what} ({usual})")
    parser.add_argument("--folder", type=Path, help="an empty folder that keeps the witness files")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
