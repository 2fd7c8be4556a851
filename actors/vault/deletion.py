"""Delete a card, so that nobody can open it any more: not we, nor who holds all of our files.

Its ciphertext stands in the journal, in a spool and in old copies, so the key that is its alone is
overwritten. That is an errand: the deletion is journaled, the key is shredded, and only then is it
answered; a start does again what has no outcome. A charge that is on its way stays what it is.
Never: answers `deleted` while the key stands.
"""

from typing import Any

from actors.vault.access import Wanted, access_line
from actors.vault.cardkeys import SHRED
from actors.vault.refusals import CardWithheld, problem_of
from actors.vault.state import CardDeleted, KeyShredded, Shredding, VaultState
from payrail.domain.words.cards import CardForgotten, CardShredded, DeleteCard, ShredCard
from payrail.runtime.actor import (
    Asker,
    Errand,
    Message,
    Moment,
    Reply,
    Send,
    Step,
    answer,
    asker_of,
)

#: Of errands that nobody asked for in this life.
_AGAIN = "cor_vault_shred"


def opened(state: VaultState) -> list[Errand]:
    """Shred again what has no outcome yet: who died may have done it or not."""
    return [_shred(token, one.slot, _about(one)) for token, one in state.shredding.items()]


def delete(state: VaultState, order: DeleteCard, message: Message, moment: Moment) -> Step:
    """Forget the card and have its key shredded. Refuses: role, unknown_token."""
    wanted = Wanted(who=order.who, origin=order.origin, token=order.token, purpose="delete")
    line = access_line(message, moment, wanted, state.owner_of(order.token))
    try:
        event = _deleted(state, order, asker_of(message))
    except CardWithheld as withheld:
        status, problem = problem_of(withheld.code, "metadata", message.correlation_id)
        refused = [line(f"refused:{withheld.code}")]
        return Step(posts=refused, replies=answer(message, status, problem))
    step = Step(events=[event], posts=[line("allowed")])
    if order.token in state.shredding:  # somebody was faster; this one waits as well
        return step
    step.out = [Send("gateway", "card.forgotten", CardForgotten(order.token), key=order.token)]
    if event.slot is None:
        step.replies = answer(message, 200, _view(order.token, shredded=False))
    else:
        step.errands = [_shred(order.token, event.slot, message.correlation_id)]
    return step


def shredded(state: VaultState, done: CardShredded) -> Step:
    """The key is gone: tell whoever waits."""
    known = state.shredding.get(done.token)
    if known is None:
        return Step()
    body = _view(done.token, shredded=True)
    replies = [
        Reply(asker.to, asker.re, 200, body, {}, asker.correlation_id) for asker in known.askers
    ]
    return Step(events=[KeyShredded(done.token, known.slot)], replies=replies)


def _deleted(state: VaultState, order: DeleteCard, asker: Asker | None) -> CardDeleted:
    """Raises CardWithheld."""
    if order.refused is not None:
        raise CardWithheld(order.refused)
    going = state.shredding.get(order.token)
    if going is not None and order.merchant_id in (None, going.merchant_id):
        return CardDeleted(order.token, going.slot, going.merchant_id, asker)
    record = state.token_of(order.token, order.merchant_id)
    if record is None:
        raise CardWithheld("unknown_token")
    return CardDeleted(order.token, state.cards[order.token].slot, record.merchant_id, asker)


def _shred(token: str, slot: int, correlation_id: str) -> Errand:
    return Errand(f"shred:{token}", SHRED, ShredCard(token, slot), correlation_id)


def _about(one: Shredding) -> str:
    return one.askers[0].correlation_id if one.askers else _AGAIN


def _view(token: str, *, shredded: bool) -> dict[str, Any]:
    return {"token": token, "deleted": True, "shredded": shredded}
