"""People: a merchant sees its own alone, a second person is another person."""

import re

from actors.simulation.evidence import Asked, Evidence
from actors.simulation.invariants.invariant import Invariant
from actors.simulation.reading import CHANGES, Entry, decoded
from payrail.domain.ledger import PaymentSettled

#: What an id of an object of a merchant looks like.
_IDENT = re.compile(rb"\b(?:pi|re|dp|po|case|evt|cap)_[a-z0-9]{6,}")
_APPROVERS = frozenset({"approver", "admin"})
#: What somebody gets to hear who asks about what is another's.
_UNKNOWN = frozenset({400, 401, 403, 404, 405, 422, 429, 503, 504})


def tenants_are_apart(evidence: Evidence) -> list[str]:
    """No answer to a merchant names an object of another; what is another's is as unknown."""
    owners = _owners(evidence)
    found = []
    for asked in evidence.asked:
        if asked.merchant is None or asked.status is None:
            continue
        path, _, query = asked.path.partition("?")
        named = _others(owners, asked, path.encode() + b" " + asked.body)
        told = _others(owners, asked, asked.answer)
        what = f"{asked.merchant} asked {asked.method} {asked.path}"
        if named and asked.status not in _UNKNOWN:
            found.append(f"{what} about {named[0]} of {owners[named[0]]}: {asked.status}")
        # A list may be asked for what is about another's, and has nothing.
        sought = _others(owners, asked, query.encode()) if asked.status in _UNKNOWN else []
        foreign = [ident for ident in told if ident not in (*named, *sought)]
        if foreign:
            found.append(f"{what} and was told of {foreign[0]}, of {owners[foreign[0]]}")
    return found + _events_apart(evidence, owners)


def _owners(evidence: Evidence) -> dict[str, str]:
    owners: dict[str, str] = {}
    for entry in evidence.books.entries:
        fact = entry.fact
        if fact.merchant_id is not None:
            owners.setdefault(fact.ref, fact.merchant_id)
            owners.setdefault(fact.event_id, fact.merchant_id)
            if ident := getattr(fact.data, "capture_id", None):
                owners.setdefault(ident, fact.merchant_id)
    return owners


def _others(owners: dict[str, str], asked: Asked, text: bytes) -> list[str]:
    idents = [ident.decode() for ident in _IDENT.findall(text)]
    return [one for one in idents if owners.get(one, asked.merchant) != asked.merchant]


def _events_apart(evidence: Evidence, owners: dict[str, str]) -> list[str]:
    endpoints = evidence.endpoints
    return [
        f"{heard.webhook_id} of {owners[heard.webhook_id]} came to {heard.endpoint_id}"
        for heard in evidence.heard
        if heard.webhook_id in owners and heard.endpoint_id in endpoints
        if owners[heard.webhook_id] != endpoints[heard.endpoint_id].merchant_id
    ]


def four_eyes(evidence: Evidence) -> list[str]:
    """Whoever approves did not ask for it, is an approver, and approves what was asked for."""
    found = []
    roles = _roles(evidence)
    for ref, entries in evidence.books.entries_of.items():
        for entry in entries:
            data = entry.fact.data
            if entry.fact.type in ("refund.approved", "refund.rejected"):
                found += _approved(ref, entries[0], entry, roles)
            elif entry.fact.type == "payment.settled" and data.adjusted and not _by_two(data):
                what = f"{ref}: adjusted by {data.proposed_by} and {data.approved_by}"
                found.append(f"{what} ({entry.place})")
    return found


def _by_two(data: PaymentSettled) -> bool:
    return None not in (data.proposed_by, data.approved_by) and data.proposed_by != data.approved_by


def _roles(evidence: Evidence) -> dict[tuple[str, str], str]:
    """In which role each user had a yes to an approval, by path."""
    return {
        (asked.path, asked.user): asked.role
        for asked in evidence.asked
        if asked.status == 200 and asked.path.startswith("/refunds/") and asked.role
    }


def _approved(ref: str, first: Entry, entry: Entry, roles: dict[tuple[str, str], str]) -> list[str]:
    asked, verb = first.fact, entry.fact.type.removeprefix("refund.")
    by = entry.fact.data.approved_by if verb == "approved" else entry.fact.data.rejected_by
    if by is None:
        small = asked.data.tier == "automatic"
        return [] if small else [f"{ref}: {verb} by nobody ({entry.place})"]
    found = []
    if by == asked.data.requested_by and verb == "approved":
        found.append(f"{ref}: {by} approved what {by} had asked for ({entry.place})")
    path = f"/refunds/{ref}/{'approve' if verb == 'approved' else 'reject'}"
    role = roles.get((path, by))
    if role is not None and role not in _APPROVERS:
        found.append(f"{ref}: {verb} by {by}, who is {role} ({entry.place})")
    if entry.fact.amount != asked.amount:
        what = f"{ref}: {entry.fact.amount} {verb} where {asked.amount} was asked for"
        found.append(f"{what} ({entry.place})")
    return found


def changes_are_written_down(evidence: Evidence) -> list[str]:
    """What people changed about endpoints, keys and users stands in the book of access: what, who
    and when."""
    rows = evidence.books.rows(CHANGES)
    known = {value for row in rows for value in row.fields.values() if isinstance(value, str)}
    found = [
        f"a change of {row['type']} says not when ({row.place})" for row in rows if not row["at"]
    ]
    for asked in evidence.asked:
        if asked.method == "GET" or asked.status not in (200, 201):
            continue
        if not asked.path.startswith(_CHANGED):
            continue
        shown = decoded(asked.answer)
        ident = shown.get("id") if isinstance(shown, dict) else None
        if isinstance(ident, str) and ident not in known:
            found.append(f"{ident}: {asked.status} to {asked.path}, and no change says so")
    return found


#: What is kept in the book of access.
_CHANGED = ("/webhook-endpoints", "/keys", "/users", "/merchants")

INVARIANTS = (
    Invariant("I17", "a merchant sees its own alone", tenants_are_apart),
    Invariant("I21", "every change by people is written down", changes_are_written_down),
    Invariant("I18", "a second person is another person", four_eyes),
)
