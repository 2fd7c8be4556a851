"""Whose key is this: the followed view of merchants, users and keys, and the callers it knows.

Both doors follow `data/access/changes.jsonl`, and catch up with its end before they answer, so that
a key that was just made works and one that was just revoked does not. Each key may ask so often.
Nobody but the house itself is let in while the book may lack lines: one of them may have revoked
the key. Texts of keys that were verified are remembered in memory alone.
Never: stores a key, or takes a card number for a name.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from aiohttp import web

from payrail.domain.access import (
    ADMIN,
    ROLES,
    AccessRecord,
    Directory,
    Key,
    KeyAdded,
    read_record,
)
from payrail.domain.books import ACCESS_BOOK
from payrail.domain.cards import find_pans
from payrail.domain.people import RATE_PER_S_DEFAULT
from payrail.errors import RequestError
from payrail.runtime.ports import Clock, Fs
from payrail.security.apikeys import (
    PUBLISHABLE,
    SECRET,
    PresentedKey,
    derive_key,
    is_genuine,
    parse_key,
    same_secret,
)
from payrail.storage.books import Follower
from payrail.web.heads import bearer, unauthenticated
from payrail.web.limits import Limits
from payrail.web.whole import taken_as_whole

#: Texts of keys that are remembered as verified; then all are forgotten and verified again.
_VERIFIED_MAX = 10_000
#: Each key begins with it.
_FIRST_VERSION = 1
_KEY_LOST = (
    "This house made the key, and its book of keys does not know it: lines of"
    f" {ACCESS_BOOK} are missing. What a power cut took is put back when the gateway starts;"
    " `payrail verify` names anything else. Of a house that was begun anew: make a new key."
)
_FOR_MERCHANT, _AS_ROLE, _AS_USER = "X-Merchant-Id", "X-Role", "X-User"
_USER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}", re.ASCII)
#: Who the service key is while it names nobody else.
SERVICE_USER = "cli"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. `merchant_id` None: the house itself, over all merchants."""

    merchant_id: str | None
    user_id: str
    role: str
    publishable: bool = False
    service: bool = False
    key_id: str = ""
    rate_per_s: int = RATE_PER_S_DEFAULT


_SERVICE = Caller(None, SERVICE_USER, ADMIN, service=True)


class AccessView:
    """Follows the access book and tells callers by their keys."""

    def __init__(
        self,
        fs: Fs,
        clock: Clock,
        house_secret: bytes,
        service_key: str,
        must_be_whole: Callable[[], None] = taken_as_whole,
    ) -> None:
        """`must_be_whole` raises RequestError while the book may lack lines."""
        self._must_be_whole = must_be_whole
        self._follower = Follower(fs, ACCESS_BOOK)
        self._house_secret = house_secret
        self._service_key = service_key.encode()
        self._verified: dict[str, Caller] = {}
        self._clock, self._limits = clock, Limits(clock.monotonic_ms)
        self._directory = Directory()

    @property
    def directory(self) -> Directory:
        """Everybody there is. Raises RequestError 503 while somebody may be missing."""
        self._must_be_whole()
        return self._directory

    def catch_up(self) -> None:
        """Fold what was booked since. Raises Corrupt for a book that cannot be followed."""
        for _offset, line in self._follower.read():
            self._directory.fold(read_record(line))
            self._verified.clear()

    def authenticate(self, token: str) -> Caller:
        """The caller of a key, whose request is counted. Raises RequestError 401, 429 or 503."""
        try:
            self._must_be_whole()
        except RequestError:
            if not same_secret(token, self._service_key):  # Whoever mends the house is let in.
                raise
        else:
            self.catch_up()
        caller = self._verified.get(token) or self._verify(token)
        if not caller.service:
            self._limits.must_pass(caller.key_id, caller.rate_per_s)
        return caller

    def admit(self, request: web.Request) -> Caller:
        """The caller of a request's key. Raises RequestError 401, 429 or 503."""
        return self.authenticate(bearer(request))

    def whose(self, request: web.Request) -> Caller | None:
        """Who asks, for a line of the log: nothing is counted, and nobody refused."""
        try:
            token = bearer(request)
            caller = self._verified.get(token) or self._verify(token)
        except RequestError:
            return None
        try:
            return self.speaking_for(caller, request.headers)
        except RequestError:
            return caller

    def in_role(self, request: web.Request, roles: frozenset[str]) -> Caller:
        """Who asks, or whom the house speaks for, in one of these roles. Raises RequestError 401,
        403, 422 or 429."""
        caller = self.speaking_for(self.admit(request), request.headers)
        must_be(caller, roles)
        return caller

    def for_merchant(self, request: web.Request, roles: frozenset[str]) -> Caller:
        """The same, of one merchant: the house has to name it. Raises RequestError likewise."""
        caller = self.in_role(request, roles)
        must_name_merchant(caller)
        return caller

    def _verify(self, token: str) -> Caller:
        if same_secret(token, self._service_key):
            return self._remembered(token, _SERVICE)
        presented = parse_key(token)
        if presented is None:
            raise unauthenticated("This is not a key of this house.")
        key = self._directory.live_key(presented.key_id)
        version = self._genuine_version(presented, key)
        if presented.key_id not in self._directory.keys:
            self._must_be_none_of_ours(presented)
        kind = PUBLISHABLE if key and key.publishable else SECRET
        if key is None or version is None or presented.kind != kind:
            raise unauthenticated("This key is unknown, wrong or revoked.")
        caller = Caller(
            key.merchant_id,
            key.user_id,
            key.role,
            key.publishable,
            key_id=key.key_id,
            rate_per_s=key.rate_limit_per_s or RATE_PER_S_DEFAULT,
        )
        return self._remembered(token, caller) if version == key.version else caller

    def _genuine_version(self, presented: PresentedKey, key: Key | None) -> int | None:
        """Which valid version this is; an unknown id is looked at for as long as a known one."""
        versions = key.versions(self._clock.now().business_ms) if key else ()
        for version in versions or (None,):
            if is_genuine(self._house_secret, presented, version):
                return version
        return None

    def _must_be_none_of_ours(self, presented: PresentedKey) -> None:
        """Nobody else can make such a text: if it is ours, the book has lost who it was for. Said
        with 401, its owner would throw away a key that is good once the book is mended."""
        if is_genuine(self._house_secret, presented, _FIRST_VERSION):
            raise RequestError(
                503, "file-damaged", _KEY_LOST, retryable=True, headers={"Retry-After": "1"}
            )

    def _remembered(self, token: str, caller: Caller) -> Caller:
        if len(self._verified) >= _VERIFIED_MAX:
            self._verified.clear()
        self._verified[token] = caller
        return caller

    def speaking_for(self, caller: Caller, headers: Mapping[str, str]) -> Caller:
        """Who the caller acts as: the service key may name a merchant, a role and a user. Raises
        RequestError: 403 when another key tries, 422 for a name that cannot be."""
        merchant_id, role = headers.get(_FOR_MERCHANT), headers.get(_AS_ROLE)
        user_id = headers.get(_AS_USER)
        if merchant_id is None and role is None and user_id is None:
            return caller
        if not caller.service:
            raise RequestError(
                403, "forbidden", "Only the service key may act for others; leave the headers out."
            )
        if merchant_id is not None and merchant_id not in self.directory.merchants:
            raise _bad_header(_FOR_MERCHANT, "names no merchant of this house")
        if role is not None and role not in ROLES:
            raise _bad_header(_AS_ROLE, f"must be one of {', '.join(ROLES)}")
        if user_id is not None and not _may_be_named(user_id):
            raise _bad_header(
                _AS_USER, "must be 1 to 64 letters, digits or _ . @ -, and no card number"
            )
        return replace(
            caller,
            merchant_id=merchant_id,
            role=role or caller.role,
            user_id=user_id or caller.user_id,
        )


def must_name_merchant(caller: Caller) -> str:
    """The merchant that this is about. Raises RequestError 422 when the house names none."""
    if caller.merchant_id is None:
        raise _bad_header(_FOR_MERCHANT, "is needed here: say for which merchant this is")
    return caller.merchant_id


def must_be(caller: Caller, roles: frozenset[str]) -> None:
    """Raises RequestError 403 unless the caller has one of these roles."""
    if caller.role not in roles:
        raise RequestError(
            403, "forbidden", f"The role of this key may not do this; it takes {_listed(roles)}."
        )


def demo_keys(
    source: AccessView | Iterable[AccessRecord], house_secret: bytes
) -> dict[str, dict[str, str]]:
    """By merchant and role, the text of the first key there is: `{"m_001": {"admin": "sk_…"}}`."""
    records: Iterable[AccessRecord | Key] = (
        source.directory.keys.values() if isinstance(source, AccessView) else source
    )
    found: dict[str, dict[str, str]] = {}
    for key in records:
        if isinstance(key, KeyAdded | Key) and key.merchant_id is not None:
            text = derive_key(house_secret, key.key_id, key.version, publishable=key.publishable)
            found.setdefault(key.merchant_id, {}).setdefault(key.role, text)
    return found


def _may_be_named(user_id: str) -> bool:
    """A name goes into every log and book, so a card number is none."""
    return bool(_USER.fullmatch(user_id)) and not find_pans(user_id)


def _listed(roles: frozenset[str]) -> str:
    return " or ".join(role for role in ROLES if role in roles)


def _bad_header(name: str, message: str) -> RequestError:
    return RequestError(
        422,
        "validation-error",
        f"The header {name} {message}.",
        errors=[{"field": name, "message": message}],
    )
