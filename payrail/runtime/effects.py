"""What the loop asks its driver to do, in this order. Each is a crash point.

`Keep` and `Write` come before the fsync; all others only after it returned.
"""

from msgspec import Struct

from payrail.runtime.actor import Errand
from payrail.storage.journal import StoredReply


class Keep(Struct, frozen=True):
    """Keep raw bytes as a file named by their SHA-256, durable before the line that names it."""

    path: str
    data: bytes


class Write(Struct, frozen=True):
    """Append to the journal, then fsync; the driver says `synced` when that returned."""

    data: bytes


class Post(Struct, frozen=True):
    """Append whole lines to a book of ours."""

    book: str
    data: bytes


class Show(Struct, frozen=True):
    """Replace a view that people look at; what it shows is in the books or the state already."""

    path: str
    data: bytes


class Publish(Struct, frozen=True):
    """Append whole lines to the receiver's mailbox, then ring."""

    receiver: str
    data: bytes


class Answer(Struct, frozen=True):
    """Give a reply to the edge that asked."""

    reply: StoredReply


class Run(Struct, frozen=True):
    """Start work beside the loop."""

    errand: Errand


Effect = Keep | Write | Post | Show | Publish | Answer | Run
