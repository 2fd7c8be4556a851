"""The dispatcher as an actor: what it follows, and which of its rooms decides what comes in.

It follows the outbox for events and the book of access for endpoints. Nothing is sent from here:
an attempt is an errand, begun when the intent is durable and begun again after a crash, so that
every event reaches its endpoints at least once and always under the same id.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from actors.dispatcher import attempts, reading
from actors.dispatcher import state as dispatcher_state
from actors.dispatcher.deliveries import DELIVERIES, deliveries_book
from actors.dispatcher.settings import Policy
from actors.dispatcher.state import PROCESSED_PATH, DispatcherState, processed
from payrail.domain.books import ACCESS_BOOK, OUTBOX_BOOK
from payrail.domain.words.endpoints import (
    DeliveryDone,
    DeliveryDue,
    EndpointLook,
    EventsFound,
    Redeliver,
)
from payrail.runtime.actor import BookRead, BookSpec, Message, Moment, Show, Step


class Dispatcher:
    """See `payrail.runtime.actor.Actor`."""

    name = "dispatcher"
    books: Mapping[str, BookSpec] = {DELIVERIES: deliveries_book()}
    follows: Mapping[str, str] = {"access": ACCESS_BOOK, "events": OUTBOX_BOOK}
    peers: Sequence[str] = ("frontdoor", "gateway")

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    def fresh(self) -> DispatcherState:
        return DispatcherState()

    def opened(self, state: DispatcherState, moment: Moment) -> Step:
        """Begin again what was under way when the last incarnation ended."""
        step = attempts.begun_again(state, moment)
        step.shows = [Show(PROCESSED_PATH, processed(state))]
        return step

    def decide(self, state: DispatcherState, message: Message, moment: Moment) -> Step:
        match message.body:
            case BookRead("access", lines):
                return reading.facts(lines, moment)
            case BookRead(_, lines):
                return reading.events(state, lines, moment, self._policy)
            case EventsFound() as found:
                return reading.found(state, found, moment)
            case DeliveryDone() as done:
                return attempts.done(state, done, moment, self._policy)
            case DeliveryDue() as due:
                return attempts.came_due(state, due, moment, self._policy)
            case EndpointLook() as look:
                return attempts.look(state, look.endpoint_id, moment, self._policy)
            case Redeliver() as order:
                return attempts.redeliver(state, order, moment)
        raise NotImplementedError(message.kind)

    def apply(self, state: DispatcherState, event: Struct) -> None:
        dispatcher_state.apply(state, event)

    def read_event(self, line: bytes) -> Struct:
        return dispatcher_state.read_event(line)

    def documents(self, state: DispatcherState) -> dict[str, Any]:
        return dispatcher_state.documents(state)

    def load(self, documents: Mapping[str, bytes]) -> DispatcherState:
        return dispatcher_state.load(dict(documents))
