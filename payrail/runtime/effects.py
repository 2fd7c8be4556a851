"""What the loop asks its driver to do, in this order. Each is a crash point.

`Keep` and `Write` come before the fsync; all others only after it returned.
"""

from dataclasses import dataclass

from payrail.runtime.actor import Errand
from payrail.storage.journal import StoredReply


@dataclass(frozen=True, slots=True)
class Keep:
    """Keep raw bytes as a file named by their SHA-256, durable before the line that names it."""

    path: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Write:
    """Append to the journal, then fsync; the driver says `synced` when that returned."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Post:
    """Append whole lines to a book of ours."""

    book: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Show:
    """Replace a view that people look at; what it shows is in the books or the state already."""

    path: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Publish:
    """Append whole lines to the receiver's mailbox, then ring."""

    receiver: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """Give a reply to the edge that asked."""

    reply: StoredReply


@dataclass(frozen=True, slots=True)
class Run:
    """Start work beside the loop."""

    errand: Errand


Effect = Keep | Write | Post | Show | Publish | Answer | Run
