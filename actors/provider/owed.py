"""What a provider keeps of a notice until it was taken, and the events that move it.

    owed ──▶ sending ──taken──▶ gone          (once more, when a drill wants it twice)
      │         │ ▲
      └─▶ waiting └─failed─▶ waiting ──due──▶ sending

Owns: nothing of its own; `ProviderState.notices` is folded here. Notices that were taken leave it.
"""

from msgspec import Struct, structs

from payrail.domain.words.disputes import DisputeFact

SENDING, WAITING, HELD = "sending", "waiting", "held"


class Notice(Struct, frozen=True, omit_defaults=True):
    """One fact that has yet to be told over HTTP; it is an operation, or `fact` about a dispute
    or suspected fraud."""

    id: str  # the same at each try
    reference: str  # of the call, or of the dispute
    operation_id: str
    at_ms: int  # business time of the fact
    correlation_id: str
    authorization: str | None = None  # reference of the charge that it is about
    state: str = SENDING  # sending | waiting (for a timer) | held (until another was taken)
    tries: int = 1  # the one under way counts
    copies: int = 1  # how often it has to be taken yet
    fact: DisputeFact | None = None  # as it was then: a dispute moves on
    outcome: str = ""  # why a call that had gone well did not in the end


class NoticeOwed(Struct, frozen=True, tag_field="type", tag="notice.owed"):
    notice: Notice


class NoticeBegun(Struct, frozen=True, tag_field="type", tag="notice.begun"):
    """The next try of a notice begins."""

    id: str


class NoticePutOff(Struct, frozen=True, tag_field="type", tag="notice.put_off"):
    """Nobody took it; it waits for its next try."""

    id: str


class NoticeTaken(Struct, frozen=True, tag_field="type", tag="notice.taken"):
    id: str


NoticeEvent = NoticeOwed | NoticeBegun | NoticePutOff | NoticeTaken


def fold_notice(notices: dict[str, Notice], event: NoticeEvent) -> None:
    """Fold one event."""
    if isinstance(event, NoticeOwed):
        notices[event.notice.id] = event.notice
        return
    notice = notices.get(event.id)
    if notice is None:
        return
    match event:
        case NoticeBegun():
            notices[event.id] = structs.replace(notice, state=SENDING, tries=notice.tries + 1)
        case NoticePutOff():
            notices[event.id] = structs.replace(notice, state=WAITING)
        case NoticeTaken() if notice.copies > 1:
            rest = notice.copies - 1
            notices[event.id] = structs.replace(notice, copies=rest, tries=notice.tries + 1)
        case NoticeTaken():
            del notices[event.id]
