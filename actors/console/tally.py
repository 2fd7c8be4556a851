"""How many payments stand in which state, counted from events.

An event carries its payment as it is afterwards; remembering each payment's last state is enough to
move it from one count to another.
Never: asks anybody. Memory grows by about 100 bytes a payment, which is what a count costs.
"""

from collections import Counter, deque

from actors.console.shapes import Event
from payrail.domain.payment_view import PaymentState

#: Lines of activity that are kept.
ACTIVITY_MAX = 30
PAYMENT = "payment_intent"


class Tally:
    """Counts by state and by currency, and the newest events."""

    def __init__(self) -> None:
        self.states: Counter[str] = Counter()
        self.asked: Counter[str] = Counter()  # what payments were created for, by currency
        self.payments_by_currency: Counter[str] = Counter()
        self.activity: deque[Event] = deque(maxlen=ACTIVITY_MAX)
        self.through = 0  # the `seq` up to which was counted
        self._state_of: dict[str, str] = {}

    @property
    def payments(self) -> int:
        return len(self._state_of)

    @property
    def in_doubt(self) -> int:
        return self.states[PaymentState.UNKNOWN.value]

    def fold(self, event: Event) -> None:
        """Count an event once; one that was counted is let pass."""
        if event.seq <= self.through:
            return
        self.through = event.seq
        self.activity.appendleft(event)
        if event.data.object.object == PAYMENT:
            self._move(event)

    def _move(self, event: Event) -> None:
        payment = event.data.object
        before = self._state_of.get(payment.id)
        if before is None and payment.currency is not None:
            self.asked[payment.currency] += payment.amount or 0
            self.payments_by_currency[payment.currency] += 1
        if before is not None:
            self.states[before] -= 1
        self.states[payment.state] += 1
        self._state_of[payment.id] = payment.state
