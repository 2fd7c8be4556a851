"""Breaks: one person proposes the suggested posting, another approves it, the gateway books it.

Owns: data/reconciliation/approvals.json, which people and the front door read. A report never
changes with an approval. Users are compared, not keys or roles.
"""

from typing import Any

from msgspec import structs, to_builtins

from actors.reconciler.kept import LookAtBreak
from actors.reconciler.state import (
    BreakAsked,
    Proposal,
    ProposalMoved,
    Question,
    QuestionEnded,
    ReconcilerState,
)
from payrail.domain.problems import problem_fields, refusal_fields
from payrail.domain.settlement.places import APPROVALS
from payrail.domain.timestamps import iso
from payrail.domain.words.kinds import GATEWAY
from payrail.domain.words.settlement import (
    ApproveBreak,
    BreakSeen,
    PaymentsSettled,
    ProposeBreak,
    SettledRow,
)
from payrail.errors import RequestError
from payrail.runtime.actor import Asker, Errand, Message, Moment, Reply, Send, Show, Step

_BOOKING = "break:"
#: Held captures that one approval lets go with its posting, beside the break itself.
_HELD_MAX = 15


def asked(message: Message, asker: Asker | None) -> Step:
    """Look at the break first: what is proposed or approved is what its report says."""
    order: ProposeBreak | ApproveBreak = message.body
    question = Question(
        id=f"{message.sender}:{message.reply_to or message.id}",
        verb="propose" if isinstance(order, ProposeBreak) else "approve",
        date=order.date,
        number=order.number,
        user_id=order.user_id,
        merchant_id=order.merchant_id,
        asker=asker,
        correlation_id=message.correlation_id,
    )
    return Step(events=[BreakAsked(question)], errands=[look(question)])


def look(question: Question) -> Errand:
    """The errand of a question that is open."""
    body = LookAtBreak(question.id, question.date, question.number)
    return Errand(f"break:{question.id}", "break", body, question.correlation_id)


def seen(state: ReconcilerState, told: BreakSeen, moment: Moment) -> Step:
    """The break has been looked at: propose it, or approve it."""
    question = state.questions.get(told.question)
    if question is None:
        return Step()
    try:
        row = _must_be_seen(question, told)
        decide = _propose if question.verb == "propose" else _approve
        step = decide(state, question, told, row, moment)
    except RequestError as refusal:
        problem = refusal_fields(refusal, question.correlation_id)
        step = Step(replies=_reply(question.asker, refusal.status, problem))
    step.events.append(QuestionEnded(question.id))
    return step


def _must_be_seen(question: Question, told: BreakSeen) -> SettledRow:
    if told.row is None or question.merchant_id not in (None, told.merchant_id):
        raise RequestError(404, "not-found", "There is no such break.")
    return told.row


def _propose(
    state: ReconcilerState, question: Question, told: BreakSeen, row: SettledRow, moment: Moment
) -> Step:
    known = state.proposals.get(row.break_id or "")
    if known is not None:
        if known.proposed_by != question.user_id:
            raise RequestError(
                409, "illegal-transition", f"{known.proposed_by} has proposed this posting.",
                extra={"legal": ["approve"] if known.approved_by is None else []},
            )  # fmt: skip
        return Step(replies=_reply(question.asker, 200, shown(known)))
    proposal = Proposal(
        break_id=row.break_id or "",
        date=question.date,
        number=question.number,
        row=row,
        proposed_by=question.user_id,
        proposed_at=iso(moment.business_ms),
    )
    return Step(
        events=[ProposalMoved(proposal)],
        replies=_reply(question.asker, 200, shown(proposal)),
        shows=[_show(state, proposal)],
    )


def _approve(
    state: ReconcilerState, question: Question, told: BreakSeen, row: SettledRow, moment: Moment
) -> Step:
    known = state.proposals.get(row.break_id or "")
    if known is None:
        raise RequestError(
            409, "illegal-transition", "Nobody has proposed this posting yet.",
            extra={"legal": ["propose"]},
        )  # fmt: skip
    if known.proposed_by == question.user_id:
        raise RequestError(
            403, "four-eyes", "Who proposed a posting cannot approve it; ask another person."
        )
    if known.booked:
        return Step(replies=_told(known, question.asker))
    approved = structs.replace(
        known,
        approved_by=known.approved_by or question.user_id,
        approved_at=known.approved_at or iso(moment.business_ms),
        asker=question.asker,
    )
    step = Step(events=[ProposalMoved(approved)], shows=[_show(state, approved)])
    if known.approved_by is None:
        rows = [_to_book(approved), *_released(state, told)]
        name = f"{_BOOKING}{approved.break_id}"
        step.out.append(Send(GATEWAY, "payments.settled", PaymentsSettled(name, rows)))
    return step


def _to_book(proposal: Proposal) -> SettledRow:
    return structs.replace(
        proposal.row, proposed_by=proposal.proposed_by, approved_by=proposal.approved_by
    )


def _released(state: ReconcilerState, told: BreakSeen) -> list[SettledRow]:
    """The payment's good captures, once none of its other breaks is open."""
    known = state.proposals
    still_open = [o for o in told.others if o not in known or known[o].approved_by is None]
    return [] if still_open else told.held[:_HELD_MAX]


def booked(state: ReconcilerState, name: str, already: list[str]) -> Step:
    """The gateway has booked an approved posting, or had it in its books."""
    known = state.proposals.get(name.removeprefix(_BOOKING))
    if known is None or not name.startswith(_BOOKING) or known.booked:
        return Step()
    is_in_books = known.break_id in already
    done = structs.replace(known, booked=True, asker=None, already=is_in_books)
    return Step(
        events=[ProposalMoved(done)],
        replies=_told(done, known.asker),
        shows=[_show(state, done)],
    )


def _told(done: Proposal, asker: Asker | None) -> list[Reply]:
    """How it ended. What the books had is refused, so that the same money is not booked twice."""
    if not done.already:
        return _reply(asker, 200, shown(done))
    detail = (
        "Nothing was posted: what this break is about was booked after its report was made; "
        f"GET /ledger/{done.row.payment_id} shows it."
    )
    correlation_id = asker.correlation_id if asker else ""
    legal: dict[str, Any] = {"legal": []}
    return _reply(
        asker, 409, problem_fields(409, "illegal-transition", detail, correlation_id, extra=legal)
    )


def shown(proposal: Proposal) -> dict[str, Any]:
    """A proposal as people see it."""
    row = proposal.row
    status = "booked" if proposal.booked else "approved" if proposal.approved_by else "proposed"
    status = "already_booked" if proposal.already else status
    return {
        "object": "break_posting",
        "break_id": proposal.break_id,
        "date": proposal.date,
        "n": proposal.number,
        "class": row.break_class,
        "payment_id": row.payment_id,
        "status": status,
        "proposed_by": proposal.proposed_by,
        "proposed_at": proposal.proposed_at,
        "approved_by": proposal.approved_by,
        "approved_at": proposal.approved_at,
        "posting": to_builtins(row.postings),
    }


def view(state: ReconcilerState) -> Show:
    """All proposals, as they stand."""
    return Show(APPROVALS, {"postings": [shown(one) for one in state.proposals.values()]})


def _show(state: ReconcilerState, moved: Proposal) -> Show:
    after = {**state.proposals, moved.break_id: moved}
    return Show(APPROVALS, {"postings": [shown(one) for one in after.values()]})


def _reply(asker: Asker | None, status: int, body: dict[str, Any]) -> list[Reply]:
    if asker is None:
        return []
    return [Reply(asker.to, asker.re, status, body, {}, asker.correlation_id)]
