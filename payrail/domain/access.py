"""Who may do what: merchants, users, keys and webhook endpoints, as the book of access tells them.

The book is `data/access/changes.jsonl`.

A record is a fact without secrets: a key is derived from its id and version wherever it is needed.
Never: forgets who a key belonged to. A revoked key stays known, as revoked.
"""

import msgspec
from msgspec import field

from payrail.domain.endpoints import Endpoint, EndpointRecord, endpoint_after
from payrail.domain.people import (
    ADMIN,
    Key,
    KeyAdded,
    KeyRevoked,
    KeyRotated,
    MerchantAdded,
    People,
    PeopleRecord,
    UserAdded,
    UserDeactivated,
)
from payrail.errors import LineDamaged

__all__ = [
    "ADMIN",
    "ADMINS",
    "APPROVER",
    "AUDITOR",
    "CARD_READERS",
    "CHECKERS",
    "ENDPOINT_KEEPERS",
    "OPERATOR",
    "PAYERS",
    "PUBLISHABLE",
    "READERS",
    "ROLES",
    "TOKEN_DELETERS",
    "TOKEN_READERS",
    "VIEWER",
    "AccessRecord",
    "Directory",
    "Key",
    "KeyAdded",
    "KeyRevoked",
    "KeyRotated",
    "MerchantAdded",
    "UserAdded",
    "UserDeactivated",
    "demo_records",
    "read_record",
]

OPERATOR, APPROVER, VIEWER, AUDITOR, PUBLISHABLE = (
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
#: Who may see who used a card.
CARD_READERS = frozenset({ADMIN, AUDITOR})
#: Who may have a card deleted.
TOKEN_DELETERS = frozenset({ADMIN, OPERATOR})


AccessRecord = PeopleRecord | EndpointRecord

_decode = msgspec.json.Decoder(AccessRecord).decode


def read_record(line: bytes) -> AccessRecord:
    """A record of the book. Raises LineDamaged for one we do not know."""
    try:
        record: AccessRecord = _decode(line)
        return record
    except msgspec.MsgspecError as error:
        raise LineDamaged(f"not a record of the access book: {error}") from error


class Directory(People):
    """The fold of the book: who is there now, and where webhooks go."""

    endpoints: dict[str, Endpoint] = field(default_factory=dict)  # deleted ones too

    def fold(self, record: AccessRecord) -> None:
        if isinstance(record, EndpointRecord):
            known = self.endpoints.get(record.endpoint_id)
            self.endpoints[record.endpoint_id] = endpoint_after(known, record)
        else:
            self.fold_people(record)


#: The first merchant of the demo.
DEMO_MERCHANT = "m_001"
_DEMO_MERCHANTS = (
    (DEMO_MERCHANT, "Kite & Keel Books", "5942"),
    ("m_002", "Harbour Bicycles", "5940"),
)


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
