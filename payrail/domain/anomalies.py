"""Uses of cards that want a second look: too many, off purpose, by guessing, by too many people.

    watch = Watch()
    for access in lines: news = watch.see(access)     # what this line made plain, once per run

Pure: the same lines give the same anomalies, live in the vault and later in its log. Memory is
bounded: whoever was not seen for longest is forgotten first.
Never: refuses anything. People judge; a shop with a busy day is no thief.
"""

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from msgspec import Struct

from payrail.domain.card_access import CardAccess
from payrail.domain.timestamps import parse_iso

#: Look-ups are counted over a minute: a support desk needs one card every few seconds at most.
WINDOW_MS = 60_000
#: More look-ups by one asker within the window than a person reads.
LOOKS_MAX = 30
#: More different tokens within the window than a person has cases on the desk.
TOKENS_READ_MAX = 15
#: Different users who look at one token within the window: a colleague helps, four are a leak.
USERS_PER_TOKEN_MAX = 3
#: Refusals of one asker in a row, with no yes between: a script has one wrong word at first, a
#: guesser has nothing but. Tokens have 128 random bits, so that guessing is always in vain.
REFUSED_IN_A_ROW_MAX = 4
#: What is remembered: more askers and tokens than a house has in a minute.
ASKERS_MAX = 2_000
TOKENS_MAX = 10_000

#: Read by people, one at a time. A till tokenizes and charges all day, a rotation touches all.
_LOOKED_FOR = frozenset({"support.last4", "charge.authorize", "unknown"})
_BY_THE_HOUSE = "mailbox"
_MISMATCH = "vault_record_mismatch"
_OFF_PURPOSE = frozenset({"purpose_missing", "purpose_unknown", "purpose_refused", "role_refused"})
T = TypeVar("T")


class Kind(StrEnum):
    """What is odd, with the words that people read."""

    RATE = "rate"
    BROWSING = "browsing"
    SHARED = "shared"
    GUESSING = "guessing"
    OFF_PURPOSE = "off_purpose"
    MISMATCH = "mismatch"


#: `{n}` is the count. No word of an asker's stands here.
SENTENCES = {
    Kind.RATE: "{n} look-ups by one asker within a minute",
    Kind.BROWSING: "{n} different tokens read by one asker within a minute",
    Kind.SHARED: "one token read by {n} users within a minute",
    Kind.GUESSING: "{n} tokens in a row that nobody has",
    Kind.OFF_PURPOSE: "{n} refusals in a row for purpose or role",
    Kind.MISMATCH: "a stored card that does not open for its token",
}


class Anomaly(Struct, frozen=True, kw_only=True):
    """One run of something odd, told at the line that made it plain."""

    kind: Kind
    at: str  # of that line
    seq: int  # of that line
    who: str  # the asker; for a shared token the last of them
    token: str | None  # where it is about one
    count: int
    correlation_id: str

    @property
    def sentence(self) -> str:
        return SENTENCES[self.kind].format(n=self.count)


@dataclass(slots=True)
class _Asker:
    """What is remembered of one asker."""

    looks: deque[tuple[int, str]] = field(default_factory=lambda: deque(maxlen=LOOKS_MAX + 1))
    guessed: int = 0
    off_purpose: int = 0
    told: set[Kind] = field(default_factory=set)  # of the runs that still go on


@dataclass(slots=True)
class _Token:
    readers: dict[str, int] = field(default_factory=dict)  # who -> when last
    is_told: bool = False
    is_mismatched: bool = False


class Watch:
    """What was seen lately, and which runs were told."""

    def __init__(self) -> None:
        self._askers: OrderedDict[str, _Asker] = OrderedDict()
        self._tokens: OrderedDict[str, _Token] = OrderedDict()

    def see(self, access: CardAccess) -> list[Anomaly]:
        """What this line makes plain: nothing for a run that was told already."""
        if access.refused_for == _MISMATCH:
            return self._mismatch(access)
        if access.origin == _BY_THE_HOUSE:
            return []
        asker = _remembered(self._askers, access.who, _Asker, ASKERS_MAX)
        found = _refusals(asker, access)
        if access.purpose in _LOOKED_FOR:
            found += _looks(asker, access)
            found += self._readers(access)
        return found

    def _mismatch(self, access: CardAccess) -> list[Anomaly]:
        """A card that does not open is told once, however often it is asked for."""
        token = _remembered(self._tokens, access.token, _Token, TOKENS_MAX)
        was_told, token.is_mismatched = token.is_mismatched, True
        return [] if was_told else [_anomaly(Kind.MISMATCH, access, 1, access.token)]

    def _readers(self, access: CardAccess) -> list[Anomaly]:
        """Users who read this one token."""
        if not access.is_allowed:
            return []
        token = _remembered(self._tokens, access.token, _Token, TOKENS_MAX)
        now_ms = parse_iso(access.at)
        token.readers.pop(access.who, None)  # so that the dict is in the order of last reading
        token.readers[access.who] = now_ms
        for who, at_ms in list(token.readers.items()):
            if at_ms <= now_ms - WINDOW_MS or len(token.readers) > USERS_PER_TOKEN_MAX + 1:
                del token.readers[who]
        count = len(token.readers)
        is_news = count > USERS_PER_TOKEN_MAX and not token.is_told
        token.is_told = count > USERS_PER_TOKEN_MAX
        return [_anomaly(Kind.SHARED, access, count, access.token)] if is_news else []


def _refusals(asker: _Asker, access: CardAccess) -> list[Anomaly]:
    """Refusals in a row; a yes ends the row, a refusal of another kind does not."""
    if access.is_allowed:
        asker.guessed = asker.off_purpose = 0
    elif access.refused_for == "unknown_token":
        asker.guessed += 1
    elif access.refused_for in _OFF_PURPOSE:
        asker.off_purpose += 1
    counts = ((Kind.GUESSING, asker.guessed), (Kind.OFF_PURPOSE, asker.off_purpose))
    return [
        _anomaly(kind, access, count, None)
        for kind, count in counts
        if _is_news(asker, kind, is_over=count > REFUSED_IN_A_ROW_MAX)
    ]


def _looks(asker: _Asker, access: CardAccess) -> list[Anomaly]:
    """Look-ups within the window, and the tokens that were got at."""
    now_ms = parse_iso(access.at)
    asker.looks.append((now_ms, access.token if access.is_allowed else ""))
    while asker.looks[0][0] <= now_ms - WINDOW_MS:
        asker.looks.popleft()
    tokens = {token for _, token in asker.looks if token}
    counts = (
        (Kind.RATE, len(asker.looks), LOOKS_MAX),
        (Kind.BROWSING, len(tokens), TOKENS_READ_MAX),
    )
    return [
        _anomaly(kind, access, count, None)
        for kind, count, most in counts
        if _is_news(asker, kind, is_over=count > most)
    ]


def _is_news(asker: _Asker, kind: Kind, *, is_over: bool) -> bool:
    """Whether a run begins to be odd with this line."""
    is_news = is_over and kind not in asker.told
    (asker.told.add if is_over else asker.told.discard)(kind)
    return is_news


def _anomaly(kind: Kind, access: CardAccess, count: int, token: str | None) -> Anomaly:
    return Anomaly(
        kind=kind,
        at=access.at,
        seq=access.seq,
        who=access.who,
        token=token,
        count=count,
        correlation_id=access.correlation_id,
    )


def _remembered(of: OrderedDict[str, T], name: str, make: Callable[[], T], most: int) -> T:
    """What is known of `name`; whoever was longest away makes room."""
    found = of.pop(name, None)
    if found is None:
        found = make()
    of[name] = found
    if len(of) > most:
        of.popitem(last=False)
    return found
