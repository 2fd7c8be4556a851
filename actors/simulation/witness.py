"""Who outlives the simulated house: what was asked of it, and every reply that was ever seen."""

from dataclasses import dataclass, field

import msgspec

from actors.simulation.orders import Order
from payrail.domain.messages import ReplyLine
from payrail.storage.lines import is_whole

EDGES = ("frontdoor", "vault.http")


_decode_reply = msgspec.json.Decoder(ReplyLine).decode


@dataclass(frozen=True, slots=True)
class Question:
    re: str
    order: Order
    receiver: str


@dataclass(slots=True)
class Witness:
    """What the asking side knows, whatever dies: its questions, and every reply it ever saw."""

    questions: dict[str, Question] = field(default_factory=dict)
    replies: dict[str, list[ReplyLine]] = field(default_factory=dict)
    epoch: int = 1
    n: dict[str, int] = field(default_factory=lambda: dict.fromkeys(EDGES, 0))
    _lines: set[bytes] = field(default_factory=set)

    def see(self, line: bytes) -> None:
        """Remember a reply line, once."""
        if line not in self._lines and is_whole(line):
            self._lines.add(line)
            reply = _decode_reply(line)
            self.replies.setdefault(reply.re, []).append(reply)

    def copy(self) -> "Witness":
        replies = {re: list(seen) for re, seen in self.replies.items()}
        return Witness(dict(self.questions), replies, self.epoch, dict(self.n), set(self._lines))

    def reborn(self) -> None:
        """The doors died too: a new epoch, and nobody waits for the old questions' replies."""
        self.epoch += 1
        self.n = dict.fromkeys(EDGES, 0)
