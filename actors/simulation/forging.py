"""Notices that nobody may believe, and genuine ones that come once more.

    forger.overhear(…)         every notice that a provider posts, as its bytes went over the net
    forger.made(Forgery(…))    (headers, body) of a forged one, or of one that was overheard

A forger knows the house's own keys, since some of what must be refused is rightly signed: too old,
or by the other provider. Never: makes a notice that is genuine, fresh and new.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from payrail.domain.words.providers import ProviderNotice, SendNotice
from payrail.runtime.simtime import SimTime
from payrail.security.notices import (
    ADYEN_HEADER,
    PROVIDER_HEADER,
    SCHEMES,
    STRIPE_HEADER,
    notice_key,
    signed,
)
from payrail.web.correlation import HEADER as CORRELATION
from payrail.web.simnet import Asked

NOTICES = "/webhooks/provider"
#: Farther from now than any notice may be, whatever clocks are set to in a run.
OLD_MS = 1_000_000
#: Of one run so many are remembered.
OVERHEARD_MAX = 200

#: By which our own posts are known again among those that are overheard.
_BY_FORGER = {"From": "forger@elsewhere.example"}

Made = tuple[dict[str, str], bytes]


@dataclass(frozen=True, slots=True)
class Forgery:
    """What is to be posted: `how` is a row of `WAYS`. `place`: of the notices about this payment
    that were overheard."""

    how: str
    payment_id: str
    provider: str = "providerA"
    operation: str = "authorize"
    number: int = 1
    amount_minor: int = 1
    currency: str = "USD"
    place: int = 0

    @property
    def other(self) -> str:
        """The provider that it is not about."""
        return next(name for name in SCHEMES if name != self.provider)


class Forger:
    """One run's."""

    def __init__(self, house_secret: bytes, time: SimTime) -> None:
        self._house_secret, self._time = house_secret, time
        self.overheard: list[Asked] = []

    def overhear(self, what: str, asked: Asked) -> None:
        """See what goes over the net, of everybody."""
        if what != "arrived" or asked.path != NOTICES or _BY_FORGER.keys() <= asked.headers.keys():
            return
        if len(self.overheard) < OVERHEARD_MAX:
            self.overheard.append(asked)

    def about(self, payment_id: str) -> list[Asked]:
        """What providers posted about it."""
        mark = payment_id.encode()
        return [asked for asked in self.overheard if mark in asked.body]

    def made(self, forgery: Forgery) -> Made:
        """(headers, body), as it is posted."""
        headers, body = WAYS[forgery.how].make(self, forgery)
        own = {name: text for name, text in headers.items() if name != CORRELATION}
        return own | _BY_FORGER, body

    def key_of(self, provider: str) -> str:
        return notice_key(self._house_secret, provider)

    def signed(self, forgery: Forgery, key: str, by_ms: int = 0) -> Made:
        """Well made, and signed by this key as of now, or as of another time."""
        ident = hashlib.sha256(repr(forgery).encode()).hexdigest()[:16]
        notice = ProviderNotice(
            provider=forgery.provider,
            notice_id=f"evt_{ident}",
            reference=f"{forgery.payment_id}.{forgery.number}",
            operation=forgery.operation,
            operation_id=forgery.payment_id,
            result="approved",
            code="approved",
            provider_reference=f"pc_{ident}",
            amount=forgery.amount_minor,
            currency=forgery.currency,
        )
        at_ms = self._time.wall_ms() + by_ms
        body, headers = signed(SendNotice(notice, "m_001", None, at_ms, "cor_forged"), key, at_ms)
        return headers, body

    def heard(self, forgery: Forgery) -> Made:
        """One that a provider posted. None were: one by a key that is nobody's."""
        found = self.about(forgery.payment_id)
        if not found:
            return self.signed(forgery, _OWN_KEY)
        asked = found[forgery.place % len(found)]
        return dict(asked.headers), asked.body


@dataclass(frozen=True, slots=True)
class Way:
    """How a notice is forged, and how it is refused."""

    make: Callable[[Forger, Forgery], Made]
    status: int
    code: str


_OWN_KEY = hashlib.sha256(b"a forger's own").hexdigest()
_SIGNED = (STRIPE_HEADER, ADYEN_HEADER)


def _unsigned(forger: Forger, forgery: Forgery) -> Made:
    headers, body = forger.signed(forgery, _OWN_KEY)
    return {name: text for name, text in headers.items() if name not in _SIGNED}, body


def _by_the_other(forger: Forger, forgery: Forgery) -> Made:
    """Rightly signed by one provider, posted as the other's."""
    return forger.signed(forgery, forger.key_of(forgery.other))


def _another_amount(forger: Forger, forgery: Forgery) -> Made:
    """The bytes of a genuine one, but for a digit of what follows its amount's name."""
    headers, body = forger.heard(forgery)
    for mark in (b'"amount":', b'"value":'):
        head, found, tail = body.partition(mark)
        if found and tail[:1].isdigit():
            digit = b"%d" % (9 - int(tail[:1]) or 5)
            return headers, head + mark + digit + tail[1:]
    return headers, body + b" "


def _as_the_other(forger: Forger, forgery: Forgery) -> Made:
    """A genuine one, posted in the other's name."""
    headers, body = forger.heard(forgery)
    given = headers[PROVIDER_HEADER]
    other = next(name for name in SCHEMES if name != given)
    return headers | {PROVIDER_HEADER: other}, body


def _of_nobody(forger: Forger, forgery: Forgery) -> Made:
    headers, body = forger.signed(forgery, forger.key_of(forgery.provider))
    return headers | {PROVIDER_HEADER: "providerC"}, body


_UNSIGNED = 401, "signature-invalid"


WAYS: dict[str, Way] = {
    "own key": Way(lambda forger, one: forger.signed(one, _OWN_KEY), *_UNSIGNED),
    "no signature": Way(_unsigned, *_UNSIGNED),
    "the other's key": Way(_by_the_other, *_UNSIGNED),
    "another amount": Way(_another_amount, *_UNSIGNED),
    "as the other": Way(_as_the_other, *_UNSIGNED),
    "old": Way(
        lambda forger, one: forger.signed(one, forger.key_of(one.provider), -OLD_MS),
        *(400, "timestamp-out-of-tolerance"),
    ),
    "early": Way(
        lambda forger, one: forger.signed(one, forger.key_of(one.provider), OLD_MS),
        *(400, "timestamp-out-of-tolerance"),
    ),
    "of nobody": Way(_of_nobody, 404, "not-found"),
}
#: One that was overheard, as it was: no forgery, and it changes nothing.
AGAIN = "again"
WAYS[AGAIN] = Way(Forger.heard, 200, "")
FORGED = tuple(name for name in WAYS if name != AGAIN)
