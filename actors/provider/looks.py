"""What may be looked at in a provider: a call, how it is itself, the batches of a date.

Never: changes anything. Unlike an ask, a look fences nothing.
"""

from typing import Any

from actors.provider.asks import seen
from actors.provider.calls import Desk
from actors.provider.dispute_calls import unknown
from actors.provider.ended import ended, waits
from actors.provider.personality import native, paid_out
from actors.provider.state import ProviderState
from payrail.domain.settlement.cutoffs import next_cut_off_ms
from payrail.domain.timestamps import iso
from payrail.domain.words.providers import ListBatches, StatusOf
from payrail.runtime.actor import Moment


def status(desk: Desk, state: ProviderState, given: StatusOf) -> dict[str, Any]:
    """What became of a reference, in our words and in its answer. Raises RequestError 404."""
    known = state.operations.get(given.reference)
    base = {"object": "status", "provider": desk.provider, "reference": given.reference}
    if known is None:
        word = seen(state, given.reference)
        if word is None:
            raise unknown("call")
        waiting = state.waiting.get(given.reference)
        shown = native(waits(desk.provider, state, waiting)) if waiting is not None else None
        return {**base, "status": word, "answer": shown}
    return {
        **base,
        "status": known.result,
        "code": known.code,
        "operation": known.operation,
        "payment_id": known.payment_id,
        "provider_reference": known.provider_reference,
        "amount": known.amount,
        "currency": known.currency,
        "captured": known.captured,
        "reversed": known.reversed,
        "refunded": known.refunded,
        "answer": native(ended(desk.provider, state, given.reference, known)),
    }


def shown(desk: Desk, state: ProviderState, moment: Moment) -> dict[str, Any]:
    """A few numbers, none of which takes longer to make the more there is."""
    opened_ms = state.batching.opened_ms
    return {
        "object": "provider_state",
        "id": desk.provider,
        "operations": len(state.operations),
        "waiting": len(state.waiting),
        "fenced": len(state.fenced),
        "faults": len(state.faults),
        "notices_owed": len(state.notices),
        "disputes": len(state.disputes),
        "batches": len(state.batching.closed),
        "open_since": iso(opened_ms) if opened_ms else None,
        "next_cut_off": iso(next_cut_off_ms(desk.provider, moment.business_ms)),
    }


def batches(desk: Desk, state: ProviderState, given: ListBatches) -> dict[str, Any]:
    """The closed batches of one date, with their files. Raises RequestError 404 without one."""
    rows = [
        {
            "id": batch_id,
            "path": batch.path,
            "sha256": batch.sha256,
            "lines": batch.lines,
            "opened_at": iso(batch.opened_ms),
            "closed_at": iso(batch.closed_ms),
            "payouts": [paid_out(desk.provider, row) for row in batch.bank],
        }
        for batch_id, batch in state.batching.closed.items()
        if batch.date == given.date
    ]
    if not rows:
        raise unknown("batch")
    return {"object": "settlement", "provider": desk.provider, "date": given.date, "batches": rows}
