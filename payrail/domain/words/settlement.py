"""Settlement and reconciliation: what reconciler, providers and gateway say about batches.

front door ── settle.run ──▶ reconciler ── batch.close ──▶ provider (statement, bank file)
                                 ◀── batch.closed ──
           ── reconcile.run ──▶  report ── payments.settled ──▶ gateway
                                 ◀── settled.booked ──
"""

import hashlib

from msgspec import Struct

from payrail.domain.ledger import Posting
from payrail.domain.words.kinds import (
    ANY_PROVIDER,
    ERRAND,
    GATEWAY,
    RECONCILER,
    TIMER,
    Kind,
    asked,
    kind,
)

#: How long whoever asked for a settlement or a reconciliation may still want it.
RUN_MS = 60_000
#: Rows of one `payments.settled`: an entry, its event and the event's object for each must fit
#: into one journal line.
ROWS_MAX = 20


class RunSettlement(Struct, forbid_unknown_fields=True):
    """Close an extra batch now and write the settlement files; of one date: write that file."""

    date: str | None = None  # YYYY-MM-DD
    user_id: str = ""
    idempotency_key: str | None = None  # whoever asks again with it waits for the same run


class RunReconciliation(Struct, forbid_unknown_fields=True):
    """Reconcile one date, or every date that has changed since its last report."""

    date: str | None = None
    user_id: str = ""
    idempotency_key: str | None = None


class ProposeBreak(Struct, forbid_unknown_fields=True):
    """Ask for the suggested posting of a break; another person approves it."""

    date: str
    number: int  # of the break in its report, from 1
    user_id: str
    merchant_id: str | None  # None: the house


class ApproveBreak(Struct, forbid_unknown_fields=True):
    date: str
    number: int
    user_id: str
    merchant_id: str | None


class CloseBatch(Struct, forbid_unknown_fields=True):
    """Reconciler to provider: close an extra batch now, if anything is in it."""

    run: str  # the asker's own name for it


class CutOff(Struct):
    """A provider's timer: the batch that ends at this business time is over."""

    at_ms: int


class BankRow(Struct, frozen=True):
    """One line of a bank file."""

    value_date: str
    amount: int  # minor units, negative when the provider takes
    currency: str
    reference: str  # batch id


class Injected(Struct, frozen=True):
    """One mismatch that a drill put into a statement."""

    rule_id: str
    kind: str  # a break class
    seq: int  # of the line of the truth


class Carried(Struct, frozen=True):
    """A line of the truth that a drill put off to the next batch."""

    seq: int
    offset: int


class StatementWritten(Struct):
    """A provider's errand: the statement of a batch and its bank file are in place."""

    batch_id: str
    path: str
    sha256: str
    bank_path: str
    bank: list[BankRow]
    lines: int
    taken: int  # lines of the truth of this batch, those that were put off included
    next_seq: int  # where the next batch begins in the truth
    next_offset: int
    injected: list[Injected]
    carried: list[Carried]


class BatchClosed(Struct, forbid_unknown_fields=True):
    """Provider to reconciler: a batch is closed and its files are there. Without `batch_id` there
    was nothing to close."""

    provider: str  # providerA
    run: str | None  # of whoever asked for an extra batch
    batch_id: str = ""
    date: str = ""  # in the provider's zone
    opened_ms: int = 0  # business time
    closed_ms: int = 0
    path: str = ""
    bank_path: str = ""
    sha256: str = ""
    lines: int = 0


class Prefix(Struct, frozen=True):
    """How long the book of refunds, or of disputes, was then."""

    through_seq: int = 0
    size_bytes: int = 0
    sha256: str = hashlib.sha256().hexdigest()


class SettlementWritten(Struct):
    """The reconciler's errand: a settlement file is in place, and this was the ledger then."""

    date: str
    path: str
    sha256: str
    lines: int
    through_seq: int
    ledger_bytes: int
    ledger_sha256: str
    refunds: Prefix = Prefix()
    disputes: Prefix = Prefix()


class Reported(Struct):
    """The reconciler's errand: a report is in place."""

    date: str
    sha256: str
    counts: dict[str, int]
    unexplained: dict[str, int]  # by currency, in minor units
    breaks: int
    pages: int  # of `payments.settled` to come
    pages_sha256: str


class RunFailed(Struct):
    """The reconciler's errand: a file cannot be used. `detail` names file, line and remedy."""

    date: str
    code: str
    detail: str


class SettledRow(Struct, omit_defaults=True):
    """One capture, refund or other movement that is settled, or one break that two have posted."""

    payment_id: str | None
    capture_id: str | None
    provider: str
    batch_id: str | None
    break_id: str | None = None
    break_class: str | None = None
    proposed_by: str | None = None
    approved_by: str | None = None
    postings: list[Posting] = []  # of a break; those of a match are the gateway's to make
    refund_id: str | None = None
    # Of a dispute, or of a refund that was sent back: whose it is, which of its movements, and
    # what of it is in the payout.
    claim_id: str | None = None
    effect: str | None = None
    net: int = 0
    line: str | None = None  # FILE:LINE of the statement's line that it stands for

    @property
    def claim_key(self) -> str | None:
        """What is settled once."""
        return f"{self.claim_id} {self.effect}" if self.claim_id else None


class PageRead(Struct):
    """The reconciler's errand: one page of what is settled."""

    date: str
    page: int
    rows: list[SettledRow]
    payouts: list[BankRow]
    provider: str  # of the payouts


class BreakSeen(Struct):
    """The reconciler's errand: a break as it stands in its report. `row` is what approving it
    books; `held` are the payment's good captures, which its breaks hold back; `others` are those
    other breaks, by id."""

    question: str
    row: SettledRow | None = None  # None: there is no such break
    merchant_id: str | None = None
    held: list[SettledRow] = []
    others: list[str] = []


class AskBooks(Struct, forbid_unknown_fields=True):
    """Is what you booked in your books? Asked by whoever begins and is about to read them."""

    id: str


class BooksWhole(Struct, forbid_unknown_fields=True):
    """It is: a gateway answers nobody before it has mended them."""

    id: str


class PaymentsSettled(Struct, forbid_unknown_fields=True):
    """Reconciler to gateway: book these, each once however often it is said."""

    name: str  # the reconciler's own name for this page
    rows: list[SettledRow]
    payouts: list[BankRow] = []
    provider: str = ""  # of the payouts


class SettledBooked(Struct, forbid_unknown_fields=True):
    """Gateway to reconciler: all of that page stands in the ledger. `refused` are captures that
    are no captures of ours, or of a payment that is over; `already` are breaks whose posting would
    have been booked twice."""

    name: str
    refused: int = 0
    already: list[str] = []


class Job(Struct):
    """The reconciler's timer: fetch closed batches, or reconcile what has changed."""

    what: str  # settle | reconcile


class CloseLate(Struct):
    """The reconciler's timer: a provider has not closed its batch in time; go on without it."""

    run: str


KINDS: tuple[Kind, ...] = (
    asked("settle.run", "frontdoor", RunSettlement, within_ms=RUN_MS),
    asked("reconcile.run", "frontdoor", RunReconciliation, within_ms=RUN_MS),
    asked("break.propose", "frontdoor", ProposeBreak),
    asked("break.approve", "frontdoor", ApproveBreak),
    kind("batch.close", "reconciler", CloseBatch),
    kind("batch.cut_off", TIMER, CutOff),
    kind("statement.written", ERRAND, StatementWritten),
    kind("batch.closed", ANY_PROVIDER, BatchClosed),
    kind("settlement.written", ERRAND, SettlementWritten),
    kind("reconciliation.reported", ERRAND, Reported),
    kind("run.failed", ERRAND, RunFailed),
    kind("page.read", ERRAND, PageRead),
    kind("break.seen", ERRAND, BreakSeen),
    kind("books.ask", RECONCILER, AskBooks),
    kind("books.whole", GATEWAY, BooksWhole),
    kind("payments.settled", "reconciler", PaymentsSettled),
    kind("settled.booked", "gateway", SettledBooked),
    kind("reconciler.job", TIMER, Job),
    kind("batch.close_late", TIMER, CloseLate),
)
