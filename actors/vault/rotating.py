"""Rotate the keys that cards rest under: a new key, every card moved under it, the old one gone.

    asked -> the key is made (an errand) -> in use, answered -> cards moved, some at a time
          -> nothing under the old key -> its bytes taken away (an errand) -> retired

Each arrow is a journaled step, and the house serves meanwhile. Cards are moved in messages of a
timer, which fires only after every mailbox was read to its length of that time: when nothing is
left to move, no card that the door encrypted under the old key is on its way any more. Should one
come all the same, it is refused, and nobody was promised anything.
Never: retires a key that a card is under, and never holds a key itself.
"""

from collections import Counter
from typing import Any

from actors.vault.key_works import DROP, MAKE, DropKey, MakeKey
from actors.vault.refusals import problem_of
from actors.vault.rotation import (
    CardsMoved,
    KeyRetired,
    KeysRetiring,
    KeyTaken,
    KeyWanted,
    RotationBegun,
)
from actors.vault.state import AccessLine, VaultState
from actors.vault.worklist import CARDS_MAX, CardMover, Worklist
from payrail.domain.card_access import ALL_TOKENS
from payrail.domain.timestamps import iso
from payrail.domain.words.vault_keys import (
    EncryptAgain,
    KeyDropped,
    KeyMade,
    LookAtKeys,
    RotateKeys,
)
from payrail.runtime.actor import (
    Errand,
    Message,
    Moment,
    Post,
    Reply,
    SetTimer,
    Step,
    answer,
    asker_of,
)

TIMER = "keys.again"
#: Keys with cards under them; before there are more, the last rotation ends, or a key is restored.
LIVE_MAX = 8
#: How long until a snapshot that could not be written is looked for again.
AGAIN_MS = 1_000
#: Tokens that are named of each lost key; `payrail vault keys` names them all.
NAMED_MAX = 100
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="payrail"'}


class Rotator:
    """The vault's rules of rotation; see `payrail.runtime.actor.Actor` for the three words."""

    def __init__(self, keys: CardMover, moved_at_once: int = CARDS_MAX) -> None:
        self._keys, self._worklist = keys, Worklist(keys, moved_at_once)

    def opened(self, state: VaultState, moment: Moment) -> Step:
        """Go on where the last incarnation ended; what did not open then may open now."""
        step, rotation = Step(), state.rotation
        if rotation.making is not None:
            step.errands.append(_make(rotation.making, rotation.correlation_id))
        if len(rotation.live) > 1:
            step.timers.append(_again(moment.wire_ms, rotation.correlation_id))
        return step

    def decide(self, state: VaultState, message: Message, moment: Moment) -> Step:
        match message.body:
            case RotateKeys() as order:
                return _rotate(state, order, message, moment)
            case KeyMade(key_id=key_id):
                return self._taken(state, key_id, message, moment)
            case EncryptAgain():
                return self._move(state, message, moment)
            case KeyDropped() as done:
                return _dropped(state, done, message, moment)
            case LookAtKeys():
                return Step(replies=answer(message, 200, self._view(state)))
        raise ValueError(f"rotation has no answer to {message.kind}")

    def _taken(self, state: VaultState, key_id: str, message: Message, moment: Moment) -> Step:
        """The new key is in use: answer, and begin to move the cards."""
        wanted = state.rotation.making
        if wanted is None or wanted.key_id != key_id:
            return Step()
        step = Step(
            events=[KeyTaken(key_id)], timers=[_again(moment.wire_ms, message.correlation_id)]
        )
        if wanted.asker is not None:
            told = {
                "key_id": key_id,
                "previous": list(state.rotation.live),
                "cards_to_do": self._to_do(state),
            }
            to, re, about = wanted.asker.to, wanted.asker.re, wanted.asker.correlation_id
            step.replies.append(Reply(to, re, 200, told, correlation_id=about))
        return step

    def _move(self, state: VaultState, message: Message, moment: Moment) -> Step:
        """The next cards; when there are none, the end of the keys that nothing is under."""
        moved = self._worklist.next(state.cards)
        if moved is None:
            return self._retire(state, message, moment)
        step = Step(timers=[_again(moment.wire_ms, message.correlation_id)])
        if moved:
            step.events.append(CardsMoved(self._keys.current_id, moved))
        return step

    def _retire(self, state: VaultState, message: Message, moment: Moment) -> Step:
        """Take away every older key that no card is under; the documents are written first."""
        rotation, at = state.rotation, iso(moment.wire_ms)
        used = {card.key_id for card in state.cards.values()}
        used |= {rotation.live[0], self._keys.current_id}
        over = [key_id for key_id in rotation.live if key_id not in used]
        fresh = [key_id for key_id in over if key_id not in rotation.retiring]
        since = {**rotation.retiring, **dict.fromkeys(fresh, at)}
        return Step(
            events=[KeysRetiring(fresh, at)] if fresh else [],
            errands=[
                _drop(DropKey(key_id, since[key_id]), message.correlation_id, moment)
                for key_id in over
            ],
            documents=bool(over),
        )

    def _to_do(self, state: VaultState) -> int:
        return sum(self._worklist.waits(token, card) for token, card in state.cards.items())

    def _view(self, state: VaultState) -> dict[str, Any]:
        rotation = state.rotation
        under = Counter(card.key_id for card in state.cards.values())
        current = self._keys.current_id
        return {
            "key_id": current,
            "previous": [key_id for key_id in rotation.live if key_id != current],
            "cards_to_do": self._to_do(state),
            "keys": [{"id": key_id, "cards": under[key_id]} for key_id in rotation.live],
            "lost": self._lost(state),
        }

    def _lost(self, state: VaultState) -> list[dict[str, Any]]:
        """Cards that do not open, by the key that they are under."""
        lost: dict[str, list[str]] = {}
        for token, card in state.cards.items():
            if self._worklist.is_lost(token, card):
                lost.setdefault(card.key_id, []).append(token)
        return [
            {"key_id": key_id, "cards": len(tokens), "tokens": tokens[:NAMED_MAX]}
            for key_id, tokens in lost.items()
        ]


def _rotate(state: VaultState, order: RotateKeys, message: Message, moment: Moment) -> Step:
    """Begin, unless the door has refused, or the last new key is still being made."""
    refused = order.refused or _hindrance(state)
    outcome = f"refused:{refused}" if refused else "allowed"
    key_id = f"k{state.rotation.number + 1}"
    line = _line(message, moment, order.who, order.origin, None if refused else key_id, outcome)
    if refused:
        status, problem = problem_of(refused, "rotation", message.correlation_id)
        headers = _CHALLENGE if status == 401 else {}
        return Step(posts=[line], replies=answer(message, status, problem, headers))
    wanted = KeyWanted(key_id, iso(moment.wire_ms), asker_of(message))
    return Step(
        events=[RotationBegun(wanted, order.who, message.correlation_id)],
        posts=[line],
        errands=[_make(wanted, message.correlation_id)],
    )


def _hindrance(state: VaultState) -> str | None:
    rotation = state.rotation
    if rotation.making is not None:
        return "rotation_under_way"
    return "too_many_keys" if len(rotation.live) >= LIVE_MAX else None


def _dropped(state: VaultState, done: KeyDropped, message: Message, moment: Moment) -> Step:
    """The bytes of a key are gone, or a snapshot has still to be written before they may go."""
    if done.key_id not in state.rotation.retiring:
        return Step()
    if done.kept:
        return Step(timers=[_again(moment.wire_ms + AGAIN_MS, message.correlation_id)])
    who = state.rotation.who
    line = _line(message, moment, who, "rotation", done.key_id, "allowed")
    return Step(events=[KeyRetired(done.key_id)], posts=[line])


def _line(
    message: Message, moment: Moment, who: str, origin: str, key_id: str | None, outcome: str
) -> Post:
    record = AccessLine(
        at=iso(moment.wire_ms),
        who=who,
        token=ALL_TOKENS,
        purpose="key.rotation",
        payment_id=None,
        correlation_id=message.correlation_id,
        outcome=outcome,
        origin=origin,
        key_id=key_id,
    )
    return Post("access", record)


def _make(wanted: KeyWanted, correlation_id: str) -> Errand:
    body = MakeKey(wanted.key_id, wanted.created_at)
    return Errand(f"make:{wanted.key_id}", MAKE, body, correlation_id)


def _drop(body: DropKey, correlation_id: str, moment: Moment) -> Errand:
    return Errand(f"drop:{body.key_id}:{moment.step}", DROP, body, correlation_id)


def _again(due_ms: int, correlation_id: str) -> SetTimer:
    return SetTimer(TIMER, "keys.again", EncryptAgain(), due_ms, correlation_id=correlation_id)
