"""Drive an actor's pure core by hand: decide, fold, remember, and fold again from bytes."""

import random
from typing import Any

import msgspec

from payrail.runtime.actor import Actor, Message, Moment, Step
from payrail.runtime.ports import Now

NOON_MS = 1_770_638_400_000  # 2026-02-09T12:00:00Z


class StillClock:
    """A clock that stands where it was put."""

    def now(self) -> Now:
        return Now(NOON_MS, NOON_MS, NOON_MS)

    def look(self) -> None: ...

    def not_before(self, wire_ms: int, business_ms: int = 0) -> None: ...

    def monotonic_ms(self) -> int:
        return 0


class SeededRng:
    """Chance with a seed; for tests alone."""

    def __init__(self, seed: int = 42) -> None:
        self._random = random.Random(seed)

    def token_hex(self, size_bytes: int) -> str:
        return self._random.randbytes(size_bytes).hex()


class Played:
    """An actor with its state, its steps so far, and what their journal lines would hold."""

    def __init__(self, actor: Actor[Any]) -> None:
        self.actor = actor
        self.state = actor.fresh()
        self.steps: list[Step] = []
        self.lines: list[tuple[str | None, bytes]] = []  # (book or None, bytes)
        self.wire_ms = NOON_MS
        self.business_ms = NOON_MS

    def tell(
        self,
        kind: str,
        body: Any,
        *,
        sender: str = "gateway",
        reply_to: str | None = None,
        deadline_ms: int | None = None,
    ) -> Any:  # A Step, whose bodies a test knows better than their type says.
        number = len(self.steps) + 1
        message = Message(
            id=f"{sender}>{self.actor.name}:{number}",
            sender=sender,
            kind=kind,
            body=body,
            correlation_id=f"cor_{number}",
            reply_to=reply_to,
            deadline_ms=deadline_ms,
        )
        moment = Moment(self.wire_ms, self.business_ms, self.actor.name, number, 0)
        before = self.snapshot()
        step = self.actor.decide(self.state, message, moment)
        assert self.snapshot() == before, "decide changed the state"
        self._fold(step)
        return step

    def _fold(self, step: Step) -> None:
        self.steps.append(step)
        for event in step.events:
            self.lines.append((None, msgspec.json.encode(event)))
            self.actor.apply(self.state, event)
        for post in step.posts:
            self.lines.append((post.book, msgspec.json.encode(post.record)))
            self.actor.apply(self.state, post.record)

    def snapshot(self) -> dict[str, bytes]:
        documents = self.actor.documents(self.state)
        return {path: msgspec.json.encode(content) for path, content in documents.items()}

    def replayed(self) -> Any:
        """The state that the journal's bytes alone give."""
        state = self.actor.fresh()
        for book, line in self.lines:
            read = self.actor.books[book].read if book else self.actor.read_event
            self.actor.apply(state, read(line))
        return state

    def everything(self) -> bytes:
        """All that any step would write or send, and the documents."""
        steps = msgspec.json.encode(self.steps)
        return steps + b"".join(line for _, line in self.lines) + b"".join(self.snapshot().values())
