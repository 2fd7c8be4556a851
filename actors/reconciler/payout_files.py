"""data/settlement/payouts_DATE.csv: payouts to merchants that were made on a day, as they stand.

The gateway says that a day's payouts have changed; the file is made out of the ledger, whole, one
file at a time. A change that comes meanwhile makes it once more.
Owns: those files. Never: decides about a payout.
"""

import hashlib

from msgspec import Struct

from actors.reconciler.inputs import Ledger
from payrail.domain import payouts
from payrail.domain.books import LEDGER_BOOK
from payrail.domain.ledger import read_entry
from payrail.domain.payouts import PayoutView
from payrail.domain.settlement.places import payouts_path
from payrail.domain.settlement.tables import written
from payrail.domain.words.payouts import PayoutsChanged, PayoutsWritten
from payrail.runtime.actor import Errand, Message, Step
from payrail.runtime.errands import Outcome
from payrail.runtime.ports import Fs

WORK = "payouts"
COLUMNS = (
    *("payout_id", "merchant_id", "currency", "amount", "state", "created_at", "value_date"),
    *("paid_at", "bank_reference", "failure_reason"),
)
#: Every line about a payout has it, and hardly another.
_MARK = b'"type":"payout.'


class PayoutsWanted(Struct, frozen=True, tag_field="type", tag="payouts.wanted"):
    """The file of a day is to be made again; `mark` counts these orders."""

    date: str
    mark: int
    correlation_id: str


class PayoutsDone(Struct, frozen=True, tag_field="type", tag="payouts.done"):
    """The file of a day is as it was wanted by that order."""

    date: str
    mark: int


class Wanted(Struct, frozen=True):
    """The newest order for a day's file."""

    mark: int
    correlation_id: str


class WritePayouts(Struct):
    """An order: the file of a day."""

    date: str
    mark: int


Files = dict[str, Wanted]  # by date, in the order in which they are made


def fold(files: Files, event: PayoutsWanted | PayoutsDone) -> None:
    """Fold one event into the files that are to be made."""
    if isinstance(event, PayoutsWanted):
        files[event.date] = Wanted(event.mark, event.correlation_id)
        return
    wanted = files.get(event.date)
    if wanted is not None and wanted.mark == event.mark:
        del files[event.date]


def changed(files: Files, marks: int, message: Message) -> Step:
    """A day's payouts have changed."""
    told: PayoutsChanged = message.body
    event = PayoutsWanted(told.date, marks + 1, message.correlation_id)
    step = Step(events=[event])
    if not files:
        step.errands = errands({told.date: Wanted(event.mark, event.correlation_id)})
    return step


def made(files: Files, told: PayoutsWritten) -> Step:
    """A file is in place: go on with the next, or with this one when it changed meanwhile."""
    event = PayoutsDone(told.date, told.mark)
    after = dict(files)
    fold(after, event)
    return Step(events=[event], errands=errands(after))


def errands(files: Files) -> list[Errand]:
    """The one that is under way; the same after a restart."""
    for date, wanted in files.items():
        ident = f"{WORK}:{date}:{wanted.mark}"
        return [Errand(ident, WORK, WritePayouts(date, wanted.mark), wanted.correlation_id)]
    return []


def write(fs: Fs, body: WritePayouts) -> Outcome:
    """Make the file of a day. Raises LineDamaged: it is tried again, and told in the log."""
    views = [view for view in _folded(fs).values() if view.date == body.date]
    rows = sorted(map(_row, views))
    data = written(COLUMNS, rows)
    fs.replace(payouts_path(body.date), data)
    sha256 = hashlib.sha256(data).hexdigest()
    return "payouts.written", PayoutsWritten(body.date, body.mark, len(rows), sha256)


def _folded(fs: Fs) -> dict[str, PayoutView]:
    """Every payout of the ledger. A line on its way there is damage until it is whole."""
    views: dict[str, PayoutView] = {}
    for line in Ledger(fs, fs.size(LEDGER_BOOK)).lines():
        if _MARK in line and (entry := read_entry(line)[1]).type.startswith("payout."):
            views[entry.ref] = payouts.fold(views.get(entry.ref), entry)
    return views


def _row(view: PayoutView) -> tuple[str, ...]:
    return (
        view.id,
        view.merchant_id or "",
        view.currency,
        str(view.amount),
        view.state.value,
        view.created_at,
        view.value_date,
        view.paid_at or "",
        view.bank_reference or "",
        view.failure_reason or "",
    )
