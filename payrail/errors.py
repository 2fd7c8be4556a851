"""Every error of ours, in one tree; imports nothing of ours.

    PayRailError
    ├── RequestError            the asker's turn: becomes a reply, is no fault
    │   └── ReplayRefused       a dead letter may not be decided any more: it stays open
    ├── Damage                  a file says something it cannot have said
    │   ├── LineDamaged         one line's bytes do not match its hash
    │   ├── Corrupt             durable bytes are damaged: halt, exit 70
    │   └── Behind              somebody knows more than our journal: halt, exit 70
    ├── MalformedJson           bytes from outside are not strict JSON
    ├── JournalLost             the journal could not be written: exit 75, fsync failed: exit 74
    ├── HomeHeld                another house runs on this home: exit 73
    ├── BadSettings             a setting cannot be used: exit 78
    │   └── BadRules            a rule file cannot be used, with every complaint about it
    └── NotRunning              an answer needs a running house: exit 69

A decline is an answer, not an exception.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class PayRailError(Exception):
    """Root of the tree."""


class RequestError(PayRailError):
    """A refusal that a reply carries to the asker. State was not touched.

    `code` is a problem's lasting name for programs; `extra` are fields beside the standard ones,
    such as `legal` or `diff`; `errors` name fields with a remedy: `{"field","message"}`.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: Sequence[Mapping[str, Any]] = (),
        retryable: bool = False,
        extra: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = list(errors)
        self.retryable = retryable
        self.extra = dict(extra or {})
        self.headers = dict(headers or {})


class ReplayRefused(RequestError):
    """Said to whoever replays a dead letter, not to who sent it once."""


class Damage(PayRailError):
    """A file is not what its writer wrote."""


class LineDamaged(Damage):
    """One line's bytes do not match its hash, or it has none."""


class Corrupt(Damage):
    """Durable bytes are damaged. Never cut, never continued: the actor halts."""

    def __init__(self, path: str, line: int, why: str) -> None:
        super().__init__(f"{path}:{line}: {why}")
        self.path, self.line, self.why = path, line, why


class Behind(Damage):
    """A book or a peer has seen more of us than our journal holds: a restored or cut journal."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{path}: {why}")
        self.path, self.why = path, why


class MalformedJson(PayRailError):
    """Bytes from outside are not strict JSON; the text says what and where, never the value."""


class JournalLost(PayRailError):
    """The journal could not be written or made durable, or what is derived from it could not: this
    incarnation knows too much and ends. The next one reads the disk.

    `trust_lost` when the journal's fsync failed: what the page cache says means nothing any more.
    """

    def __init__(self, cause: OSError, *, trust_lost: bool) -> None:
        super().__init__(f"journal: {cause.strerror}")
        self.trust_lost = trust_lost


class HomeHeld(PayRailError):
    """Another house holds this home."""

    def __init__(self, actor: str, holder: str) -> None:
        super().__init__(f"{actor} of this home is held by {holder}")
        self.actor, self.holder = actor, holder


class BadSettings(PayRailError):
    """A setting cannot be used; names it and the remedy, never its value."""


class RuleFault(NamedTuple):
    """One complaint about a rule file; never what stands there."""

    line: int  # from 1
    field: str
    message: str


class BadRules(BadSettings):
    """A rule file cannot be used. The text has one line a complaint, and the remedy last."""

    def __init__(self, path: str, faults: Sequence[RuleFault], remedy: str) -> None:
        told = [f"{path}: line {one.line}: {one.field}: {one.message}" for one in faults]
        super().__init__("\n".join([*told, remedy]))
        self.path, self.faults, self.remedy = path, list(faults), remedy


class NotRunning(PayRailError):
    """The house, or the part that must answer, is not running."""
