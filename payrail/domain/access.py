"""Who may do what: merchants, users, keys and webhook endpoints, as the book of access tells them.

The book is `data/access/changes.jsonl`.

A record is a fact without secrets: a key is derived from its id and version wherever it is needed.
Never: forgets who a key belonged to. A revoked key stays known, as revoked.
"""

import msgspec
from msgspec import Struct

from payrail.domain.endpoints import Endpoint, EndpointRecord, endpoint_after
from payrail.errors import LineDamaged

ADMIN, OPERATOR, APPROVER, VIEWER, AUDITOR, PUBLISHABLE = (
    "admin",
    "operator",
    "approver",
    "viewer",
    "auditor",
    "publishable",
)
ROLES = (ADMIN, OPERATOR, APPROVER, VIEWER, AUDITOR, PUBLISHABLE)
#: Who may move money, and who may look at it.
PAYERS = frozenset({ADMIN, OPERATOR})
READERS = frozenset({ADMIN, OPERATOR, APPROVER, VIEWER, AUDITOR})
#: Who may say yes or no to what somebody else asked for.
CHECKERS = frozenset({ADMIN, APPROVER})
ADMINS = frozenset({ADMIN})
#: Who may say where webhooks go.
ENDPOINT_KEEPERS = frozenset({ADMIN, OPERATOR})
#: Who may ask the vault about a token.
TOKEN_READERS = frozenset({ADMIN, OPERATOR, AUDITOR})


class MerchantAdded(Struct, frozen=True, tag_field="type", tag="merchant.added"):
    merchant_id: str
    name: str
    mcc: str  # merchant category code, ISO 18245
    at: str


class UserAdded(Struct, frozen=True, tag_field="type", tag="user.added"):
    user_id: str
    merchant_id: str | None  # None: a user of the house
    name: str
    at: str


class KeyAdded(Struct, frozen=True, tag_field="type", tag="key.added"):
    """A key, or a new version of one: the older version is then no key any more."""

    key_id: str
    merchant_id: str | None
    user_id: str
    role: str
    publishable: bool
    version: int  # from 1
    at: str


class KeyRevoked(Struct, frozen=True, tag_field="type", tag="key.revoked"):
    key_id: str
    at: str


AccessRecord = MerchantAdded | UserAdded | KeyAdded | KeyRevoked | EndpointRecord

_decode = msgspec.json.Decoder(AccessRecord).decode


def read_record(line: bytes) -> AccessRecord:
    """A record of the book. Raises LineDamaged for one we do not know."""
    try:
        record: AccessRecord = _decode(line)
        return record
    except msgspec.MsgspecError as error:
        raise LineDamaged(f"not a record of the access book: {error}") from error


class Directory:
    """The fold of the book: who is there now."""

    def __init__(self) -> None:
        self.merchants: dict[str, MerchantAdded] = {}
        self.users: dict[str, UserAdded] = {}
        self.keys: dict[str, KeyAdded] = {}
        self.revoked: set[str] = set()
        self.endpoints: dict[str, Endpoint] = {}  # deleted ones too

    def fold(self, record: AccessRecord) -> None:
        match record:
            case MerchantAdded():
                self.merchants[record.merchant_id] = record
            case UserAdded():
                self.users[record.user_id] = record
            case KeyAdded():
                self.keys[record.key_id] = record
                self.revoked.discard(record.key_id)
            case KeyRevoked():
                self.revoked.add(record.key_id)
            case _:
                known = self.endpoints.get(record.endpoint_id)
                self.endpoints[record.endpoint_id] = endpoint_after(known, record)

    def live_key(self, key_id: str) -> KeyAdded | None:
        """The key under this id, None when there is none or it was revoked."""
        return None if key_id in self.revoked else self.keys.get(key_id)


_DEMO_MERCHANTS = (("m_001", "Kite & Keel Books", "5942"), ("m_002", "Harbour Bicycles", "5940"))


def demo_records(at: str) -> list[AccessRecord]:
    """The merchants, users and keys of `--demo`: a different user for each role."""
    records: list[AccessRecord] = []
    for merchant_id, name, mcc in _DEMO_MERCHANTS:
        short = merchant_id.replace("_", "")
        records.append(MerchantAdded(merchant_id, name, mcc, at))
        for role in ROLES:
            user_id = f"usr_{short}_{role}"
            records.append(UserAdded(user_id, merchant_id, f"{name}, {role}", at))
            records.append(
                KeyAdded(f"{short}{role}", merchant_id, user_id, role, role == PUBLISHABLE, 1, at)
            )
    return records
