"""A merchant with few keys and many twins: whatever they do, a key is one answer."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors.simulation.orders import Order, authorize, cancel, capture, create
from payrail.domain.messages import AttemptTimeout
from payrail.errors import RequestError
from tests.actors.gatewaydesk import TOKEN, Desk, answer

KEYS = ("k1", "k2", "k3")


_order = st.tuples(
    st.sampled_from(("create", "pay", "authorize", "capture", "part", "cancel")),
    st.sampled_from(KEYS),
    st.integers(0, 2),
)


_said = st.tuples(
    st.just("says"),
    st.sampled_from(("approved", "declined", "fenced", "pending", "ambiguous", "timeout")),
    st.integers(0, 2),
)


class Model:
    """What was answered finally under each key, and for which request."""

    def __init__(self) -> None:
        self.desk = Desk()
        self.ids: list[str] = ["pi_none"]
        self.final: dict[str, tuple[int, Any]] = {}
        self.hashes: dict[str, str] = {}
        self.creations: dict[str, int] = {}
        self.asked = 0

    def pick(self, number: int) -> str:
        return self.ids[-1 - number % len(self.ids)]

    def order(self, verb: str, key: str, number: int) -> None:
        order = self.made(verb, key, number)
        self.asked += 1
        before = len(self.entries())
        try:
            step = self.desk.order(order, f"1.{self.asked}")
        except RequestError as refusal:
            self.refused(key, refusal)
        else:
            self.note(step, key, order, before)

    def refused(self, key: str, refusal: RequestError) -> None:
        """What is raised is what no key keeps."""
        assert key not in self.final
        assert refusal.status in (404, 422) or refusal.retryable

    def made(self, verb: str, key: str, number: int) -> Order:
        match verb:
            case "create":
                return create(TOKEN, key)
            case "pay":
                return create(TOKEN, key, confirm=True)
            case "authorize":
                return authorize(self.pick(number), key)
            case "capture":
                return capture(self.pick(number), key)
            case "part":
                return capture(self.pick(number), key, amount=300, final_capture=False)
        return cancel(self.pick(number), key)

    def note(self, step: Any, key: str, order: Order, before: int) -> None:
        """Check what an order did against what its key has already meant."""
        request_hash = getattr(order[1], "request_hash", "")
        known = self.hashes.setdefault(key, request_hash)
        for created in (e for e in self.entries()[before:] if e.type == "payment.created"):
            self.ids.append(created.ref)
        if known != request_hash:
            assert (step.replies[0].status, step.events, step.posts) == (422, [], [])
        elif key in self.final:
            (reply,) = step.replies
            assert (reply.stored_at is not None, reply.replayed) == (True, True)
            assert (step.events, step.posts) == ([], [])
        self.learn(step)

    def learn(self, step: Any) -> None:
        """A key is answered at most once."""
        for event in step.events:
            if type(event).__name__ == "KeyAnswered" and event.answer_at >= 0:
                key = event.key.split(" ", 1)[1]
                assert key not in self.final
                self.final[key] = answer(step)

    def says(self, result: str, number: int) -> None:
        view = self.desk.state.payments.get(self.pick(number))
        if view is None or view.open is None:
            return
        call = view.open
        if result == "timeout":
            timer = AttemptTimeout(view.id, call.reference)
            self.learn(self.desk.tell("attempt.timeout", timer, sender="timer"))
            return
        amount = call.amount or (view.amount_capturable or view.amount)
        more = {"operation": call.operation, "amount": amount}
        self.learn(self.desk.says(call.reference, result, **more))

    def entries(self) -> list[Any]:
        return [p.record for s in self.desk.steps for p in s.posts if p.book == "payments"]


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.one_of(_order, _said), max_size=40))
def test_whatever_the_twins_do_a_key_is_one_answer(script: list[tuple[str, str, int]]):
    """Random orders under few keys, with a provider that says anything: no key is answered twice
    or with another effect, the books balance, and replay gives the same gateway."""
    model = Model()
    for verb, word, number in script:
        if verb == "says":
            model.says(word, number)
        else:
            model.order(verb, word, number)

    for entry in model.entries():
        assert sum(posting.amount for posting in entry.postings) == 0
    assert model.desk.replayed() == model.desk.state
    assert model.desk.actor.load(model.desk.snapshot()) == model.desk.state
