"""Runs: from an order to its answer, one at a time, date by date.

    settle      closing ─▶ writing ─▶ … ─▶ answered
    fetch                  writing ─▶ …                 (batches that closed by themselves)
    reconcile             (writing) ─▶ matching ─▶ booking ─▶ … ─▶ answered

A flow decides one step on a copy of the state, and folds its own events into that as it goes.
"""

from typing import Any

from msgspec import Struct, structs

from actors.reconciler import state as states
from actors.reconciler.kept import ReadPage
from actors.reconciler.state import (
    BatchHeard,
    BooksFound,
    DateBooked,
    FileWritten,
    ReconcilerState,
    ReportMade,
    Run,
    RunAnswered,
    RunJoined,
    RunMoved,
    RunQueued,
    RunTaken,
)
from actors.reconciler.works import Reconcile, WriteSettlement
from payrail.domain.problems import problem_fields
from payrail.domain.settlement.places import report_path
from payrail.domain.timestamps import iso
from payrail.domain.words.kinds import GATEWAY, PROVIDERS
from payrail.domain.words.settlement import (
    BatchClosed,
    CloseBatch,
    CloseLate,
    PageRead,
    PaymentsSettled,
    Reported,
    RunFailed,
    SettlementWritten,
)
from payrail.runtime.actor import CancelTimer, Errand, Moment, Reply, Send, SetTimer, Step

#: A provider that has not closed its batch by then is gone on without, in wire time: so that
#: whoever asked is answered within a request's budget.
CLOSE_MS = 6_000
#: Pages of settled captures that are on their way to the gateway at once.
PAGES_AT_ONCE = 4
_LATE = "close_late"


class Flow:
    """One step of the runs."""

    def __init__(self, state: ReconcilerState, moment: Moment, step: Step | None = None) -> None:
        self.state, self.moment, self.step = _copied(state), moment, step or Step()

    def order(self, run: Run) -> Step:
        """Queue a run, or let its askers wait for one that answers them too."""
        ended = self.state.answers.get(run.id)
        if ended is not None:
            self._reply(run, ended.status, ended.body)
            return self.step
        for known in [self.state.run, *self.state.queue]:
            if known is not None and _answers(known, run):
                for asker in run.askers:
                    self._emit(RunJoined(known.id, asker, run.id))
                return self.step
        self._emit(RunQueued(run))
        self._take_next()
        return self.step

    def hear(self, batch: BatchClosed, actor: str) -> Step:
        """A provider has closed a batch, or had none to close."""
        if batch.batch_id and batch.batch_id not in self.state.batches:
            self._emit(BatchHeard(batch))
        run = self.state.run
        if run is None or run.phase != "closing" or batch.run != run.id:
            return self.step
        run = structs.replace(run, closing=[name for name in run.closing if name != actor])
        if run.closing:
            self._emit(RunMoved(run))
            return self.step
        self.step.timers.append(CancelTimer(_LATE))
        self._choose_dates(run)
        return self.step

    def go_on_without(self, late: CloseLate) -> Step:
        """A provider is silent: go on with what has come."""
        run = self.state.run
        if run is not None and run.phase == "closing" and run.id == late.run:
            self._choose_dates(structs.replace(run, closing=[], silent=run.closing))
        return self.step

    def written(self, told: SettlementWritten) -> Step:
        """A settlement file is in place."""
        run = self.state.run
        if run is None or run.phase != "writing" or run.writing != told.date:
            return self.step
        self._emit(FileWritten(told, run.covering))
        self._onward(run if run.kind == "reconcile" else _date_done(run))
        return self.step

    def reported(self, told: Reported) -> Step:
        """A report is in place: let the gateway book what it found, unless it has."""
        run = self.state.run
        if run is None or run.phase != "matching" or run.at != told.date:
            return self.step
        self._emit(ReportMade(told, run.covering))
        if not told.pages or told.pages_sha256 == self.state.day(told.date).booked:
            self._onward(_date_done(run))
            return self.step
        first = list(range(1, min(told.pages, PAGES_AT_ONCE) + 1))
        self._stand(
            structs.replace(run, phase="booking", reading=first, sent=[], next_page=len(first) + 1)
        )
        return self.step

    def page_read(self, told: PageRead) -> Step:
        """A page is read: the gateway may book it."""
        run = self.state.run
        if run is None or run.phase != "booking" or run.at != told.date:
            return self.step
        if told.page not in run.reading:
            return self.step
        reading = [page for page in run.reading if page != told.page]
        self._emit(RunMoved(structs.replace(run, reading=reading, sent=[*run.sent, told.page])))
        page = PaymentsSettled(_page_name(run, told.page), told.rows, told.payouts, told.provider)
        self.step.out.append(Send(GATEWAY, "payments.settled", page))
        return self.step

    def page_booked(self, name: str) -> Step:
        """The gateway has booked a page."""
        run = self.state.run
        if run is None or run.phase != "booking":
            return self.step
        booked = next((page for page in run.sent if _page_name(run, page) == name), None)
        told = self.state.day(run.at).reported
        if booked is None or told is None:
            return self.step
        run = structs.replace(run, sent=[page for page in run.sent if page != booked])
        if run.next_page <= told.pages:
            page = run.next_page
            run = structs.replace(run, reading=[*run.reading, page], next_page=page + 1)
            self._emit(RunMoved(run))
            self.step.errands.append(_page(run, page))
        elif run.reading or run.sent:
            self._emit(RunMoved(run))
        else:
            self._emit(DateBooked(run.at, told.pages_sha256))
            self._onward(_date_done(run))
        return self.step

    def failed(self, told: RunFailed) -> Step:
        """A file cannot be used: nothing of it is, and whoever waits is told which line."""
        run = self.state.run
        if run is not None and run.phase in ("writing", "matching"):
            problem = problem_fields(409, told.code, told.detail, run.correlation_id)
            self._end(run, 409, problem)
        return self.step

    def found(self) -> None:
        """The ledger may be read: go on with what waited for that."""
        self._emit(BooksFound())
        if self.state.run is not None and self.state.run.phase != "booking":
            self.step.errands += self.errands()

    def errands(self) -> list[Errand]:
        """The work of the run's phase. Nothing reads a ledger that may have lost lines."""
        run = self.state.run
        if run is None or (self.state.books_asked and run.phase in ("writing", "matching")):
            return []
        if run.phase == "writing":
            own = [b for b in self.state.batches.values() if b.date == run.writing]
            body = WriteSettlement(run.writing, own)
            return [_errand(run, "settle", f"settle:{run.id}:{run.writing}", body)]
        if run.phase == "matching":
            return [_errand(run, "match", f"match:{run.id}:{run.at}", self._matching(run))]
        return [_page(run, page) for page in run.reading] if run.phase == "booking" else []

    # How a run goes on.

    def _emit(self, event: Struct) -> None:
        self.step.events.append(event)
        states.apply(self.state, event)

    def _take_next(self) -> None:
        """Begin the next run, if none is under way."""
        if self.state.run is not None or not self.state.queue:
            return
        run = self.state.queue[0]
        self._emit(RunTaken())
        if run.kind != "settle" or run.date is not None:
            self._choose_dates(run)
            return
        self._emit(RunMoved(structs.replace(run, phase="closing", closing=list(PROVIDERS))))
        self.step.out += [Send(name, "batch.close", CloseBatch(run.id)) for name in PROVIDERS]
        due_ms = self.moment.wire_ms + CLOSE_MS
        self.step.timers.append(SetTimer(_LATE, "batch.close_late", CloseLate(run.id), due_ms))

    def _choose_dates(self, run: Run) -> None:
        days = self.state.days
        if run.date is not None:
            dates = [run.date]
        elif run.kind == "reconcile":
            dates = [date for date in sorted(days) if days[date].is_unreported]
        else:
            dates = [date for date in sorted(days) if days[date].is_unwritten]
        if not dates and run.kind != "fetch":
            dates = [max(days, default=iso(self.moment.business_ms)[:10])]
        self._onward(structs.replace(run, dates=dates))

    def _onward(self, run: Run) -> None:
        """The next thing to do for the date under way; without one, the answer."""
        if not run.dates:
            self._end(run, 200, self._body(run))
        elif run.kind != "reconcile":
            self._stand(structs.replace(run, phase="writing", writing=run.at))
        elif unwritten := self._unwritten_until(run.at):
            # A report needs the ledger's prefix of its own date and of every earlier one.
            self._stand(structs.replace(run, phase="writing", writing=unwritten))
        else:
            self._stand(structs.replace(run, phase="matching"))

    def _unwritten_until(self, date: str) -> str | None:
        days = self.state.days
        dates = sorted({date, *(known for known in days if known <= date)})
        return next((d for d in dates if self.state.day(d).is_unwritten), None)

    def _stand(self, run: Run) -> None:
        """Keep where the run stands, and begin the work of its phase."""
        date = run.writing if run.phase == "writing" else run.at
        covering = len(self.state.day(date).batches)
        self._emit(RunMoved(structs.replace(run, covering=covering)))
        self.step.errands += self.errands()

    def _end(self, run: Run, status: int, body: dict[str, Any]) -> None:
        """Answer who waits, and begin the next run."""
        self._reply(run, status, body)
        for ident in [run.id, *run.also] if run.askers else ():
            self._emit(RunAnswered(ident, status, body))
        self._emit(RunMoved(None))
        self._take_next()

    def _reply(self, run: Run, status: int, body: dict[str, Any]) -> None:
        for asker in run.askers:
            about = asker.correlation_id
            own = body if status < 400 else {**body, "correlation_id": about}
            self.step.replies.append(Reply(asker.to, asker.re, status, own, {}, about))

    def _matching(self, run: Run) -> Reconcile:
        days = self.state.days
        own = self.state.day(run.at)
        if own.written is None:
            raise ValueError(f"{run.at} has no settlement file")
        batches = [batch for batch in self.state.batches.values() if batch.date <= run.at]
        reported = [date for date, day in days.items() if day.reported]
        return Reconcile(
            date=run.at,
            batches=sorted(batches, key=lambda batch: batch.batch_id),
            prefixes={
                date: day.written.through_seq
                for date, day in days.items()
                if day.written and date <= run.at
            },
            ledger_bytes=own.written.ledger_bytes,
            ledger_sha256=own.written.ledger_sha256,
            refunds=own.written.refunds,
            refund_prefixes={
                date: day.written.refunds.through_seq
                for date, day in days.items()
                if day.written and date <= run.at
            },
            disputes=own.written.disputes,
            dispute_prefixes={
                date: day.written.disputes.through_seq
                for date, day in days.items()
                if day.written and date <= run.at
            },
            closed_ms=own.closed_ms,
            before_ms=max(
                (day.closed_ms for date, day in days.items() if date < run.at), default=0
            ),
            is_newest=run.at >= max(reported, default=""),
        )

    def _body(self, run: Run) -> dict[str, Any]:
        """What a run has done, for its answer."""
        days = [self.state.day(date) for date in run.done]
        if run.kind == "reconcile":
            rows = [_shown_report(day.reported) for day in days if day.reported]
            return {"object": "reconciliation_run", "status": "done", "reports": rows}
        files = [_shown_file(day.written) for day in days if day.written]
        shown = {"object": "settlement_run", "status": "done", "files": files}
        return {**shown, "silent": run.silent} if run.silent else shown


def _copied(state: ReconcilerState) -> ReconcilerState:
    """A copy whose folding leaves the state alone."""
    return structs.replace(
        state,
        batches=dict(state.batches),
        days={
            date: structs.replace(day, batches=list(day.batches))
            for date, day in state.days.items()
        },
        queue=list(state.queue),
        answers=dict(state.answers),
    )


def _answers(known: Run, run: Run) -> bool:
    """Whether a run that is known answers this order too: the same question once more, or the
    same order while that one has not begun."""
    same = (known.kind, known.date) == (run.kind, run.date)
    return run.id in (known.id, *known.also) or (same and known.phase == "waiting")


def _date_done(run: Run) -> Run:
    return structs.replace(run, dates=run.dates[1:], done=[*run.done, run.at])


def _errand(run: Run, work: str, ident: str, body: Any) -> Errand:
    return Errand(ident, work, body, run.correlation_id)


def _page(run: Run, page: int) -> Errand:
    return _errand(run, "page", f"page:{_page_name(run, page)}", ReadPage(run.at, page))


def _page_name(run: Run, page: int) -> str:
    return f"{run.id}:{run.at}:{page}"


def _shown_report(told: Reported) -> dict[str, Any]:
    return {
        "date": told.date,
        "path": report_path(told.date),
        "sha256": told.sha256,
        "counts": told.counts,
        "breaks": told.breaks,
        "unexplained": told.unexplained,
    }


def _shown_file(told: SettlementWritten) -> dict[str, Any]:
    return {"date": told.date, "path": told.path, "sha256": told.sha256, "lines": told.lines}
